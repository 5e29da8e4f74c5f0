// Package gateway speaks MCP to servers that mcpm starts. Local hands a child process the very file
// descriptors mcpm was given, so bytes pass untouched; Bridge makes a remote server (streamable HTTP, or
// the older HTTP with SSE) look like a local one, line for line; Inspect asks a server what it offers.
package gateway

import (
	"net"
	"net/url"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox"
)

// Server is how a server is started or reached: Command for a local one, URL for a remote one.
type Server struct {
	Command string
	Args    []string
	Env     []string // the whole environment, "KEY=value"
	Dir     string   // working directory, "" for mcpm's own

	Transport string // of a remote one: streamable-http or sse
	URL       string
	Headers   map[string]string // may hold secrets; never shown

	AllowHTTP bool // let the URL be http to another machine

	// What a sandbox has to show beside what is granted: where the server's own files are, and where it keeps what it compiles.
	Reads, Writes []string

	// Sandbox, when set, is what a local server may do; Command, Args, Env and Dir are taken from above, for one in a
	// container only Args and Env.
	Sandbox *sandbox.Spec
}

// Remote reports whether the server is reached by URL.
func (s *Server) Remote() bool { return s.URL != "" }

// check refuses a remote address that cannot be used, or that would send secrets in the clear.
func (s *Server) check() (*url.URL, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, hub.Errorf(hub.Invalid, "the server's address %q is not an http or https URL", redact(s.URL))
	}
	if u.Scheme == "http" && !s.AllowHTTP && !loopback(u.Hostname()) {
		return nil, hub.Errorf(hub.Forbidden, "%s is reached over plain http; what is said there can be read and changed on the way", u.Host).
			WithHint("use https, or allow it with --allow-http")
	}
	for k, v := range s.Headers {
		if strings.ContainsAny(k+v, "\r\n") {
			return nil, hub.Errorf(hub.Invalid, "header %q holds a line break", strings.TrimSpace(k))
		}
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (ip != nil && ip.IsLoopback())
}

// redact shows a URL without its query, which often holds a key.
func redact(s string) string {
	s, _, _ = strings.Cut(s, "?")
	if u, err := url.Parse(s); err == nil {
		return u.Redacted()
	}
	return s
}
