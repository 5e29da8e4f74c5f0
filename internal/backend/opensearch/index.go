package opensearch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// schema changes whenever documents are made differently: a hub of another schema has its own index.
const schema = "1"

// Index is a hub.Index.
type Index struct {
	c      *client
	alias  string
	shards int

	mu    sync.Mutex // held while looking whether the index is there
	there bool
}

var _ hub.Index = (*Index)(nil)

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

const urlForm = "opensearch://[USER:PASSWORD@]HOST:PORT[,HOST:PORT]/NAME, or opensearchs:// for TLS; elasticsearch(s):// too"

// Open takes an address such as opensearch://10.0.0.1:9200,10.0.0.2:9200/mcphub, where opensearchs:// speaks TLS and
// elasticsearch(s):// is the same; "?shards=3" spreads a new index. Nothing is asked of the engine before it is
// needed: a hub starts without it. Invalid for an address of another form.
func Open(target string) (*Index, error) {
	bad := func(what string) error {
		shown, _, _ := strings.Cut(target, ":") // the rest may hold a password
		return hub.Errorf(hub.Invalid, "search: the %s address %s", shown, what).WithHint("write %s", urlForm)
	}
	// The hosts are taken out first, since url.Parse knows only one.
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok {
		return nil, bad("names no host")
	}
	where, _, _ := strings.Cut(rest, "/")
	user, hosts, found := cutLast(where, "@")
	if !found {
		user, hosts = "", where
	} else {
		user += "@"
	}
	u, err := url.Parse("x://" + user + "h" + strings.TrimPrefix(rest, where))
	if err != nil {
		return nil, bad("cannot be read")
	}
	x := &Index{alias: strings.Trim(u.Path, "/"), shards: 1}
	if !nameRE.MatchString(x.alias) {
		return nil, bad(fmt.Sprintf("has the index name %q", x.alias))
	}
	x.alias += "-v" + schema
	for key, v := range u.Query() {
		n, err := strconv.Atoi(v[0])
		if key != "shards" || err != nil || n < 1 || n > 64 {
			return nil, bad(fmt.Sprintf("has the setting %s=%s; there is only shards, from 1 to 64", key, v[0]))
		}
		x.shards = n
	}
	var list []string
	for h := range strings.SplitSeq(hosts, ",") {
		if at, err := url.Parse("x://" + h); err != nil || at.Hostname() == "" || at.Host != h {
			return nil, bad(fmt.Sprintf("has the host %q", h))
		}
		if !strings.Contains(h[strings.LastIndex(h, "]")+1:], ":") {
			h += ":9200"
		}
		list = append(list, h)
	}
	x.c = newClient(list, strings.HasSuffix(scheme, "s"), u.User)
	return x, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Name names the index among those of one database: hubs that share it share their place in the event log.
func (x *Index) Name() string { return "opensearch." + x.alias }

// Close gives idle connections back.
func (x *Index) Close() error {
	x.c.http.CloseIdleConnections()
	return nil
}

// ready makes sure, once, that the engine is one we know and that the index is there.
func (x *Index) ready(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.there {
		return nil
	}
	if err := x.c.introduce(ctx); err != nil {
		return err
	}
	err := x.c.do(ctx, http.MethodGet, "/_alias/"+x.alias, nil, nil)
	if is(err, http.StatusNotFound, "") {
		// Hubs that start together make the same index, and one of them does.
		err = x.create(ctx, x.alias+"-0", true)
		if is(err, 0, "resource_already_exists_exception") {
			err = nil
		}
	}
	x.there = err == nil
	return err
}

// introduce refuses what is no OpenSearch and no Elasticsearch, or too old.
func (c *client) introduce(ctx context.Context) error {
	var about struct {
		Version struct {
			Number       string
			Distribution string
		}
		Tagline string
	}
	if err := c.do(ctx, http.MethodGet, "/", nil, &about); err != nil {
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

// create makes an index, which answers to the alias when it is the first.
func (x *Index) create(ctx context.Context, name string, first bool) error {
	body := object{"settings": object{"index": object{"number_of_shards": x.shards, "auto_expand_replicas": "0-1"}}, "mappings": mappings()}
	if first {
		body["aliases"] = object{x.alias: object{}}
	}
	return x.c.do(ctx, http.MethodPut, "/"+name, body, nil)
}

// Put implements hub.Index.
func (x *Index) Put(ctx context.Context, docs []hub.Document) error {
	if err := x.ready(ctx); err != nil {
		return failed("changed", err)
	}
	if err := x.put(ctx, x.alias, docs, "refresh=true&require_alias=true"); err != nil {
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
	const options = "refresh=true&require_alias=true"
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
	if err := x.c.do(ctx, http.MethodGet, "/"+x.alias+"/_count", nil, &out); err != nil {
		return 0, failed("counted", err)
	}
	return out.Count, nil
}

// Rebuild implements hub.Index. The alias moves to the new index and the old ones go in one step. It also removes
// what a Rebuild that was cut off left; so no two may run at once.
func (x *Index) Rebuild(ctx context.Context, fill func(put func(context.Context, []hub.Document) error) error) error {
	if err := x.c.introduce(ctx); err != nil {
		return failed("rebuilt", err)
	}
	fresh := fmt.Sprintf("%s-%d", x.alias, time.Now().UnixNano())
	if err := x.create(ctx, fresh, false); err != nil {
		return failed("rebuilt", err)
	}
	err := fill(func(ctx context.Context, docs []hub.Document) error {
		if err := x.put(ctx, fresh, docs, "refresh=false"); err != nil {
			return failed("rebuilt", err)
		}
		return nil
	})
	if err == nil {
		err = x.replace(ctx, fresh)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
		defer cancel()
		_ = x.c.do(ctx, http.MethodDelete, "/"+fresh, nil, nil) // else the next Rebuild removes it
		return failed("rebuilt", err)
	}
	return nil
}

// replace gives the alias to a new index and removes every other one of ours.
func (x *Index) replace(ctx context.Context, fresh string) error {
	if err := x.c.do(ctx, http.MethodPost, "/"+fresh+"/_refresh", nil, nil); err != nil {
		return err
	}
	var all map[string]any
	if err := x.c.do(ctx, http.MethodGet, "/_alias?filter_path=*.aliases", nil, &all); err != nil {
		return err
	}
	actions := []object{{"add": object{"index": fresh, "alias": x.alias}}}
	for name := range all {
		made, ours := strings.CutPrefix(name, x.alias+"-")
		if _, err := strconv.ParseUint(made, 10, 64); ours && err == nil && name != fresh {
			actions = append(actions, object{"remove_index": object{"index": name}})
		}
	}
	return x.c.do(ctx, http.MethodPost, "/_aliases", object{"actions": actions}, nil)
}
