package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// ask is one thing a server asks for, in a sentence.
type ask struct{ Icon, Text string }

// asksOf says in plain words what a manifest asks for. What is not declared is not said.
func asksOf(m *manifest.Manifest) []ask {
	var out []ask
	add := func(icon, format string, args ...any) { out = append(out, ask{icon, fmt.Sprintf(format, args...)}) }
	for _, host := range remoteHosts(m) {
		text := "It runs at %s: what your assistant sends to it leaves your machine."
		if hub.Loopback(host) {
			text = "It is reached at %s, on your own machine: whatever listens there gets what your assistant sends."
		}
		add("globe", text, host)
	}
	secrets := map[string]bool{}
	for _, in := range inputsOf(m) {
		if in.Secret {
			secrets[in.Name] = true
		}
	}
	if p := m.Permissions; p != nil {
		if p.Network != nil {
			if len(p.Network.Outbound) == 0 {
				add("globe", "It opens no connections.")
			} else {
				add("globe", "It may open connections to %s only.", list(p.Network.Outbound))
			}
		}
		for _, f := range p.Filesystem {
			word := "read"
			if f.Access == "write" {
				word = "read and change"
			}
			add("folder", "It may %s files under %s.", word, f.Path)
		}
		if len(p.Environment) > 0 {
			add("terminal", "It may read the environment variables %s.", list(p.Environment))
		}
		for _, s := range p.Secrets {
			secrets[s] = true
		}
		if p.Subprocess {
			add("cpu", "It may start other programs.")
		}
		if text := limits(p.Resources); text != "" {
			add("gauge", "It asks for at most %s.", text)
		}
	}
	if len(secrets) > 0 {
		add("key-round", "It wants the secrets %s.", list(slices.Sorted(maps.Keys(secrets))))
	}
	return out
}

// list joins words as people do.
func list(words []string) string {
	switch n := len(words); {
	case n == 0:
		return "nothing"
	case n == 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

func limits(r *manifest.ResourceLimits) string {
	if r == nil {
		return ""
	}
	var parts []string
	if r.Memory != "" {
		parts = append(parts, r.Memory+" of memory")
	}
	if r.CPUs > 0 {
		parts = append(parts, fmt.Sprintf("%g CPUs", r.CPUs))
	}
	if r.Pids > 0 {
		parts = append(parts, fmt.Sprintf("%d processes", r.Pids))
	}
	if len(parts) == 0 {
		return ""
	}
	return list(parts)
}

// remoteHosts returns the hosts a server is reached at, when that is the only way to use it.
func remoteHosts(m *manifest.Manifest) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		spec := m.Servers[key]
		address := spec.URL
		if spec.Remote != nil {
			address = spec.Remote.URL
		}
		u, err := url.Parse(address)
		if err == nil && u.Host != "" && !slices.Contains(out, u.Host) {
			out = append(out, u.Host)
		}
	}
	return out
}

// input is one value that a person has to or may give.
type input struct {
	Name, Where, Type, Meaning, Default string
	Choices                             []string
	Required, Secret                    bool
}

// inputsOf gathers the values a manifest asks for: its configuration, and what its packages and remotes name.
func inputsOf(m *manifest.Manifest) []input {
	var out []input
	seen := map[string]bool{}
	add := func(in input) {
		if in.Name == "" || seen[in.Name] {
			return
		}
		seen[in.Name] = true
		if in.Type == "" {
			in.Type = "string"
		}
		out = append(out, in)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Configuration)) {
		in := m.Configuration[name]
		add(input{Name: name, Where: "configuration", Type: in.Type, Meaning: in.Description, Default: in.Default, Choices: in.Choices, Required: in.Required, Secret: in.Secret})
	}
	from := func(where, name string, in model.InputWithVariables) {
		if in.Value == "" || len(in.Variables) == 0 {
			if in.Value == "" {
				add(input{name, where, string(in.Format), in.Description, in.Default, in.Choices, in.IsRequired, in.IsSecret})
			}
			return
		}
		for _, v := range slices.Sorted(maps.Keys(in.Variables)) {
			x := in.Variables[v]
			add(input{v, where + " " + name, string(x.Format), x.Description, x.Default, x.Choices, x.IsRequired, x.IsSecret})
		}
	}
	transport := func(t model.Transport) {
		for _, h := range t.Headers {
			from("header", h.Name, h.InputWithVariables)
		}
		for _, v := range slices.Sorted(maps.Keys(t.Variables)) {
			x := t.Variables[v]
			add(input{v, "address", string(x.Format), x.Description, x.Default, x.Choices, x.IsRequired, x.IsSecret})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		spec := m.Servers[key]
		if p := spec.Package; p != nil {
			for _, e := range p.EnvironmentVariables {
				from("environment variable", e.Name, e.InputWithVariables)
			}
			for _, a := range slices.Concat(p.RuntimeArguments, p.PackageArguments) {
				name := a.Name
				if name == "" {
					name = a.ValueHint
				}
				from("argument", name, a.InputWithVariables)
			}
			transport(p.Transport)
		}
		if spec.Remote != nil {
			transport(*spec.Remote)
		}
	}
	return out
}

// way is one way to start or reach a server.
type way struct{ Key, Kind, What, Transport string }

func waysOf(m *manifest.Manifest) []way {
	var out []way
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		spec := m.Servers[key]
		w := way{Key: key, Transport: spec.Transport}
		switch {
		case spec.Package != nil:
			w.Kind, w.What, w.Transport = spec.Package.RegistryType, spec.Package.Identifier, spec.Package.Transport.Type
			if spec.Package.Version != "" {
				w.What += " " + spec.Package.Version
			}
		case spec.Remote != nil:
			w.Kind, w.What, w.Transport = "remote", spec.Remote.URL, spec.Remote.Type
		case spec.URL != "":
			w.Kind, w.What = "remote", spec.URL
		default:
			w.Kind, w.What = "command", strings.Join(append([]string{spec.Command}, spec.Args...), " ")
		}
		if w.Transport == "" {
			w.Transport = "stdio"
		}
		out = append(out, w)
	}
	return out
}

// installLink returns the link with which a host application takes an entry over, and what it says.
func installLink(h hosts.Host, key string, e hosts.Entry) (button, link string) {
	config := map[string]any{"command": e.Command, "args": e.Args}
	switch h.ID {
	case "vscode":
		config["name"] = key
		b, err := json.Marshal(config)
		if err != nil {
			return "", ""
		}
		return "Add to VS Code", "vscode:mcp/install?" + url.PathEscape(string(b))
	case "cursor":
		b, err := json.Marshal(config)
		if err != nil {
			return "", ""
		}
		return "Add to Cursor", "cursor://anysphere.cursor-deeplink/mcp/install?name=" + url.QueryEscape(key) + "&config=" + url.QueryEscape(base64.StdEncoding.EncodeToString(b))
	}
	return "", ""
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	r := []rune(s)
	if first := string(r[0]); !strings.ContainsAny(first, "@") && !strings.HasPrefix(s, "io.") && !strings.HasPrefix(s, "mcp") {
		s = strings.ToUpper(first) + string(r[1:])
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}
