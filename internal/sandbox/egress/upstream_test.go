package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestUpstream: where the environment names a proxy, what the rules let pass goes through that one, with its credentials, to
// the name; what they do not is not asked of it, and a private address is not either.
func TestUpstream(t *testing.T) {
	server := echo(t)
	var mu sync.Mutex
	var asked []string
	refuse := false
	company := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization"))
		no := refuse
		mu.Unlock()
		if no {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		far, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = near.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		go pass(far, near, near)
		pass(near, far, far)
	}))
	defer company.Close()
	at, err := url.Parse(company.URL)
	if err != nil {
		t.Fatal(err)
	}
	at.User = url.UserPassword("me", "secret")
	rules, err := ParseRules([]string{"api.example.com:443", "*:80", "10.1.2.3:443", "169.254.169.254:80"})
	if err != nil {
		t.Fatal(err)
	}
	p := New(rules, Listener{})
	p.up = func(u *url.URL) (*url.URL, error) {
		if u.Hostname() == "direct.example.com" {
			return nil, errors.New("not asked")
		}
		return at, nil
	}
	conn, err := p.reach(context.Background(), "api.example.com:443")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 6)
	if _, err := conn.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(buf); string(buf) != "HELLO\n" {
		t.Errorf("%q %v", buf, err)
	}
	conn.Close()
	for target, want := range map[string]string{"other.example.com:443": NoRule, "192.168.1.1:80": NoRule, "169.254.169.254:80": "link-local"} {
		if _, err := p.reach(context.Background(), target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", target, err, want)
		}
	}
	conn, err = p.reach(context.Background(), "10.1.2.3:443") // which a rule names
	if err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	mu.Lock()
	refuse = true
	mu.Unlock()
	if _, err := p.reach(context.Background(), "api.example.com:443"); err == nil || !strings.Contains(err.Error(), "answered 403") || strings.Contains(err.Error(), "secret") {
		t.Errorf("refused by the company: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := "CONNECT api.example.com:443 Basic bWU6c2VjcmV0"; len(asked) != 3 || asked[0] != want || asked[1] != "CONNECT 10.1.2.3:443 Basic bWU6c2VjcmV0" {
		t.Errorf("asked: %q", asked)
	}
}
