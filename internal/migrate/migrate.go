// Package migrate reads what a person has set up with other tools: the files of host applications, mcpm.sh,
// getmcpm, Docker's MCP profiles and ToolHive, and Smithery's entries among them. It says of each server which
// package, image, address or name it is, or why that cannot be told. The files are hostile: sizes and counts
// are limited, YAML aliases are not followed, nothing is run and no file is opened here.
package migrate

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// The limits of one file.
const (
	MaxFile    = 4 << 20 // bytes; files of host applications may be larger
	MaxServers = 500
	maxWords   = 256
	maxWord    = 32 << 10
)

// Remote and Name are kinds of servers beside the registry types npm, pypi and oci.
const (
	Remote = "remote" // Identifier is an address
	Name   = "name"   // Identifier is a name in the official registry or in Docker's catalogue
)

// Server is one server of a file.
type Server struct {
	Key    string   // what the file calls it
	Groups []string // profiles or groups it is in

	Kind       string // npm, pypi, oci, Remote or Name; "" when Why says why not
	Identifier string // package, image without tag and digest, address without query, or name
	Version    string // that is asked for; "" for any
	Why        string // why it cannot be looked up, a sentence

	Command   string // as the file starts it
	Args      []string
	Env       map[string]string // values; those the application fills in are in Elsewhere
	Headers   map[string]string
	Query     string   // of the address, kept apart: keys travel in it
	Elsewhere []string // names whose values are kept by the other tool
	Ours      bool     // mcpm's own entry; Identifier is the server's name
}

// fail makes a server that cannot be looked up.
func (s *Server) fail(why string) { s.Kind, s.Identifier, s.Why = "", "", why }

// FromHost reads the file of a host application, sorted by name.
func FromHost(h hosts.Host, text []byte) ([]Server, error) {
	entries, err := h.Entries(text)
	if err != nil {
		return nil, err
	}
	if err := few(len(entries)); err != nil {
		return nil, err
	}
	var out []Server
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e, err := hosts.Parse(h, entries[key])
		if err != nil {
			out = append(out, Server{Key: key, Why: "its entry is not of the form " + h.Name + " uses"})
			continue
		}
		out = append(out, fromEntry(key, e))
	}
	return out, nil
}

func few(n int) error {
	if n > MaxServers {
		return hub.Errorf(hub.TooLarge, "it holds %d servers; at most %d are read", n, MaxServers)
	}
	return nil
}

// fromEntry says what an entry starts or reaches.
func fromEntry(key string, e hosts.Entry) Server {
	s := Server{Key: key, Command: e.Command, Args: e.Args}
	words := append([]string{e.Command, e.URL}, e.Args...)
	for _, m := range []map[string]string{e.Env, e.Headers} {
		for k, v := range m {
			words = append(words, k, v)
		}
	}
	if len(words) > maxWords || slices.ContainsFunc(words, func(w string) bool { return len(w) > maxWord || strings.ContainsRune(w, 0) }) {
		return Server{Key: key, Why: "its entry is too large to be one"}
	}
	s.Env, s.Elsewhere = given(e.Env)
	var away []string
	s.Headers, away = given(e.Headers)
	s.Elsewhere = append(s.Elsewhere, away...)
	if e.URL != "" {
		s.reach(e.URL)
		return s
	}
	s.start()
	return s
}

// given parts values from those that the application fills in, such as ${input:token}.
func given(all map[string]string) (values map[string]string, elsewhere []string) {
	values = map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if filledIn(all[k]) {
			elsewhere = append(elsewhere, k)
		} else {
			values[k] = all[k]
		}
	}
	return values, elsewhere
}

func filledIn(s string) bool { return strings.Contains(s, "${") }

// reach reads an address. What could be a key in it is taken out.
func (s *Server) reach(address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		s.fail("its address is no http or https URL")
		return
	}
	switch host := u.Hostname(); {
	case filledIn(address):
		s.fail("its address is filled in by the application")
	case host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1" || host == "host.docker.internal":
		s.fail("it is reached on this machine (" + u.Host + "); what runs there is not told")
	case u.User != nil:
		s.fail("its address holds a password")
	default:
		s.Kind, s.Query = Remote, u.RawQuery
		u.RawQuery, u.Fragment = "", ""
		s.Identifier = Address(u.String())
	}
}

// Address brings an address into the form in which two of them are compared.
func Address(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	u.Scheme, u.Host, u.Path = strings.ToLower(u.Scheme), strings.ToLower(u.Host), strings.TrimRight(u.Path, "/")
	return u.String()
}

// Secret reports whether a value is one that nobody else should read: by its name, or by its form.
func Secret(name, value string) bool {
	return manifest.LooksSecret(name) || bundle.FindSecret(value) != ""
}
