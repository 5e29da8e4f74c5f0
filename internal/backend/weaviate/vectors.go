package weaviate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/nodes"
)

// schema changes whenever objects are made differently: a hub of another schema has its own collection.
const schema = "2"

const (
	maxParts = 128
	putBatch = 100 // servers replaced at once; with all their parts fewer than the engine removes in one call
)

// Vectors is a hub.Vectors.
type Vectors struct {
	c     *nodes.Client
	alias string

	mu    sync.Mutex
	known bool // the engine was asked who it is
	at    collection
}

// collection is where the alias points to, as far as this hub knows.
type collection struct {
	name string
	dims int // length of its vectors, 0 when it was not seen yet
}

var _ hub.Vectors = (*Vectors)(nil)

const urlForm = "weaviate://[USER:KEY@]HOST:PORT/NAME, or weaviates:// for TLS"

// Open takes an address such as weaviate://user:key@10.0.0.1:8080/mcphub, where weaviates:// speaks TLS and the user
// does not matter. Nothing is asked of the engine before it is needed: a hub starts without it. Invalid for an address
// of another form.
func Open(address string) (*Vectors, error) {
	t, err := nodes.ParseTarget(address, "8080", urlForm)
	if err != nil {
		return nil, err
	}
	if len(t.Query) > 0 || strings.Contains(t.Name, "-") {
		return nil, hub.Errorf(hub.Invalid, "the vectors address has a setting, or a name with a hyphen").WithHint("write %s", urlForm)
	}
	x := &Vectors{alias: strings.ToUpper(t.Name[:1]) + t.Name[1:] + "_v" + schema}
	x.c = nodes.New(t, func(r *http.Request) {
		if t.User == nil {
			return
		}
		if key, ok := t.User.Password(); ok {
			r.Header.Set("Authorization", "Bearer "+key)
		}
	})
	return x, nil
}

// Name names the collection among those of one database: hubs that share it share their place in the event log.
func (x *Vectors) Name() string { return "weaviate." + x.alias }

// Close gives idle connections back.
func (x *Vectors) Close() error { return x.c.Close() }

func failed(what string, err error) error {
	return nodes.Failed("the vectors cannot be "+what, "--vectors", err)
}

