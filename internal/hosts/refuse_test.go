package hosts_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
)

func host(t testing.TB, id string) hosts.Host {
	t.Helper()
	h, ok := hosts.ByID(id)
	if !ok {
		t.Fatalf("no host %s", id)
	}
	return h
}

const notPlain = `an entry cannot be added under "extensions" without changing something else`

// refused are files that cannot be edited, and why.
var refused = []struct{ name, host, text, want string }{
	{"cut off", "cursor", `{"mcpServers": {`, `not JSON: line 1, column 17: parsing value: unexpected EOF`},
	{"array", "cursor", `[]`, `not a JSON object`},
	{"key is a list", "cursor", `{"mcpServers": []}`, `"mcpServers" is not an object`},
	{"name taken", "cursor", `{"mcpServers": {"db": {}}}`, `"db" is there already`},
	{"yaml for json", "cursor", "mcpServers:\n  db: 1\n", `not JSON: line 1, column 1: invalid literal: mcpServers`},

	{"name taken", "goose", "extensions:\n  db:\n    cmd: x\n", `"db" is there already`},
	{"broken", "goose", "extensions: [\n", `not YAML: line 1: sequence end token ']' not found`},
	{"key twice", "goose", "extensions: {}\nextensions: {}\n", `not YAML: line 2: mapping key "extensions" already defined at [1:1]`},
	{"list for a mapping", "goose", "extensions:\n  - x\n", `"extensions" is not a mapping`},
	{"text for a mapping", "goose", "extensions: none\n", `"extensions" is not a mapping`},
	{"braces", "goose", "extensions: {a: {cmd: x}}\n", `"extensions" is written in { } or [ ], which cannot be added to`},
	{"braces over lines", "goose", "extensions: {\n}\n", `"extensions" is written in { } or [ ], which cannot be added to`},
	{"anchor", "goose", "extensions: &all\n  a: {cmd: x}\nother: *all\n", `"extensions" has an anchor, an alias or a tag (&, *, !), which cannot be added to`},
	{"alias", "goose", "base: &all\n  a: {cmd: x}\nextensions: *all\n", `"extensions" has an anchor, an alias or a tag (&, *, !), which cannot be added to`},
	{"merge", "goose", "base: &all\n  a: {cmd: x}\nextensions:\n  <<: *all\n  b: {cmd: y}\n", `"extensions" takes servers over from elsewhere with <<, which cannot be added to`},
	{"whole file in braces", "goose", "{\"extensions\": {}}\n", `it is not written as a mapping, one key a line`},
	{"several documents", "goose", "a: 1\n---\nb: 2\n", `it holds several documents`},
	{"text with its blank lines last", "goose", "extensions:\n  a:\n    cmd: x\n    text: |+\n      hi\n\n\n", notPlain},
	{"mapping for a list", "continue", "mcpServers:\n  a: {command: x}\n", `"mcpServers" is not a list`},
	{"brackets", "continue", "mcpServers: [{name: a, command: x}]\n", `"mcpServers" is written in { } or [ ], which cannot be added to`},
	{"brackets over lines", "continue", "mcpServers: [\n  {name: a},\n  b]\n", `"mcpServers" is written in { } or [ ], which cannot be added to`},
	{"brackets below", "continue", "mcpServers:\n  [{name: a}]\n", `"mcpServers" is written in { } or [ ], which cannot be added to`},
	{"braces below", "goose", "extensions:\n  {a: {cmd: x}}\n", `"extensions" is written in { } or [ ], which cannot be added to`},
	{"complex key", "goose", "? extensions\n: a: {cmd: x}\n", notPlain},
	{"end of the document", "goose", "a: 1\n...\n", notPlain},
	{"old line breaks", "goose", "a: 1\rextensions:\r  x:\r    cmd: y\r", `it has line breaks of one carriage return`},
	{"tag", "goose", "extensions: !!map\n  a: {cmd: x}\n", `"extensions" has an anchor, an alias or a tag (&, *, !), which cannot be added to`},
	{"two of a name", "continue", "mcpServers:\n  - name: a\n  - name: a\n", `"mcpServers" has two servers called "a"`},
	{"name taken", "continue", "mcpServers:\n  - command: x\n    name: \"db\"\n", `"db" is there already`},

	{"broken", "codex", "model = \n", `not TOML: line 1, column 9: unexpected character U+000A at start of value`},
	{"table twice", "codex", "[mcp_servers.a]\n[mcp_servers.a]\n", `not TOML: line 2, column 2: table a already exists`},
	{"name taken", "codex", "[mcp_servers]\n\"db\" = {command = \"x\"}\n", `"db" is there already`},
	{"inline table", "codex", "mcp_servers = {a = {command = \"x\"}}\n", `mcp_servers is written as one value, which cannot be added to`},
	{"list for tables", "codex", "[[mcp_servers]]\ncommand = \"x\"\n", `"mcp_servers" is not a mapping`},
	{"tables for a list", "mistral-vibe", "[mcp_servers.a]\ncommand = \"x\"\n", `"mcp_servers" is not a list`},
	{"text for a list", "mistral-vibe", "mcp_servers = \"x\"\n", `"mcp_servers" is not a list`},
	{"two of a name", "mistral-vibe", "[[mcp_servers]]\nname = \"a\"\n[[mcp_servers]]\nname = \"a\"\n", `"mcp_servers" has two servers called "a"`},
}

