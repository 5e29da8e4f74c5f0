package egress

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// outside is a world in which every name leads where the test says, and all public addresses are one server.
type outside struct {
	names map[string]string
	mu    sync.Mutex
	dials []string
}

func (o *outside) use(p *Proxy, server string) {
	p.up = func(*url.URL) (*url.URL, error) { return nil, nil }
	p.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		if at, ok := o.names[normal(host)]; ok {
			return []netip.Addr{netip.MustParseAddr(at)}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	p.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		o.mu.Lock()
		o.dials = append(o.dials, addr)
		o.mu.Unlock()
		return new(net.Dialer).DialContext(ctx, network, server)
	}
}

func newOutside(t *testing.T, server *httptest.Server, rules ...string) (*outside, *http.Client, func() []Denial) {
	t.Helper()
	list, err := ParseRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var denials []Denial
	p := New(list, Listener{Denied: func(d Denial) { mu.Lock(); denials = append(denials, d); mu.Unlock() }})
	o := &outside{names: map[string]string{
		"api.example.com": "93.184.215.14", "rebound.example.com": "127.0.0.1", "inner.example.com": "10.0.0.7", "metadata.example.com": "169.254.169.254",
		"six.example.com": "::ffff:192.168.1.1", "nat.example.com": "64:ff9b::a9fe:a9fe", "localhost": "127.0.0.1",
	}}
	o.use(p, server.Listener.Addr().String())
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	at, err := url.Parse(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return o, &http.Client{Transport: transport}, func() []Denial { mu.Lock(); defer mu.Unlock(); return denials }
}

// TestProxy guards: what a rule names passes, in plain and through a tunnel, to the very address that was checked; all else
// is refused with its reason and told of, however its name leads to an address that is not public.
func TestProxy(t *testing.T) {
	var host string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { host = r.Host; _, _ = io.Copy(w, r.Body) })
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	for _, c := range []struct{ url, reason string }{
		{"http://api.example.com/x", ""}, {"https://api.example.com/x", ""}, {"http://API.example.com./x", ""}, {"http://192.168.9.9:8080/x", ""}, {"http://localhost:5432/", ""},
		{"https://rebound.example.com/", "this machine"}, {"http://inner.example.com/", "private network"}, {"https://metadata.example.com/", "metadata"},
		{"https://six.example.com/", "private network"}, {"https://nat.example.com/", "not a public address"}, {"http://other.org/", "no rule"},
		{"http://169.254.169.254/latest", "metadata"}, {"http://192.168.9.9:22/", "no rule"}, {"http://localhost:22/", "no rule"}, {"http://api.example.com:8080/", "no rule"},
	} {
		server := plain
		if strings.HasPrefix(c.url, "https:") {
			server = secure
		}
		o, client, denials := newOutside(t, server, "*.example.com:80", "*.example.com:443", "192.168.9.9:8080", "localhost:5432", "169.254.169.254:80")
		res, err := client.Post(c.url, "text/plain", strings.NewReader("hello"))
		var body string
		if err == nil {
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			body = string(b)
		}
		if c.reason == "" {
			if err != nil || body != "hello" || len(o.dials) != 1 || len(denials()) > 0 || !strings.EqualFold(strings.TrimSuffix(host, "."), strings.TrimSuffix(hostOf(c.url), ".")) {
				t.Errorf("%s: %v, %q, dialled %v, host %q", c.url, err, body, o.dials, host)
			}
			continue
		}
		if d := denials(); len(o.dials) > 0 || len(d) != 1 || !strings.Contains(d[0].Reason, c.reason) || err == nil && !strings.Contains(body, c.reason) {
			t.Errorf("%s: %v, %q, dialled %v, told %v", c.url, err, body, o.dials, d)
		}
	}
}

func hostOf(text string) string { u, _ := url.Parse(text); return u.Host }

// TestRules guards: what a rule names, and what is not a rule.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		rule, host, port string
		want             bool
	}{
		{"a.com:443", "a.com", "443", true}, {"a.com:443", "A.COM.", "443", true}, {"a.com:443", "b.a.com", "443", false}, {"*.a.com:443", "b.a.com", "443", true},
		{"*.a.com:443", "c.b.a.com", "443", true}, {"*.a.com:443", "a.com", "443", false}, {"*.a.com:443", "ba.com", "443", false}, {"*.a.com:443", ".a.com", "443", false},
		{"*:443", "anything", "443", true}, {"*:443", "10.0.0.1", "443", false}, {"a.com:*", "a.com", "1", true}, {"[::1]:80", "::1", "80", true}, {"10.0.0.1:80", "10.0.0.1", "80", true},
		{"10.0.0.1:80", "::ffff:10.0.0.1", "80", true},
	} {
		r, err := ParseRule(c.rule)
		if err != nil || r.Matches(c.host, c.port) != c.want {
			t.Errorf("%s of %s:%s: %v, %v", c.rule, c.host, c.port, !c.want, err)
		}
	}
	for _, bad := range []string{"", "a.com", "a.com:", "a.com:0", "a.com:65536", "a.com:+80", "a b:1", "https://a.com:443", "a..b:1", "*.*.a:1", "[::1:80", "[fe80::1%eth0]:80", "-a.com:1", "a.com:08"} {
		if _, err := ParseRule(bad); err == nil {
			t.Errorf("%q is taken for a rule", bad)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, s := range []string{"a.com:443", "*.a.com:*", "[::1]:80", "*:1", "10.0.0.1:80"} {
		f.Add(s, "a.com")
	}
	f.Fuzz(func(t *testing.T, text, host string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		if r.Matches(host, "443") && r.addr.IsValid() {
			if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil || addr.Unmap() != r.addr {
				t.Errorf("%q lets %q pass", text, host)
			}
		}
	})
}