// introduce refuses, once, what is no Weaviate or too old.
func (x *Vectors) introduce(ctx context.Context) error {
	x.mu.Lock()
	known := x.known
	x.mu.Unlock()
	if known {
		return nil
	}
	var meta struct{ Version string }
	if err := x.c.Read(ctx, http.MethodGet, "/v1/meta", nil, &meta); err != nil && !nodes.Is(err, http.StatusNotFound) {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(meta.Version, "%d.%d", &major, &minor); err != nil {
		return hub.Errorf(hub.Unavailable, "what answers at the address of --vectors is not Weaviate").WithHint("write %s", urlForm)
	}
	if major < 1 || major == 1 && minor < 32 {
		return hub.Errorf(hub.Unavailable, "the vector engine is Weaviate %s", meta.Version).WithHint("use Weaviate 1.32 or later, which has aliases")
	}
	x.mu.Lock()
	x.known = true
	x.mu.Unlock()
	return nil
}

// where returns the collection that the alias points to now, and makes it when there is none. fresh: what was
// looked up before does not do.
func (x *Vectors) where(ctx context.Context, fresh bool) (collection, error) {
	x.mu.Lock()
	at := x.at
	x.mu.Unlock()
	if at.name != "" && !fresh {
		return at, nil
	}
	if err := x.introduce(ctx); err != nil {
		return at, err
	}
	name, err := x.target(ctx)
	if nodes.Is(err, http.StatusNotFound) {
		// Hubs that start together make the same collection, and one of them does: the others are refused.
		first := x.alias + "_0"
		refused := errors.Join(x.create(ctx, first), x.c.Write(ctx, http.MethodPost, "/v1/aliases", object{"alias": x.alias, "class": first}, nil))
		if name, err = x.target(ctx); err != nil && refused != nil {
			err = refused
		}
	}
	if err != nil {
		return at, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at.name != name {
		x.at = collection{name: name}
	}
	return x.at, nil
}

// target asks where the alias points to.
func (x *Vectors) target(ctx context.Context) (string, error) {
	var alias struct{ Class string }
	err := x.c.Read(ctx, http.MethodGet, "/v1/aliases/"+x.alias, nil, &alias)
	return alias.Class, err
}

func (x *Vectors) create(ctx context.Context, name string) error {
	return x.c.Write(ctx, http.MethodPost, "/v1/schema", classOf(name), nil)
}

// dims returns the length of a collection's vectors, 0 when it has none.
func (x *Vectors) dims(ctx context.Context, at collection) (int, error) {
	if at.dims > 0 {
		return at.dims, nil
	}
	list, err := x.get(ctx, at.name, "limit: 1, where: "+where("dims", "GreaterThan", "valueInt", 0), "dims")
	if err != nil || len(list) == 0 {
		return 0, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at.name == at.name {
		x.at.dims = list[0].Dims
	}
	return list[0].Dims, nil
}

// Put implements hub.Vectors.
func (x *Vectors) Put(ctx context.Context, docs []hub.VectorDoc) error {
	at, err := x.where(ctx, true)
	if err != nil {
		return failed("changed", err)
	}
	dims, err := x.dims(ctx, at)
	if err == nil {
		err = x.put(ctx, at.name, dims, docs)
	}
	if err != nil {
		return failed("changed", err)
	}
	return nil
}

// put replaces servers in a collection whose vectors have a length, 0 for one that the first of them sets.
func (x *Vectors) put(ctx context.Context, class string, dims int, docs []hub.VectorDoc) error {
	for _, d := range docs {
		if len(d.Parts) > maxParts {
			return hub.Errorf(hub.Invalid, "a server has %d vectors; at most %d are kept", len(d.Parts), maxParts)
		}
		for _, p := range d.Parts {
			if dims == 0 {
				dims = len(p)
			}
			if len(p) != dims || len(p) == 0 {
				return hub.Errorf(hub.Invalid, "a vector has %d dimensions, the index has %d", len(p), dims).WithHint("fill the index anew: mcphub admin reindex")
			}
		}
	}
	for len(docs) > 0 {
		n := min(len(docs), putBatch)
		stamp := time.Now().UnixMicro() // the engine counts in 53 bits
		if err := x.write(ctx, class, docs[:n], stamp); err != nil {
			return err
		}
		ids := make([]string, n)
		for i, d := range docs[:n] {
			ids[i] = d.ID
		}
		older := object{"operator": "NotEqual", "path": []string{"stamp"}, "valueInt": stamp}
		if err := x.remove(ctx, class, ids, older); err != nil {
			return err
		}
		docs = docs[n:]
	}
	return nil
}

// Delete implements hub.Vectors.
func (x *Vectors) Delete(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	at, err := x.where(ctx, true)
	for len(ids) > 0 && err == nil {
		n := min(len(ids), putBatch)
		err = x.remove(ctx, at.name, ids[:n])
		ids = ids[n:]
	}
	if err != nil {
		return failed("changed", err)
	}
	return nil
}

// Count implements hub.Vectors.
func (x *Vectors) Count(ctx context.Context) (int64, error) {
	var n int64
	err := x.reading(ctx, func(at collection) error {
		var out struct {
			Aggregate map[string][]struct {
				Meta struct{ Count int64 }
			}
		}
		err := x.graphql(ctx, "{Aggregate{"+at.name+"(where: "+where("part", "Equal", "valueInt", 0)+"){meta{count}}}}", &out)
		if list := out.Aggregate[at.name]; len(list) > 0 {
			n = list[0].Meta.Count
		}
		return err
	})
	if err != nil {
		return 0, failed("counted", err)
	}
	return n, nil
}

// reading does something with the collection, and again with the new one when another hub's Rebuild took it away.
func (x *Vectors) reading(ctx context.Context, fn func(collection) error) error {
	at, err := x.where(ctx, false)
	if err != nil {
		return err
	}
	first := fn(at)
	if first == nil || ctx.Err() != nil {
		return first
	}
	now, err := x.where(ctx, true)
	if err != nil {
		return err
	}
	if now.name == at.name {
		return first
	}
	return fn(now)
}

// Rebuild implements hub.Vectors. It also removes what a Rebuild that was cut off left; so no two may run at once.
func (x *Vectors) Rebuild(ctx context.Context, fill func(put func(context.Context, []hub.VectorDoc) error) error) error {
	if _, err := x.where(ctx, true); err != nil {
		return failed("rebuilt", err)
	}
	fresh := fmt.Sprintf("%s_%d", x.alias, time.Now().UnixNano())
	if err := x.create(ctx, fresh); err != nil {
		return failed("rebuilt", err)
	}
	dims := 0
	err := fill(func(ctx context.Context, docs []hub.VectorDoc) error {
		if err := x.put(ctx, fresh, dims, docs); err != nil {
			return failed("rebuilt", err)
		}
		for _, d := range docs {
			for _, p := range d.Parts {
				dims = len(p)
			}
		}
		return nil
	})
	if err == nil {
		if err = x.c.Write(ctx, http.MethodPut, "/v1/aliases/"+x.alias, object{"class": fresh}, nil); err != nil {
			err = failed("rebuilt", err)
		}
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = x.drop(ctx, fresh) // else the next Rebuild removes it
		return err
	}
	if _, err := x.where(ctx, true); err != nil {
		return failed("rebuilt", err)
	}
	return x.sweep(ctx, fresh)
}

// sweep removes the collections of ours but one.
func (x *Vectors) sweep(ctx context.Context, keep string) error {
	var all struct{ Classes []struct{ Class string } }
	if err := x.c.Read(ctx, http.MethodGet, "/v1/schema", nil, &all); err != nil {
		return failed("rebuilt", err)
	}
	for _, c := range all.Classes {
		made, ours := strings.CutPrefix(c.Class, x.alias+"_")
		if _, err := strconv.ParseUint(made, 10, 64); !ours || err != nil || c.Class == keep {
			continue
		}
		if err := x.drop(ctx, c.Class); err != nil {
			return failed("rebuilt", err)
		}
	}
	return nil
}

func (x *Vectors) drop(ctx context.Context, class string) error {
	return x.c.Write(ctx, http.MethodDelete, "/v1/schema/"+class, nil, nil)
}
