//go:build linux && (amd64 || arm64)

package trace

import (
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Names answers who looks names up by itself, in a sandbox from which no question gets out: with an address of the loopback
// device, so that the connection which follows tells the host.
type Names struct {
	mu     sync.Mutex
	saw    func(Attempt)
	names  []string
	number map[string]int
}

// firstByte and secondByte begin the addresses that are given out, which nobody uses.
const firstByte, secondByte = 127, 83

// Tell has each new name told, from one goroutine.
func (d *Names) Tell(saw func(Attempt)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saw = saw
}

func (d *Names) told() func(Attempt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.saw
}

// Serve answers on UDP (RFC 1035) until the listener closes.
func (d *Names) Serve(l net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := l.ReadFrom(buf)
		if err != nil {
			return
		}
		if out := d.reply(buf[:n]); out != nil {
			_, _ = l.WriteTo(out, from)
		}
	}
}

// reply answers the first question of a message, nil for what is none.
func (d *Names) reply(message []byte) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(message)
	if err != nil || head.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	known, ok := d.add(host)
	if saw := d.told(); saw != nil && ok && !known {
		saw(Attempt{Kind: Lookup, Host: host})
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: head.ID, Response: true, RecursionDesired: head.RecursionDesired, RecursionAvailable: true})
	if b.StartQuestions() != nil || b.Question(q) != nil || b.StartAnswers() != nil {
		return nil
	}
	if ok && q.Type == dnsmessage.TypeA {
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
		if b.AResource(h, dnsmessage.AResource{A: d.address(host)}) != nil {
			return nil
		}
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}

// add gives a name a number. It is not ok for what is no name of a host, and when there are too many.
func (d *Names) add(host string) (known, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.number[host]; known {
		return true, true
	}
	if !strings.Contains(host, ".") || strings.HasSuffix(host, ".arpa") || len(d.names) == maxNames {
		return false, false
	}
	if d.number == nil {
		d.number = map[string]int{}
	}
	d.number[host] = len(d.names)
	d.names = append(d.names, host)
	return false, true
}

func (d *Names) address(host string) [4]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.number[host] + 1
	return [4]byte{firstByte, secondByte, byte(n >> 8), byte(n)}
}

// Of returns the name for which an address was given out, else the address.
func (d *Names) Of(addr netip.Addr) string {
	if d == nil || !addr.Is4() {
		return addr.String()
	}
	b := addr.As4()
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := int(b[2])<<8 | int(b[3]); b[0] == firstByte && b[1] == secondByte && n >= 1 && n <= len(d.names) {
		return d.names[n-1]
	}
	return addr.String()
}
