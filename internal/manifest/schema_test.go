package manifest_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tailscale/hujson"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestSchemaIsFresh(t *testing.T) {
	want := manifest.GenerateSchema()
	if *update {
		if err := os.WriteFile("mcp.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(manifest.Schema(), want) {
		t.Error("mcp.schema.json is stale; run: go test ./internal/manifest -run TestSchemaIsFresh -update")
	}
}

// What the schema says of a file must be what Parse and Validate say of it: good-* pass both, bad-* both
// refuse.
func TestSchemaAndParserAgree(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mcp.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("mcp.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/mcp/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := hujson.Standardize(bytes.Clone(data))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
			if err != nil {
				t.Fatal(err)
			}
			bySchema := schema.Validate(v)
			m, _, byParser := manifest.Parse(data)
			if byParser == nil {
				for _, is := range m.Validate(manifest.ForPublish) {
					if is.Severity == "error" {
						t.Logf("%s: %s", is.Path, is.Message)
						byParser = os.ErrInvalid
					}
				}
			}
			good := strings.HasPrefix(filepath.Base(f), "good-")
			if good != (bySchema == nil) || good != (byParser == nil) {
				t.Errorf("schema: %v\nparser: %v", bySchema, byParser)
			}
		})
	}
}
