package opensearch

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

// schema changes whenever documents are made differently: a hub of another schema has its own index.
const schema = "3"

// filling ends the alias by which a new index is filled.
const filling = "-filling"

// Index is a hub.Index.
type Index struct {
	c      *nodes.Client
	alias  string
	shards int

	mu    sync.Mutex // held while looking whether the index is there
	there bool
}

var _ hub.Index = (*Index)(nil)

const urlForm = "opensearch://[USER:PASSWORD@]HOST:PORT[,HOST:PORT]/NAME, or opensearchs:// for TLS; elasticsearch(s):// too"

// Open takes an address such as opensearch://10.0.0.1:9200,10.0.0.2:9200/mcphub, where opensearchs:// speaks TLS and
// elasticsearch(s):// is the same; "?shards=3" spreads a new index. Nothing is asked of the engine before it is
// needed: a hub starts without it. Invalid for an address of another form.
func Open(address string) (*Index, error) {
	t, err := nodes.ParseTarget(address, "9200", urlForm)
	if err != nil {
		return nil, err
	}
	x := &Index{alias: t.Name + "-v" + schema, shards: 1}
	for key, v := range t.Query {
		n, err := strconv.Atoi(v[0])
		if key != "shards" || err != nil || n < 1 || n > 64 {
			return nil, hub.Errorf(hub.Invalid, "the search address has the setting %s=%s", key, v[0]).WithHint("there is only shards, from 1 to 64")
		}
		x.shards = n
	}
	x.c = nodes.New(t, func(r *http.Request) {
		if t.User != nil {
			password, _ := t.User.Password()
			r.SetBasicAuth(t.User.Username(), password)
		}
	})
	return x, nil
}

// Name names the index among those of one database: hubs that share it share their place in the event log.
func (x *Index) Name() string { return "opensearch." + x.alias }

// Close gives idle connections back.
func (x *Index) Close() error { return x.c.Close() }

// ready makes sure, once, that the engine is one we know and that the index is there.
func (x *Index) ready(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.there {
		return nil
	}
	if err := introduce(ctx, x.c); err != nil {
		return err
	}
	err := x.c.Read(ctx, http.MethodGet, "/_alias/"+x.alias, nil, nil)
	if nodes.Is(err, http.StatusNotFound) {
		// Hubs that start together make the same index, and one of them does.
		err = x.create(ctx, x.alias+"-0", x.alias)
		if made := (*nodes.AnswerError)(nil); errors.As(err, &made) && made.Kind == "resource_already_exists_exception" {
			err = nil
		}
	}
	x.there = err == nil
	return err
}

// introduce refuses what is no OpenSearch and no Elasticsearch, or too old.
func introduce(ctx context.Context, c *nodes.Client) error {
	var about struct {
		Version struct {
			Number       string
			Distribution string
		}
		Tagline string
	}
	if err := c.Read(ctx, http.MethodGet, "/", nil, &about); err != nil {
		return err
	}
	first, _, _ := strings.Cut(about.Version.Number, ".")
	major, err := strconv.Atoi(first)
	product, oldest := "Elasticsearch", 8
	if about.Version.Distribution == "opensearch" {
		product, oldest = "OpenSearch", 2
	} else if !strings.Contains(about.Tagline, "You Know, for Search") {
		err = strconv.ErrSyntax
	}
	if err != nil {
		return hub.Errorf(hub.Unavailable, "what answers at the address of --search is neither OpenSearch nor Elasticsearch").WithHint("write %s", urlForm)
	}
	if major < oldest {
		return hub.Errorf(hub.Unavailable, "the search engine is %s %s", product, about.Version.Number).
			WithHint("use OpenSearch 2 or Elasticsearch 8, or a later one")
	}
	return nil
}

// create makes an index that answers to an alias.
func (x *Index) create(ctx context.Context, name, alias string) error {
	return x.c.Write(ctx, http.MethodPut, "/"+name, object{"aliases": object{alias: object{}}, "mappings": mappings(),
		"settings": object{"index": object{"number_of_shards": x.shards, "auto_expand_replicas": "0-1"}}}, nil)
}