// What cannot be edited is refused in words that say why; the text is never touched.
func TestInsertRefuses(t *testing.T) {
	for _, tt := range refused {
		t.Run(tt.host+"/"+tt.name, func(t *testing.T) {
			h := host(t, tt.host)
			_, _, err := h.Insert([]byte(tt.text), "db", json.RawMessage(`{"command":"x"}`))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
			if k := hub.KindOf(err); k != hub.Invalid && k != hub.Exists {
				t.Errorf("kind %v", k)
			}
		})
	}
}

// Somebody else's edits between our two are kept.
func TestRemoveKeepsEdits(t *testing.T) {
	for _, tt := range []struct{ host, before, want string }{
		{"vscode", "{}\n", "{\n  \"servers\": {\n    \"own\": {\n      \"command\": \"x\"\n    }\n  }\n}\n"},
		{"goose", "a: 1\n", "a: 1\nextensions:\n  own:\n    name: own\n    command: x\n"},
		{"goose", "", "extensions:\n  own:\n    name: own\n    command: x\n"},
		{"goose", "extensions: {} # c\n", "extensions: # c\n  own:\n    name: own\n    command: x\n"},
		{"continue", "mcpServers: []", "mcpServers:\n  - name: own\n    command: x"},
		{"codex", "", "[mcp_servers.own]\ncommand = \"x\"\n"},
		{"mistral-vibe", "mcp_servers = [ ]\n", "mcp_servers = [{ name = \"own\", command = \"x\" } ]\n"},
	} {
		h := host(t, tt.host)
		text, undo, err := h.Insert([]byte(tt.before), "db", json.RawMessage(`{"command":"mcpm"}`))
		if err != nil {
			t.Fatal(err)
		}
		if text, _, err = h.Insert(text, "own", json.RawMessage(`{"command":"x"}`)); err != nil {
			t.Fatal(err)
		}
		got, err := h.Remove(text, "db", undo, true)
		if err != nil {
			t.Fatal(err)
		}
		if h.Format == hosts.TOML && !h.List { // the blank line between tables is the person's by now
			got = bytes.TrimPrefix(got, []byte("\n"))
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.host, tt.before, diff)
		}
	}
}

// What a person did to our entry, or wrote into it, does not stop it from being taken out.
func TestRemoveEdited(t *testing.T) {
	for _, tt := range []struct{ host, text, want string }{
		{"goose", "extensions:\n  a:\n    cmd: x\n  db: # ours\n    # mine\n    cmd: mcpm\n\n    text: >\n      two\n\n      lines\n  # last\nb: 1\n", "extensions:\n  a:\n    cmd: x\n  # last\nb: 1\n"},
		{"goose", "extensions:\n  'db': {cmd: mcpm}\n", "extensions: {}\n"},
		{"continue", "mcpServers:\n- {name: db, command: mcpm}\n", "mcpServers: []\n"},
		{"codex", "[mcp_servers]\ndb.command = \"mcpm\"\ndb.env.A = \"1\"\na.command = \"x\"\n", "[mcp_servers]\na.command = \"x\"\n"},
		{"codex", "[mcp_servers.'db']\ncommand = \"mcpm\"\n\n[mcp_servers.db.env] # more\nA = '''\n\n[x]\n'''\n\n[tui]\n", "\n[tui]\n"},
		{"mistral-vibe", "mcp_servers = [\n  {name = 'db'}, # ours\n  {name = \"a\"},\n]\n", "mcp_servers = [\n  {name = \"a\"},\n]\n"},
	} {
		got, err := host(t, tt.host).Remove([]byte(tt.text), "db", hosts.Undo{}, false)
		if err != nil {
			t.Errorf("%s %q: %v", tt.host, tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.host, diff)
		}
	}
}

