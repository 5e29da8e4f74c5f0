package nodes

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// Target is an address of a search engine, such as opensearch://user:password@10.0.0.1:9200,10.0.0.2:9200/mcphub.
type Target struct {
	Hosts []string // each with its port
	TLS   bool     // the scheme ends with "s"
	User  *url.Userinfo
	Name  string // of what is ours in the engine
	Query url.Values
}

var nameRE = lazyregexp.New(`^[a-z][a-z0-9_-]{0,99}$`)

// ParseTarget reads an address. port is that of hosts without one, form how addresses are written. Invalid for an
// address of another form; the error does not show what may be a password.
func ParseTarget(address, port, form string) (Target, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	bad := func(format string, args ...any) (Target, error) {
		return Target{}, hub.Errorf(hub.Invalid, "the %s address %s", scheme, fmt.Sprintf(format, args...)).WithHint("write %s", form)
	}
	if !ok {
		scheme, _, _ = strings.Cut(address, ":")
		return bad("names no host")
	}
	// The hosts are taken out, since url.Parse knows only one.
	where := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		where = rest[:i]
	}
	at := strings.LastIndex(where, "@") + 1
	u, err := url.Parse("x://" + where[:at] + "host" + rest[len(where):])
	if err != nil || u.Fragment != "" {
		return bad("cannot be read")
	}
	t := Target{TLS: strings.HasSuffix(scheme, "s"), User: u.User, Name: strings.Trim(u.Path, "/"), Query: u.Query()}
	if !nameRE.MatchString(t.Name) {
		return bad("has the name %q", t.Name)
	}
	for h := range strings.SplitSeq(where[at:], ",") {
		one, err := url.Parse("x://" + h)
		if err != nil || one.Hostname() == "" || one.Host != h {
			return bad("has the host %q", h)
		}
		if one.Port() == "" {
			h = strings.TrimSuffix(h, ":") + ":" + port
		}
		t.Hosts = append(t.Hosts, h)
	}
	return t, nil
}
