package serverjson

import (
	"maps"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

var (
	urlRE      = lazyregexp.New(`^https?://[^\s]+$`)
	templateRE = lazyregexp.New(`\{([^}]+)\}`)
	portRE     = lazyregexp.New(`:\{[^}]+\}(/|$)`)
	schemeRE   = lazyregexp.New(`^\{[^}]+\}://`)
)

func (c *checker) packageTransport(path string, t *model.Transport, available []string) {
	switch t.Type {
	case model.TransportTypeStdio:
		if t.URL != "" {
			c.semantic(path+".url", "stdio-transport-url-not-empty", "a stdio transport has no url, but %s is given", jsonc.Quote(t.URL))
		}
	case model.TransportTypeStreamableHTTP, model.TransportTypeSSE:
		c.transportURL(path, t, available)
	case "":
		c.schema(path+".type", "transport-type-required", "a package needs a transport with a type: stdio, streamable-http or sse")
	default:
		c.semantic(path+".type", "unsupported-transport-type", "the transport %s is not one of stdio, streamable-http, sse", jsonc.Quote(t.Type))
	}
}

func (c *checker) remote(path string, t *model.Transport) {
	if t.Type != model.TransportTypeStreamableHTTP && t.Type != model.TransportTypeSSE {
		c.semantic(path+".type", "unsupported-remote-transport-type", "the transport %s of a remote is neither streamable-http nor sse", jsonc.Quote(t.Type))
		return
	}
	c.variables(path, t.Variables)
	if !c.transportURL(path, t, slices.Sorted(maps.Keys(t.Variables))) {
		return
	}
	u, err := url.Parse(filled(t.URL))
	if err != nil {
		return // transportURL reported it
	}
	host := u.Hostname()
	switch {
	case host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".localhost"):
		c.semantic(path+".url", "invalid-remote-url", "the URL of a remote cannot be on this machine (%s)", host)
	case u.Scheme != "https":
		c.semantic(path+".url", "invalid-remote-url", "the URL of a remote must start with https://, not %s://", u.Scheme)
	}
}

// transportURL checks url and headers of a transport over HTTP and reports whether the URL is good.
func (c *checker) transportURL(path string, t *model.Transport, available []string) bool {
	for i := range t.Headers {
		c.keyValue(jsonc.Index(path+".headers", i), &t.Headers[i])
	}
	at := path + ".url"
	if t.URL == "" {
		c.semantic(at, "transport-url-required", "a %s transport needs a url", t.Type)
		return false
	}
	u, err := url.Parse(filled(t.URL))
	if err != nil || u.Host == "" || !urlRE.MatchString(filled(t.URL)) {
		c.semantic(at, "invalid-transport-url", "%s is not an http or https URL", jsonc.Quote(t.URL))
		return false
	}
	if u.User != nil {
		c.semantic(at, "url-userinfo", "a URL must not hold a user name or password; use a header")
		return false
	}
	for _, name := range templateVariables(t.URL) {
		if !slices.Contains(available, name) {
			sort.Strings(available)
			c.semantic(at, "invalid-templated-url", "the URL uses {%s}, which is not declared; declared are: %s", name, orNone(available))
			return false
		}
	}
	return true
}

func (c *checker) plainURL(path, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		c.semantic(path, "invalid-url", "%s is not an http or https URL", jsonc.Quote(s))
	case u.User != nil:
		c.semantic(path, "url-userinfo", "a URL must not hold a user name or password")
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func templateVariables(s string) []string {
	var out []string
	for _, m := range templateRE.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

// filled puts harmless values where a URL has template variables, so that its shape can be checked.
func filled(s string) string {
	s = schemeRE.ReplaceAllString(s, "https://")
	s = portRE.ReplaceAllString(s, ":8080$1")
	return templateRE.ReplaceAllString(s, "placeholder")
}

// packageVariables are the names that the URL of a package's transport may use.
func packageVariables(p *model.Package) []string {
	var out []string
	for _, e := range p.EnvironmentVariables {
		out = append(out, e.Name)
	}
	for _, a := range slices.Concat(p.RuntimeArguments, p.PackageArguments) {
		for _, s := range []string{a.Name, a.ValueHint} {
			if s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}
