package aggregate

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

func TestPrefixes(t *testing.T) {
	got := Prefixes([]string{"@acme/db", "@other/db", "com.example.acme/db", "@acme/notes", "pg", "io.github.x/my__tool.v2", "@a/weird!name"})
	want := map[string]string{
		"@acme/db": "acme-db", "@other/db": "other-db", "com.example.acme/db": "com-example-acme-db", "@acme/notes": "notes", "pg": "pg",
		"io.github.x/my__tool.v2": "my_tool-v2", "@a/weird!name": "weird-name",
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	seen := map[string]string{}
	for name, p := range got {
		if other, ok := seen[p]; ok || p == "" || strings.Contains(p, between) {
			t.Errorf("%s is called %q, as %s", name, p, other)
		}
		seen[p] = name
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"id":null,"method":"x"}`, `{"id":"a","result":{}}`, `[]`, `{"method":""}`, `{"id":1,"method":"a","params":{"name":"\u0000"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decode(data)
		if err != nil {
			return
		}
		line := m.line()
		if !json.Valid(line) || strings.ContainsAny(string(line), "\r\n") {
			t.Fatalf("%q was written as %q", data, line)
		}
		again, err := decode(line)
		if err != nil || again.request() != m.request() || again.response() != m.response() || again.Method != m.Method {
			t.Fatalf("%q was read again as %v, %v", line, again, err)
		}
	})
}

func FuzzExposed(f *testing.F) {
	f.Add("db", "query")
	f.Add("", strings.Repeat("x", 100))
	f.Fuzz(func(t *testing.T, server, tool string) {
		p := plain(server)
		if strings.Contains(p, between) {
			t.Fatalf("%q is called %q", server, p)
		}
		if name := exposed(p, tool); p != "" && len(p) < 40 && len(name) > maxName {
			t.Fatalf("%q has %d bytes", name, len(name))
		}
	})
}
