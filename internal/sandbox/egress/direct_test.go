package egress

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// echo answers each line with what it was, in capitals, and says goodbye when the other side is done.
func echo(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewScanner(c); r.Scan(); {
					fmt.Fprintln(c, strings.ToUpper(r.Text()))
				}
				fmt.Fprintln(c, "bye")
			}()
		}
	}()
	return l
}

// TestDirect: what goes past the proxy reaches what a rule grants, in any protocol and to the end of both sides; the rest is
// refused as a closed port would, and told.
func TestDirect(t *testing.T) {
	server := echo(t)
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_, port, _ := net.SplitHostPort(in.Addr().String())
	rules, err := ParseRules([]string{"db.example.com:" + port, "inner.example.com:" + port})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var denials []string
	p := New(rules, Listener{Denied: func(d Denial) { mu.Lock(); denials = append(denials, d.Host+": "+d.Reason); mu.Unlock() }})
	o := &outside{names: map[string]string{"db.example.com": "93.184.215.14", "inner.example.com": "10.0.0.7"}}
	o.use(p, server.Addr().String())
	front := httptest.NewServer(p)
	defer front.Close()
	host := "db.example.com"
	d := &Direct{Proxy: netip.MustParseAddrPort(front.Listener.Addr().String()), Host: func(netip.AddrPort) string { mu.Lock(); defer mu.Unlock(); return host }}
	go d.Serve(in)
	talk := func(to string) (string, error) {
		mu.Lock()
		host = to
		mu.Unlock()
		c, err := net.Dial("tcp", in.Addr().String())
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := io.WriteString(c, "select 1\n"); err != nil {
			return "", err
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			return "", err
		}
		all, err := io.ReadAll(c)
		return string(all), err
	}
	if got, err := talk("db.example.com"); err != nil || got != "SELECT 1\nbye\n" {
		t.Errorf("granted: %q %v", got, err)
	}
	for _, to := range []string{"other.example.com", "inner.example.com", "evil\r\nHost: x"} {
		if got, err := talk(to); got != "" {
			t.Errorf("%s: %q %v", to, got, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(denials) != 2 || denials[0] != "other.example.com: "+NoRule || !strings.HasPrefix(denials[1], "inner.example.com: ") {
		t.Errorf("told of: %q", denials)
	}
	if len(o.dials) != 1 {
		t.Errorf("dialled: %q", o.dials)
	}
}