// Put implements hub.Index.
func (x *Index) Put(ctx context.Context, docs []hub.Document) error {
	if err := x.ready(ctx); err != nil {
		return failed("changed", err)
	}
	if err := x.put(ctx, x.alias, docs, "refresh=true"); err != nil {
		return failed("changed", err)
	}
	return nil
}

func (x *Index) put(ctx context.Context, index string, docs []hub.Document, options string) error {
	var b bulk
	for _, d := range docs {
		if err := b.index(d); err != nil {
			return err
		}
		if b.full() {
			if err := b.send(ctx, x.c, index, options); err != nil {
				return err
			}
		}
	}
	return b.send(ctx, x.c, index, options)
}

// Delete implements hub.Index.
func (x *Index) Delete(ctx context.Context, ids []string) error {
	if err := x.ready(ctx); err != nil {
		return failed("changed", err)
	}
	const options = "refresh=true"
	var b bulk
	for _, id := range ids {
		b.remove(id)
		if b.full() {
			if err := b.send(ctx, x.c, x.alias, options); err != nil {
				return failed("changed", err)
			}
		}
	}
	if err := b.send(ctx, x.c, x.alias, options); err != nil {
		return failed("changed", err)
	}
	return nil
}

// Count implements hub.Index.
func (x *Index) Count(ctx context.Context) (int64, error) {
	if err := x.ready(ctx); err != nil {
		return 0, failed("counted", err)
	}
	var out struct{ Count int64 }
	if err := x.c.Read(ctx, http.MethodGet, "/"+x.alias+"/_count", nil, &out); err != nil {
		return 0, failed("counted", err)
	}
	return out.Count, nil
}

// Rebuild implements hub.Index. The alias moves to the new index and the old ones go in one step. It also removes
// what a Rebuild that was cut off left; so no two may run at once.
func (x *Index) Rebuild(ctx context.Context, fill func(put func(context.Context, []hub.Document) error) error) error {
	if err := introduce(ctx, x.c); err != nil {
		return failed("rebuilt", err)
	}
	fresh := fmt.Sprintf("%s-%d", x.alias, time.Now().UnixNano())
	if err := x.create(ctx, fresh, fresh+filling); err != nil {
		return failed("rebuilt", err)
	}
	err := fill(func(ctx context.Context, docs []hub.Document) error {
		if err := x.put(ctx, fresh+filling, docs, "refresh=false"); err != nil {
			return failed("rebuilt", err)
		}
		return nil
	})
	if err == nil {
		if err = x.replace(ctx, fresh); err != nil {
			err = failed("rebuilt", err)
		}
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = x.c.Write(ctx, http.MethodDelete, "/"+fresh, nil, nil) // else the next Rebuild removes it
	}
	return err
}

// replace gives the alias to a new index and removes every other one of ours.
func (x *Index) replace(ctx context.Context, fresh string) error {
	if err := x.c.Write(ctx, http.MethodPost, "/"+fresh+"/_refresh", nil, nil); err != nil {
		return err
	}
	var all map[string]any
	if err := x.c.Read(ctx, http.MethodGet, "/_alias?filter_path=*.aliases", nil, &all); err != nil {
		return err
	}
	actions := []object{{"add": object{"index": fresh, "alias": x.alias}}, {"remove": object{"index": fresh, "alias": fresh + filling}}}
	for name := range all {
		made, ours := strings.CutPrefix(name, x.alias+"-")
		if _, err := strconv.ParseUint(made, 10, 64); ours && err == nil && name != fresh {
			actions = append(actions, object{"remove_index": object{"index": name}})
		}
	}
	return x.c.Write(ctx, http.MethodPost, "/_aliases", object{"actions": actions}, nil)
}

func failed(what string, err error) error {
	return nodes.Failed("the search index cannot be "+what, "--search", err)
}
