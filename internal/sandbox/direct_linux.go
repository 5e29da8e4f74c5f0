//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
	"golang.org/x/sys/unix"
)

// usualPorts are accepted at whatever is granted, so that what is refused there is told.
var usualPorts = []int{80, 443}

// maxPorts is how many ports are accepted at.
const maxPorts = 64

// direct are the ports at which the first step accepts what goes past the proxy.
type direct struct {
	egress.Direct
	ports []net.Listener
}

// openDirect takes the ports inside that rules name, and answers look-ups with addresses that lead there. Addresses that rules
// name become the loopback device's own.
func openDirect(st *setup) (*direct, error) {
	rules, err := egress.ParseRules(st.Network)
	if err != nil {
		return nil, err
	}
	if st.names, err = lookUps(); err != nil {
		return nil, err
	}
	d := new(direct)
	own := map[uint16]bool{} // ports at which 127.0.0.1 was granted by its number
	ports := slices.DeleteFunc(slices.Clone(usualPorts), func(p int) bool { return p == st.Inside })
	var addrs []netip.Addr
	for _, r := range rules {
		if p := r.Port(); p > 0 && p != dnsPort && p != st.Inside && !slices.Contains(ports, p) && len(ports) < maxPorts {
			ports = append(ports, p)
		}
		// Nothing in a container may change its network.
		if a := r.Addr(); st.Container == nil && a.Is4() && !a.IsLoopback() && !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		} else if a.IsLoopback() {
			own[uint16(r.Port())] = true
		}
	}
	for i, a := range addrs[:min(len(addrs), maxPorts)] {
		if err := ownAddress(i, a); err != nil {
			return nil, fmt.Errorf("the address %s: %w", a, err)
		}
	}
	for _, p := range ports {
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{Port: p})
		if err != nil {
			return nil, err
		}
		d.ports = append(d.ports, l)
	}
	d.Host = func(at netip.AddrPort) string {
		host := st.names.Of(at.Addr())
		if host == at.Addr().String() && at.Addr().IsLoopback() && !own[at.Port()] {
			return "localhost"
		}
		return host
	}
	return d, nil
}

// serve begins to accept, with the proxy at an address.
func (d *direct) serve(proxy netip.AddrPort) {
	d.Proxy = proxy
	for _, l := range d.ports {
		go d.Serve(l)
	}
}

// lookUps answers look-ups inside.
func lookUps() (*trace.Names, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: dnsPort})
	if err != nil {
		return nil, err
	}
	names := new(trace.Names)
	go names.Serve(c)
	return names, nil
}

// ownAddress gives the loopback device one more address.
func ownAddress(n int, addr netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(fmt.Sprintf("lo:%d", n+1))
	if err != nil {
		return err
	}
	a := addr.As4()
	if err := ifr.SetInet4Addr(a[:]); err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, unix.SIOCSIFADDR, ifr)
}
