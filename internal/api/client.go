package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// proxies are the networks of the proxies whose word about a client's address is believed.
type proxies []netip.Prefix

// parseProxies reads networks and single addresses.
func parseProxies(list []string) (proxies, error) {
	var out proxies
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, aerr := netip.ParseAddr(text)
			if aerr != nil {
				return nil, hub.Errorf(hub.Invalid, "trusted proxies: %q is no network", text).WithHint("give networks, such as 10.0.0.0/8").WithCause(err)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}

func (p proxies) trust(addr netip.Addr) bool {
	for _, n := range p {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns who is calling, for limits and logs: the peer of the connection or, when that is a trusted
// proxy, the last address in X-Forwarded-For that is none. What a proxy of ours did not write is never believed.
func (p proxies) client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if len(p) == 0 {
		return host
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !p.trust(addr.Unmap()) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return host // nobody can say what stands before a broken entry
		}
		if host = hop.Unmap().String(); !p.trust(hop.Unmap()) {
			return host
		}
	}
	return host
}

// network is what counts as one address: an IPv6 host has a whole /64 to itself.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ip
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
