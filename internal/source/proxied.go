package source

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
)

// proxyKey is where the context of a request has its proxy.
type proxyKey struct{}

// through lets requests go through the proxies of the options.
func (g *guard) through(next http.RoundTripper) http.RoundTripper {
	if g.opts.Proxy == nil {
		return next
	}
	return proxied{g, next}
}

type proxied struct {
	guard *guard
	next  http.RoundTripper
}

func (p proxied) RoundTrip(req *http.Request) (*http.Response, error) {
	proxy, err := p.guard.opts.Proxy(req)
	if err != nil {
		return nil, err
	}
	if proxy == nil {
		return p.next.RoundTrip(req)
	}
	var unknown *net.DNSError
	if _, err := p.guard.addresses(req.Context(), req.URL.Hostname()); err != nil && !errors.As(err, &unknown) {
		return nil, err // behind a proxy names of the outside often have no address
	}
	return p.next.RoundTrip(req.WithContext(context.WithValue(req.Context(), proxyKey{}, proxy)))
}

func proxyOf(req *http.Request) (*url.URL, error) {
	proxy, _ := req.Context().Value(proxyKey{}).(*url.URL)
	return proxy, nil
}
