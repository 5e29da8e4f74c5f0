package hosts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Entry is one server as a host has to start or reach it: Command for a local one, URL for a remote one.
type Entry struct {
	Command   string
	Args      []string
	Env       map[string]string
	Transport string // of a remote one: streamable-http (default) or sse
	URL       string
	Headers   map[string]string
}

// RunEntry is the entry for a server that mcpm starts: command is mcpm's path, or just "mcpm".
func RunEntry(command, name string, more ...string) Entry {
	return Entry{Command: command, Args: append([]string{"run", name}, more...)}
}

// shape is how a host spells a server. Members are written in the order of the fields.
type shape struct {
	kind    string            // member that tells how a server is reached; "" is "type"
	stdio   string            // its value for a local server, "" for none
	command string            // "" is "command"
	joined  bool              // command and arguments are one list
	env     string            // "" is "env"
	remote  map[string]remote // by transport; nil: no remote servers
	headers string            // "" is "headers"; a dot goes one object down
	always  []member          // what every entry ends with
}

// remote is how a host spells one transport.
type remote struct {
	kind string // value of the member kind, "" for none
	url  string // name of the member with the address
}

// member is one of an object; the file has them in this order.
type member struct {
	name  string
	value any
}

// gemini tells the transports apart by the member that has the address.
var gemini = map[string]remote{"streamable-http": {url: "httpUrl"}, "sse": {url: "url"}}

// typed is the shape of hosts that name the transport.
func typed(http, sse string) map[string]remote {
	return map[string]remote{"streamable-http": {http, "url"}, "sse": {sse, "url"}}
}

// untyped is the shape of hosts that find the transport out.
func untyped(url string) map[string]remote {
	return map[string]remote{"streamable-http": {url: url}, "sse": {url: url}}
}

// Render returns the JSON value that stands for the entry in the host's file, compact. Invalid when the
// host's file cannot name a remote server and the entry is one.
func Render(h Host, e Entry) (json.RawMessage, error) {
	s := h.shape
	kind := cmp.Or(s.kind, "type")
	var out []member
	if e.URL != "" {
		transport := cmp.Or(e.Transport, "streamable-http")
		r, ok := s.remote[transport]
		if !ok {
			return nil, hub.Errorf(hub.Invalid, "%s cannot name a remote server (%s) in its configuration file", h.Name, transport).
				WithHint("let mcpm bridge it: {\"command\": \"mcpm\", \"args\": [\"run\", \"NAME\"]}")
		}
		out = []member{{kind, r.kind}, {r.url, e.URL}}
		name, under, nested := strings.Cut(cmp.Or(s.headers, "headers"), ".")
		switch {
		case len(e.Headers) > 0 && nested:
			out = append(out, member{name, map[string]any{under: e.Headers}})
		default:
			out = append(out, member{name, e.Headers})
		}
	} else {
		out = []member{{kind, s.stdio}}
		if s.joined {
			out = append(out, member{cmp.Or(s.command, "command"), append([]string{e.Command}, e.Args...)})
		} else {
			out = append(out, member{cmp.Or(s.command, "command"), e.Command}, member{"args", e.Args})
		}
		out = append(out, member{cmp.Or(s.env, "env"), e.Env})
	}
	out = append(out, s.always...)
	return object(slices.DeleteFunc(out, func(m member) bool {
		v := reflect.ValueOf(m.value)
		return v.Kind() != reflect.Bool && (v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 || v.Kind() == reflect.Map && v.Len() == 0)
	}))
}

// object writes members in their order.
func object(members []member) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range members {
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name, err := marshal(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Runs returns the command line of an entry of the host's file, nil for one that starts nothing.
func Runs(h Host, value json.RawMessage) []string {
	var all map[string]json.RawMessage
	if json.Unmarshal(value, &all) != nil {
		return nil
	}
	var args []string
	command := all[cmp.Or(h.shape.command, "command")]
	if json.Unmarshal(command, &args) == nil { // command and arguments in one list
		return args
	}
	var first string
	if json.Unmarshal(command, &first) != nil {
		return nil
	}
	_ = json.Unmarshal(all["args"], &args) // arguments of another type are none
	return append([]string{first}, args...)
}

// Merge returns the entry want with what a person added to the one there is: members that want does not
// have, variables of its own, and whether it is switched on.
func Merge(h Host, have, want json.RawMessage) (json.RawMessage, error) {
	var old, next map[string]json.RawMessage
	if err := json.Unmarshal(have, &old); err != nil {
		return want, nil // it is no object: nothing to keep
	}
	if err := json.Unmarshal(want, &next); err != nil {
		return nil, err
	}
	names, err := memberNames(want)
	if err != nil {
		return nil, err
	}
	envName := cmp.Or(h.shape.env, "env")
	env := map[string]string{}
	_ = json.Unmarshal(old[envName], &env) // variables of another type are none
	maps.DeleteFunc(env, func(k, _ string) bool { return strings.HasPrefix(k, "MCPM_") })
	_ = json.Unmarshal(next[envName], &env) // ours win; there may be none
	var out []member
	for _, name := range names {
		switch {
		case name == envName:
		case old[name] != nil && (name == "enabled" || name == "disabled" || name == "timeout" || name == "tools"):
			out = append(out, member{name, old[name]})
		default:
			out = append(out, member{name, next[name]})
		}
	}
	if len(env) > 0 || old[envName] != nil {
		out = append(out, member{envName, env})
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if next[name] == nil && name != envName {
			out = append(out, member{name, old[name]})
		}
	}
	return object(out)
}

// memberNames returns the names of an object's members in their order.
func memberNames(object json.RawMessage) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil { // "{"
		return nil, err
	}
	var names []string
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return nil, err
		}
		name, _ := t.(string)
		names = append(names, name)
	}
	return names, nil
}

// File returns a whole file of the host that holds just the given entries, indented by two spaces, with
// a newline at the end. Names are in the order given.
func File(h Host, names []string, entries map[string]Entry) ([]byte, error) {
	var text []byte
	for _, name := range names {
		value, err := Render(h, entries[name])
		if err != nil {
			return nil, err
		}
		if text, _, err = h.Insert(text, name, value); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// Example returns a whole file with one local and, where the host can, one remote server.
func Example(h Host) []byte {
	names := []string{"weather"}
	entries := map[string]Entry{"weather": RunEntry("mcpm", "@acme/weather")}
	if h.Remote() {
		names = append(names, "tickets")
		entries["tickets"] = Entry{URL: "https://mcp.example.com/mcp", Headers: map[string]string{"Authorization": "Bearer TOKEN"}}
	}
	text, err := File(h, names, entries)
	if err != nil {
		panic("hosts: Example: " + err.Error()) // every row of the table is rendered by a test
	}
	return text
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "<" and "&" in arguments stay readable
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
