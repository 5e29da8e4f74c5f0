package hosts_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/tailscale/hujson"
)

var update = flag.Bool("update", false, "write the golden files")

// Every case under testdata/HOST: after.json is before.json with one server more, and taking that server
// out again gives back before.json, byte for byte.
func TestInsertRemoveGolden(t *testing.T) {
	for _, h := range hosts.All() {
		cases, err := filepath.Glob("testdata/" + h.ID + "/*/before.json")
		if err != nil || len(cases) == 0 {
			t.Fatalf("%s has no fixtures (%v)", h.ID, err)
		}
		for _, file := range cases {
			dir := filepath.Dir(file)
			t.Run(h.ID+"/"+filepath.Base(dir), func(t *testing.T) {
				before := read(t, file)
				value, err := hosts.Render(h, hosts.RunEntry("/usr/local/bin/mcpm", "@acme/db"))
				if err != nil {
					t.Fatal(err)
				}
				after, undo, err := hosts.Insert(before, h.Key, "db", value)
				if err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join(dir, "after.json")
				if *update {
					if err := os.WriteFile(golden, after, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(string(read(t, golden)), string(after)); diff != "" {
					t.Errorf("after (-want +got):\n%s", diff)
				}
				restored, err := hosts.Remove(after, h.Key, "db", undo, true)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(before), string(restored)); diff != "" {
					t.Errorf("restored (-want +got):\n%s", diff)
				}
				manyOrders(t, h, before, value)
			})
		}
	}
}

// manyOrders puts three servers in and takes them out in every order.
func manyOrders(t *testing.T, h hosts.Host, before []byte, value json.RawMessage) {
	t.Helper()
	names := []string{"one", "two", "three"}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		text, first := before, hosts.Undo{}
		for i, name := range names {
			next, undo, err := hosts.Insert(text, h.Key, name, value)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = undo
			}
			text = next
		}
		for i, n := range order {
			next, err := hosts.Remove(text, h.Key, names[n], first, i == len(order)-1)
			if err != nil {
				t.Fatal(err)
			}
			text = next
		}
		if !bytes.Equal(text, before) {
			t.Errorf("removed in order %v:\n%s", order, cmp.Diff(string(before), string(text)))
		}
	}
}

func TestInsertRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"cut off", `{"mcpServers": {`, `not JSON: line 1, column 17: parsing value: unexpected EOF`},
		{"array", `[]`, `not a JSON object`},
		{"key is a list", `{"mcpServers": []}`, `"mcpServers" is not an object`},
		{"name taken", `{"mcpServers": {"db": {}}}`, `"db" is there already`},
		{"yaml", "mcpServers:\n  db: 1\n", `not JSON: line 1, column 1: invalid literal: mcpServers`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := hosts.Insert([]byte(tt.text), "mcpServers", "db", json.RawMessage(`{}`))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// Somebody else's edits between our two are kept.
func TestRemoveKeepsEdits(t *testing.T) {
	text, undo, err := hosts.Insert([]byte("{}\n"), "servers", "db", json.RawMessage(`{"command":"mcpm"}`))
	if err != nil {
		t.Fatal(err)
	}
	if text, _, err = hosts.Insert(text, "servers", "own", json.RawMessage(`{"command":"x"}`)); err != nil {
		t.Fatal(err)
	}
	got, err := hosts.Remove(text, "servers", "db", undo, true)
	if err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"servers\": {\n    \"own\": {\n      \"command\": \"x\"\n    }\n  }\n}\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzInsertRemove(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*/before.json")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, before []byte) {
		for _, key := range []string{"mcpServers", "servers"} {
			after, undo, err := hosts.Insert(before, key, "db", json.RawMessage(`{"command":"mcpm","args":["run"]}`))
			if err != nil {
				continue
			}
			if _, err := hujson.Parse(bytes.TrimPrefix(after, []byte("\uFEFF"))); err != nil {
				t.Fatalf("insert made %q: %v", after, err)
			}
			got, err := hosts.Remove(after, key, "db", undo, true)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, before) {
				t.Fatalf("%q became %q", before, got)
			}
		}
	})
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
