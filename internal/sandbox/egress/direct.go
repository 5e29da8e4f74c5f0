package egress

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Direct lets programs that know nothing of proxies reach what is granted. It stands inside of the sandbox, where every
// address that a look-up gave out leads to it, asks the proxy for the host that the address stands for, and passes on what
// comes, whatever protocol that is.
type Direct struct {
	Proxy netip.AddrPort
	Host  func(netip.AddrPort) string // the name that an address was given out for, else the address

	once  sync.Once
	slots chan struct{}
}

// Serve accepts connections until l closes.
func (d *Direct) Serve(l net.Listener) {
	d.once.Do(func() { d.slots = make(chan struct{}, maxConnections) })
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		select {
		case d.slots <- struct{}{}:
			go func() {
				defer func() { <-d.slots }()
				d.carry(near)
			}()
		default:
			reset(near)
		}
	}
}

// carry connects what was accepted with where it was meant to go.
func (d *Direct) carry(near net.Conn) {
	defer near.Close()
	at, ok := near.LocalAddr().(*net.TCPAddr)
	if !ok {
		return
	}
	target := net.JoinHostPort(d.Host(netip.AddrPortFrom(at.AddrPort().Addr().Unmap(), at.AddrPort().Port())), strconv.Itoa(at.Port))
	if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r > '~' }) { // a name can hold any byte
		reset(near)
		return
	}
	far, err := net.DialTimeout("tcp", d.Proxy.String(), dialTime)
	if err != nil {
		reset(near)
		return
	}
	defer far.Close()
	_ = far.SetDeadline(time.Now().Add(2 * dialTime))
	if _, err := fmt.Fprintf(far, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target); err != nil {
		reset(near)
		return
	}
	from := bufio.NewReader(far)
	res, err := http.ReadResponse(from, &http.Request{Method: http.MethodConnect})
	if err != nil || res.StatusCode != http.StatusOK {
		reset(near)
		return
	}
	_ = far.SetDeadline(time.Time{})
	var wg sync.WaitGroup
	wg.Go(func() { pass(far, near, near) })
	wg.Go(func() { pass(near, from, far) })
	wg.Wait()
}

// reset closes a connection in the way that a refusal looks like.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// Port is that of a rule, 0 for any.
func (r Rule) Port() int {
	n, _ := strconv.Atoi(r.port) // "*" is none
	return n
}

// Addr is the address that a rule names, the zero one when it names none.
func (r Rule) Addr() netip.Addr { return r.addr }
