package confine

import (
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
)

// granted are the permissions of a server on this machine: what it asks for and what is granted, with the values filled in
// that the person gave it. What depends on a value that is not given is not granted.
func (at Machine) granted(m *manifest.Manifest, grants Grants) (manifest.Permissions, error) {
	p, err := permissions(m, grants)
	if err != nil {
		return p, err
	}
	var rules []string
	for _, rule := range p.Network.Outbound {
		text, ok := at.fill(rule)
		if !ok {
			continue
		}
		if text == rule {
			rules = append(rules, rule)
			continue
		}
		hosts, err := hostsOf(text)
		if err != nil {
			return p, hub.Errorf(hub.Invalid, "it may reach %s, and the value of that names no host and port", rule).
				WithHint("see its values with mcpm config, and allow the host yourself: mcpm allow NAME net=HOST:PORT")
		}
		rules = append(rules, hosts...)
	}
	p.Network.Outbound = rules
	var files []manifest.PathPermission
	for _, f := range p.Filesystem {
		text, ok := at.fill(f.Path)
		if !ok {
			continue
		}
		for path := range strings.Lines(text) { // an argument that may be repeated has a line for each
			path = strings.TrimSpace(path)
			if path == "" {
				continue
			}
			if text != f.Path && filepath.Clean(path) == filepath.Clean(at.Home) {
				return p, hub.Errorf(hub.Forbidden, "it may %s %s, which is all of your home", f.Access, f.Path).WithHint("give it a directory of its own")
			}
			files = append(files, manifest.PathPermission{Path: path, Access: f.Access})
		}
	}
	p.Filesystem = files
	return p, nil
}

// fill puts the values that the server is given in place of their names. It is not ok when one is not given. The places that
// mount knows stay as they are.
func (at Machine) fill(text string) (filled string, ok bool) {
	ok = true
	filled = manifest.Expand(text, func(name string) string {
		if manifest.KnownVariable(name) {
			return "${" + name + "}"
		}
		v := at.Values[name]
		if v == "" {
			ok = false
		}
		return v
	})
	return filled, ok
}

// ports are those of addresses that name none.
var ports = map[string]string{
	"http": "80", "ws": "80", "https": "443", "wss": "443", "postgres": "5432", "postgresql": "5432", "mysql": "3306", "redis": "6379", "rediss": "6379",
	"mongodb": "27017", "bolt": "7687", "bolt+s": "7687", "neo4j": "7687", "neo4j+s": "7687", "amqp": "5672", "amqps": "5671", "clickhouse": "9000",
}

// hostsOf are the rules for what a value names: an address with a scheme, of which several hosts may be part, or host:port.
func hostsOf(text string) ([]string, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		_, err := egress.ParseRule(text)
		return []string{text}, err
	}
	authority, _, _ := strings.Cut(rest, "/")
	authority, _, _ = strings.Cut(authority, "?")
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:] // a password may hold anything
	}
	var out []string
	for host := range strings.SplitSeq(authority, ",") {
		u := url.URL{Host: host}
		port := u.Port()
		if port == "" {
			port = ports[strings.ToLower(scheme)]
		}
		rule := net.JoinHostPort(u.Hostname(), port)
		if _, err := egress.ParseRule(rule); err != nil || u.Hostname() == "*" {
			return nil, hub.Errorf(hub.Invalid, "its host and port cannot be told")
		}
		if !slices.Contains(out, rule) {
			out = append(out, rule)
		}
	}
	return out, nil
}
