package weaviate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/hub"
)

// object is JSON.
type object = map[string]any

const (
	batchObjects = 500
	batchFloats  = 200_000 // a number is ten bytes of JSON
	maxLabel     = 200
)

// parts is the space of the objects' IDs.
var parts = uuid.MustParse("5d2c7a9e-3c49-5f7b-9d0e-6b3a3f0f8a11")

// classOf describes a collection.
func classOf(name string) object {
	property := func(name, kind string) object {
		p := object{"name": name, "dataType": []string{kind}, "indexFilterable": true, "indexSearchable": false}
		if strings.HasPrefix(kind, "text") {
			p["tokenization"] = "field"
		}
		return p
	}
	return object{
		"class": name, "description": "Servers of an mcphub, one object for each vector.", "vectorizer": "none", "vectorIndexType": "hnsw",
		"vectorIndexConfig":   object{"distance": "cosine", "ef": -1, "dynamicEfMin": 200, "dynamicEfMax": 1000, "efConstruction": 128},
		"invertedIndexConfig": object{"stopwords": object{"preset": "none"}},
		"properties": []object{property("server", "text"), property("part", "int"), property("dims", "int"), property("stamp", "int"),
			property("labels", "text[]")},
	}
}

// label is a value of a facet as it is stored and asked for; a hash of what is long, or what the engine would change.
func label(facet hub.Facet, value string) string {
	l := string(facet) + "=" + value
	if len(l) <= maxLabel && utf8.ValidString(l) && strings.TrimSpace(l) == l && !strings.Contains(l, "\x00") {
		return l
	}
	sum := sha256.Sum256([]byte(l))
	return string(facet) + "#" + hex.EncodeToString(sum[:])
}

// write writes the objects of servers over those of the same parts.
func (x *Vectors) write(ctx context.Context, class string, docs []hub.VectorDoc, stamp int64) error {
	var list []object
	floats := 0
	send := func() error {
		err := x.batch(ctx, list)
		list, floats = nil, 0
		return err
	}
	for _, d := range docs {
		labels := []string{}
		for facet, values := range d.Labels {
			for _, v := range values {
				labels = append(labels, label(facet, v))
			}
		}
		add := func(part int, vector []float32) {
			o := object{"class": class, "id": uuid.NewSHA1(parts, fmt.Appendf(nil, "%s/%d", d.ID, part)),
				"properties": object{"server": d.ID, "part": part, "dims": len(vector), "stamp": stamp, "labels": labels}}
			if len(vector) > 0 {
				o["vector"] = vector
			}
			list, floats = append(list, o), floats+len(vector)
		}
		if len(d.Parts) == 0 {
			add(0, nil)
		}
		for i, p := range d.Parts {
			add(i, p)
			if len(list) >= batchObjects || floats >= batchFloats {
				if err := send(); err != nil {
					return err
				}
			}
		}
	}
	return send()
}

func (x *Vectors) batch(ctx context.Context, list []object) error {
	if len(list) == 0 {
		return nil
	}
	var out []struct {
		Result struct {
			Errors struct {
				Error []struct{ Message string }
			}
		}
	}
	if err := x.c.Write(ctx, http.MethodPost, "/v1/batch/objects?consistency_level=QUORUM", object{"objects": list, "fields": []string{"id"}}, &out); err != nil {
		return err
	}
	for _, o := range out {
		for _, e := range o.Result.Errors.Error {
			return errors.New("weaviate: an object was refused: " + e.Message)
		}
	}
	return nil
}

// remove removes the objects of servers for which all conditions hold.
func (x *Vectors) remove(ctx context.Context, class string, ids []string, conditions ...object) error {
	all := append([]object{{"operator": "ContainsAny", "path": []string{"server"}, "valueTextArray": ids}}, conditions...)
	for {
		var out struct {
			Results struct{ Limit, Matches, Failed int64 }
		}
		body := object{"output": "minimal", "match": object{"class": class, "where": object{"operator": "And", "operands": all}}}
		if err := x.c.Write(ctx, http.MethodDelete, "/v1/batch/objects?consistency_level=QUORUM", body, &out); err != nil {
			return err
		}
		if out.Results.Failed > 0 {
			return fmt.Errorf("weaviate: %d objects were not removed", out.Results.Failed)
		}
		if out.Results.Matches < out.Results.Limit || out.Results.Limit == 0 {
			return nil
		}
	}
}

// where writes a condition in GraphQL. value is a number, a text or texts, all of which are written as in JSON.
func where(path, operator, kind string, value any) string {
	b, _ := json.Marshal(value) // cannot fail
	return "{path: [" + strconv.Quote(path) + "], operator: " + operator + ", " + kind + ": " + string(b) + "}"
}

// filterOf writes what a query is limited to. There always is something, if only what all vectors have: the engine
// compares one by one when a filter leaves few enough (its flatSearchCutoff), and misses nothing then; the graph it
// goes by else can lose what stands beside many vectors that are the same.
func filterOf(labels hub.Labels, dims int) string {
	all := []string{where("dims", "Equal", "valueInt", dims)}
	for facet, values := range labels {
		var any []string
		for _, v := range values {
			any = append(any, label(facet, v))
		}
		if len(any) > 0 {
			all = append(all, where("labels", "ContainsAny", "valueText", any))
		}
	}
	return "where: {operator: And, operands: [" + strings.Join(all, ", ") + "]}"
}

// found is what is read of an object.
type found struct {
	Server     string
	Dims       int
	Additional struct{ Distance float64 } `json:"_additional"`
}

// get asks for objects.
func (x *Vectors) get(ctx context.Context, class, arguments, fields string) ([]found, error) {
	var out struct{ Get map[string][]found }
	err := x.graphql(ctx, "{Get{"+class+"("+arguments+"){"+fields+"}}}", &out)
	return out.Get[class], err
}

func (x *Vectors) graphql(ctx context.Context, query string, data any) error {
	var out struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := x.c.Read(ctx, http.MethodPost, "/v1/graphql", object{"query": query}, &out); err != nil {
		return err
	}
	if len(out.Errors) > 0 {
		return errors.New("weaviate: " + out.Errors[0].Message)
	}
	return json.Unmarshal(out.Data, data)
}
