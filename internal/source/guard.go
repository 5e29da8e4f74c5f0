package source

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// GuardOptions tune NewClient. The zero value is the safe one.
type GuardOptions struct {
	AllowPrivate bool          // let the client reach this machine and its networks; for the operator to say
	Timeout      time.Duration // of a whole request with its body; default one minute
	UserAgent    string        // sent when a request has none

	// Proxy says through which proxy a request goes, nil for none, as [http.ProxyFromEnvironment] does; nil for never. It
	// is for a person's own machine, whose settings are trusted: the proxy itself may be anywhere. What is asked for is
	// checked before, as far as its name has addresses here.
	Proxy func(*http.Request) (*url.URL, error)

	// Resolve turns a host name into addresses; default the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// MaxRedirects is how many redirects a guarded client follows.
const MaxRedirects = 5

// NewClient returns the HTTP client for every request to an address that somebody else chose. A host name
// is resolved once, all its addresses are checked, and one of those is dialled, so that a name cannot
// change its meaning in between. Loopback, private, link-local, shared (CGNAT), multicast, reserved and
// IPv4-carrying IPv6 addresses are refused with Forbidden unless AllowPrivate is set. At most five
// redirects are followed, each checked in the same way and none from https to http. Proxies are not used but for
// opts.Proxy: only they know in the end which address a name has.
func NewClient(opts GuardOptions) *http.Client {
	g := &guard{opts: opts, dialer: &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}}
	if g.opts.Timeout <= 0 {
		g.opts.Timeout = time.Minute
	}
	if g.opts.Resolve == nil {
		g.opts.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &http.Client{
		Timeout:       g.opts.Timeout,
		CheckRedirect: checkRedirect,
		Transport: userAgent{opts.UserAgent, g.through(&http.Transport{
			Proxy: proxyOf, DialContext: g.dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second, IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 4,
			MaxResponseHeaderBytes: 256 << 10,
		})},
	}
}

type guard struct {
	opts   GuardOptions
	dialer *net.Dialer
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ctx.Value(proxyKey{}) != nil { // then address is the proxy's
		return g.dialer.DialContext(ctx, network, address)
	}
	addrs, err := g.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	var last error
	for _, a := range addrs {
		conn, err := g.dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// addresses returns the addresses of a host, all of them allowed. One bad address condemns the name: an
// honest host has no reason to list one.
func (g *guard) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, literal)
	} else if addrs, err = g.opts.Resolve(ctx, host); err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	if g.opts.AllowPrivate {
		return addrs, nil
	}
	for _, a := range addrs {
		if why := forbidden(a); why != "" {
			return nil, hub.Errorf(hub.Forbidden, "the host %q has the address %s, which is %s", host, a, why).
				WithHint("an operator can allow private addresses for this hub")
		}
	}
	return addrs, nil
}

// special lists the ranges that the methods of netip.Addr do not know.
var special = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by a carrier"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("::/96"), "an IPv4 address in IPv6"},
	{netip.MustParsePrefix("64:ff9b::/96"), "an IPv4 address in IPv6"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "an IPv4 address in IPv6"},
	{netip.MustParsePrefix("2002::/16"), "an IPv4 address in IPv6"},
	{netip.MustParsePrefix("2001::/32"), "an IPv4 address in IPv6"},
	{netip.MustParsePrefix("100::/64"), "reserved"},
	{netip.MustParsePrefix("2001:10::/28"), "reserved"},
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation"},
	{netip.MustParsePrefix("fec0::/10"), "private"},
}

// forbidden says why an address must not be called, or "".
func forbidden(a netip.Addr) string {
	switch {
	case a.Zone() != "":
		return "local to an interface"
	case a.Is4In6():
		if why := forbidden(a.Unmap()); why != "" {
			return why
		}
		return "an IPv4 address in IPv6"
	case a.IsLoopback():
		return "this machine"
	case a.IsUnspecified():
		return "no address at all"
	case a.IsPrivate():
		return "private"
	case a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast(), a.IsInterfaceLocalMulticast():
		return "link-local"
	case a.IsMulticast():
		return "multicast"
	}
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.why
		}
	}
	return ""
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > MaxRedirects:
		return hub.Errorf(hub.Unavailable, "%s redirects more than %d times", via[0].URL.Redacted(), MaxRedirects)
	case req.URL.Scheme != "https" && req.URL.Scheme != "http":
		return hub.Errorf(hub.Forbidden, "%s redirects to %s:, which is not followed", via[0].URL.Redacted(), req.URL.Scheme)
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return hub.Errorf(hub.Forbidden, "%s redirects from https to http", via[0].URL.Redacted())
	}
	return nil
}

type userAgent struct {
	name string
	next http.RoundTripper
}

func (u userAgent) RoundTrip(req *http.Request) (*http.Response, error) {
	if u.name != "" && req.Header.Get("User-Agent") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", u.name)
	}
	return u.next.RoundTrip(req)
}

// ReadLimited reads r to its end. TooLarge when it holds more than limit bytes; what names it in the message.
func ReadLimited(r io.Reader, limit int64, what string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	if int64(len(data)) > limit {
		return nil, hub.Errorf(hub.TooLarge, "%s has more than %d bytes", what, limit)
	}
	return data, nil
}
