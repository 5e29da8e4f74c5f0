// Package images moves container images for mcpm: from registries into the engine of this machine, and from a project
// to a hub. Hubs are registries too, and what mcpm login keeps is what it signs in with there.
package images

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/mcphub/mcphub/internal/hub"
)

// user is who mcpm is to a hub's registry: the password says who it really is.
const user = "mcpm"

// Access is how registries of images are reached.
type Access struct {
	Hubs  []string // addresses of the hubs that the person uses
	Token func(ctx context.Context, hub string) (string, error)
	HTTP  http.RoundTripper
}

// hubAt returns the hub whose registry is at a host, "" when it is none of them.
func (a Access) hubAt(host string) string {
	for _, h := range a.Hubs {
		if strings.EqualFold(HostOf(h), host) {
			return h
		}
	}
	return ""
}

// HostOf returns the registry of images that is at a hub's address: its host, with the port unless it is the usual one.
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if u.Scheme == "https" {
		return strings.TrimSuffix(u.Host, ":443")
	}
	return strings.TrimSuffix(u.Host, ":80")
}

// Password returns what the person signs in with at the registry of a host: "" when it is no hub's, or nobody is signed in
// there.
func (a Access) Password(ctx context.Context, host string) string {
	h := a.hubAt(host)
	if h == "" {
		return ""
	}
	token, err := a.Token(ctx, h)
	if err != nil {
		return "" // what everybody may have is had all the same, and the rest is refused by the hub
	}
	return token
}

// Resolve implements authn.Keychain.
func (a Access) Resolve(r authn.Resource) (authn.Authenticator, error) {
	return a.ResolveContext(context.Background(), r)
}

// ResolveContext implements authn.ContextKeychain: a hub gets what mcpm login keeps, any other registry what docker login
// left.
func (a Access) ResolveContext(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	if secret := a.Password(ctx, r.RegistryStr()); secret != "" {
		return &authn.Basic{Username: user, Password: secret}, nil
	}
	return authn.Resolve(ctx, authn.DefaultKeychain, r)
}

// RoundTrip implements http.RoundTripper. A hub that is reached by TLS is never asked without it: clients of registries
// fall back to plain HTTP at local addresses, and would hand over the login.
func (a Access) RoundTrip(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(strings.TrimSuffix(r.URL.Host, ":80"))
	secure := func(h string) bool { return strings.HasPrefix(h, "https://") && strings.ToLower(HostOf(h)) == host }
	if r.URL.Scheme == "http" && slices.ContainsFunc(a.Hubs, secure) {
		return nil, hub.Errorf(hub.Unavailable, "the hub at https://%s is not asked without TLS", host)
	}
	return a.HTTP.RoundTrip(r)
}