// Any name is spelled so that the file's own reader reads it, whatever the format.
func TestNames(t *testing.T) {
	for _, id := range []string{"cursor", "goose", "continue", "codex", "mistral-vibe"} {
		h := host(t, id)
		for _, name := range []string{
			"a.b", "with space", `quo"te`, "it's", "caf\u00e9", "\u6f22\u5b57", "\U0001F600", "true", "NO", "null", "~", "123", "1e3", "0x1F", "2024-01-01",
			"-", "- a", "a: b", "a #b", "#", "&a", "*a", "!a", "@acme/db", "%x", "|", ">", "[", "{a}", "back\\slash", "tab\there", "line\nbreak", "del\x7f", "nel\u0085", "\u2028", "", " ", "<<", "=", "name",
		} {
			value, err := hosts.Render(h, hosts.RunEntry(`C:\Program Files\mcpm.exe`, name, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, before := range []string{"", string(hosts.Example(h))} {
				after, undo, err := h.Insert([]byte(before), name, value)
				if err != nil {
					t.Errorf("%s %q: %v", id, name, err)
					continue
				}
				entries, err := h.Entries(after)
				if err != nil {
					t.Fatal(err)
				}
				want := []string{`C:\Program Files\mcpm.exe`, "run", name, name}
				if diff := cmp.Diff(want, hosts.Runs(h, entries[name])); diff != "" {
					t.Errorf("%s %q:\n%s\n%s", id, name, after, diff)
				}
				back, err := h.Remove(after, name, undo, true)
				if err != nil || string(back) != before {
					t.Errorf("%s %q: %v\n%s", id, name, err, back)
				}
			}
		}
	}
}

// A text that does not hold the entry comes back as it is.
func TestRemoveNothing(t *testing.T) {
	for _, h := range hosts.All() {
		for _, text := range []string{"", "\n", string(hosts.Example(h))} {
			got, err := h.Remove([]byte(text), "no-such", hosts.Undo{}, true)
			if err != nil || string(got) != text {
				t.Errorf("%s: %q became %q (%v)", h.ID, text, got, err)
			}
		}
	}
}

// Merge keeps what is a person's and brings back what is ours.
func TestMerge(t *testing.T) {
	for _, tt := range []struct{ host, have, entry, want string }{
		{"cursor", `{"command":"old","args":["run","x"]}`, "", `{"command":"mcpm","args":["run","@acme/db"]}`},
		{"cline", `{"autoApprove":[],"command":"mcpm","disabled":true}`, "", `{"command":"mcpm","args":["run","@acme/db"],"autoApprove":[],"disabled":true}`},
		{"goose", `{"name":"db","enabled":false,"timeout":5,"cmd":"old","envs":{"A":"1","MCPM_HOME":"/old"}}`, "/m",
			`{"type":"stdio","cmd":"mcpm","args":["run","@acme/db"],"enabled":false,"timeout":5,"envs":{"A":"1","MCPM_HOME":"/m"},"name":"db"}`},
		{"copilot-cli", `{"tools":["one"]}`, "", `{"type":"local","command":"mcpm","args":["run","@acme/db"],"tools":["one"]}`},
		{"cursor", `"text"`, "", `{"command":"mcpm","args":["run","@acme/db"]}`},
	} {
		h := host(t, tt.host)
		e := hosts.RunEntry("mcpm", "@acme/db")
		if tt.entry != "" {
			e.Env = map[string]string{"MCPM_HOME": tt.entry}
		}
		value, err := hosts.Render(h, e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := hosts.Merge(h, json.RawMessage(tt.have), value)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.host, err, got, tt.want)
		}
	}
}

func fuzzFormat(f *testing.F, ids ...string) {
	for _, id := range ids {
		files, err := filepath.Glob("testdata/" + id + "/*.txtar")
		if err != nil || len(files) == 0 {
			f.Fatal(id, err)
		}
		for _, file := range files {
			f.Add(string(readFixture(f, file).before), "db")
		}
	}
	for _, tt := range refused {
		f.Add(tt.text, "db")
	}
	f.Fuzz(func(t *testing.T, before, name string) {
		for _, id := range ids {
			h := host(t, id)
			value, err := hosts.Render(h, hosts.RunEntry("mcpm", name))
			if err != nil {
				t.Fatal(err)
			}
			after, undo, err := h.Insert([]byte(before), name, value)
			if err != nil {
				if k := hub.KindOf(err); k != hub.Invalid && k != hub.Exists {
					t.Fatalf("%q: kind %v: %v", before, k, err)
				}
				continue
			}
			entries, err := h.Entries(after)
			if err != nil || len(hosts.Runs(h, entries[strings.ToValidUTF8(name, "\uFFFD")])) != 3 {
				t.Fatalf("insert made %q: %v", after, err)
			}
			got, err := h.Remove(after, name, undo, true)
			if err != nil || string(got) != before {
				t.Fatalf("%q became %q (%v)", before, got, err)
			}
		}
	})
}

func FuzzJSON(f *testing.F) { fuzzFormat(f, "cursor", "vscode", "amp") }
func FuzzYAML(f *testing.F) { fuzzFormat(f, "goose", "continue") }
func FuzzTOML(f *testing.F) { fuzzFormat(f, "codex", "mistral-vibe") }
