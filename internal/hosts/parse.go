package hosts

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Parse reads an entry of the host's file: the reverse of Render, and lenient as people are. An address counts
// under any of the names that hosts use. Values that are no strings are spelled as JSON. Invalid when it is no
// object, or when its command or arguments are of another type.
func Parse(h Host, value json.RawMessage) (Entry, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(value, &all); err != nil {
		return Entry{}, hub.Errorf(hub.Invalid, "an entry is not an object")
	}
	e := Entry{Env: texts(all[cmp.Or(h.shape.env, "env")])}
	if len(e.Env) == 0 {
		e.Env = texts(all["env"])
	}
	name, under, nested := strings.Cut(cmp.Or(h.shape.headers, "headers"), ".")
	e.Headers = texts(all[name])
	if nested {
		var outer map[string]json.RawMessage
		_ = json.Unmarshal(all[name], &outer) // none there are none
		e.Headers = texts(outer[under])
	}
	for _, name := range addresses(h) {
		if json.Unmarshal(all[name], &e.URL) == nil && e.URL != "" {
			return e, nil
		}
	}
	command := all[cmp.Or(h.shape.command, "command")]
	if command == nil {
		command = all["command"]
	}
	if command == nil {
		return e, nil
	}
	if json.Unmarshal(command, &e.Args) == nil { // command and arguments in one list
		if len(e.Args) > 0 {
			e.Command, e.Args = e.Args[0], e.Args[1:]
		}
		return e, nil
	}
	if json.Unmarshal(command, &e.Command) != nil {
		return Entry{}, hub.Errorf(hub.Invalid, "the command of an entry is not a text")
	}
	if raw := all["args"]; raw != nil && json.Unmarshal(raw, &e.Args) != nil {
		return Entry{}, hub.Errorf(hub.Invalid, "the arguments of an entry are not a list of texts")
	}
	return e, nil
}

// addresses are the members that may hold the address, the host's own first.
func addresses(h Host) []string {
	names := []string{}
	for _, transport := range slices.Sorted(maps.Keys(h.shape.remote)) {
		names = append(names, h.shape.remote[transport].url)
	}
	return append(names, "url", "serverUrl", "httpUrl", "uri")
}

// texts reads an object of strings.
func texts(raw json.RawMessage) map[string]string {
	var all map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range all {
		var s string
		switch {
		case json.Unmarshal(v, &s) == nil:
			out[k] = s
		case string(v) != "null":
			out[k] = string(v)
		}
	}
	return out
}

// Replaced returns what stays of a person's entry when mcpm's takes its place: whether it is switched on, time
// limits and the like, and the variables that keep does not refuse. How the server was started or reached goes.
func Replaced(h Host, value json.RawMessage, keep func(variable string) bool) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(value, &all); err != nil {
		return nil, hub.Errorf(hub.Invalid, "an entry is not an object")
	}
	env := cmp.Or(h.shape.env, "env")
	headers, _, _ := strings.Cut(cmp.Or(h.shape.headers, "headers"), ".")
	variables := texts(all[env])
	maps.DeleteFunc(variables, func(k, _ string) bool { return !keep(k) })
	gone := append(addresses(h), "command", cmp.Or(h.shape.command, "command"), "args", "type", "transport", cmp.Or(h.shape.kind, "type"), "headers", headers, "env", env, "envFile", "env_keys", "cwd")
	for _, name := range gone {
		delete(all, name)
	}
	if len(variables) > 0 {
		raw, err := marshal(variables)
		if err != nil {
			return nil, err
		}
		all[env] = raw
	}
	return marshal(all)
}
