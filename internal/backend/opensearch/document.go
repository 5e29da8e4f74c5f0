package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/nodes"
)

// object is JSON.
type object = map[string]any

const (
	bulkBytes = 4 << 20 // of one request
	bulkItems = 1000
)

// mappings tell the engine what the fields are. The names of the last four are what results are sorted by.
func mappings() object {
	keyword := object{"type": "keyword"}
	text := object{"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
	facets := object{}
	for _, f := range hub.Facets {
		facets[string(f)] = keyword
	}
	return object{"dynamic": "strict", "_source": object{"enabled": false}, "properties": object{
		fulltext.Exact: object{"type": "keyword", "doc_values": false}, fulltext.Prefix: object{"type": "keyword", "doc_values": false},
		fulltext.Begin: text, fulltext.Owner: text, fulltext.Name: text, fulltext.Tools: text, fulltext.Input: text, fulltext.Text: text, fulltext.Readme: text, fulltext.Spell: text,
		"f":  object{"properties": facets},
		"id": keyword, "score": object{"type": "integer"}, "installs": object{"type": "long"}, "updated": object{"type": "long"}, "order": keyword,
	}}
}

// sorts are the orders without a text's score; all end with the ID.
var sorts = map[hub.SearchSort][]string{hub.ByRelevance: {"score", "installs"}, hub.ByScore: {"score", "installs"}, hub.ByInstalls: {"installs"},
	hub.ByUpdated: {"updated"}, hub.ByName: nil}

func newDocument(d hub.Document) object {
	labels := object{}
	out := object{"f": labels, "id": d.ID, "score": d.Score, "installs": max(0, d.Installs), "updated": d.UpdatedAt.UnixMicro(), "order": fulltext.Label(string(d.Name))}
	for _, f := range fulltext.Fields(d) {
		switch facet := f.Facet(); {
		case facet != "":
			if fulltext.CheckFacets([]hub.Facet{facet}) == nil {
				labels[string(facet)] = f.List()
			}
		case f.Name == fulltext.Exact || f.Name == fulltext.Prefix:
			out[f.Name] = f.List()
		default:
			out[f.Name] = string(bytes.ReplaceAll(f.Terms, []byte{0}, []byte{' '}))
		}
	}
	return out
}

// bulk collects changes for one request.
type bulk struct {
	b     bytes.Buffer
	items int
}

func (b *bulk) line(v any) error {
	enc := json.NewEncoder(&b.b) // which ends with the end of line that the engine wants
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (b *bulk) index(d hub.Document) error {
	b.items++
	if err := b.line(object{"index": object{"_id": d.ID}}); err != nil {
		return err
	}
	return b.line(newDocument(d))
}

func (b *bulk) remove(id string) {
	b.items++
	_ = b.line(object{"delete": object{"_id": id}}) // cannot fail: it is a string
}

func (b *bulk) full() bool { return b.items >= bulkItems || b.b.Len() >= bulkBytes }

// send sends what was collected, if anything, and begins anew. It writes to an alias, so that an index that is gone is
// not made anew without our mappings.
func (b *bulk) send(ctx context.Context, c *nodes.Client, alias, options string) error {
	if b.items == 0 {
		return nil
	}
	var out struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Error  struct{ Type, Reason string }
		}
	}
	if err := c.Write(ctx, http.MethodPost, "/"+alias+"/_bulk?require_alias=true&filter_path=errors,items.*.error,items.*.status&"+options, nodes.Lines(b.b.Bytes()), &out); err != nil {
		return err
	}
	b.b.Reset()
	b.items = 0
	if !out.Errors {
		return nil
	}
	for _, item := range out.Items {
		for action, res := range item {
			if res.Error.Type != "" {
				return fmt.Errorf("%s: %w", action, &nodes.AnswerError{Status: res.Status, Kind: res.Error.Type, Text: res.Error.Reason})
			}
		}
	}
	return nil
}
