package source_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
)

// A person's proxy may be on this machine; what is asked for behind it may not.
func TestProxyOfThePerson(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		if r.URL.Host == "turns.example" {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
			return
		}
		io.WriteString(w, "from outside")
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	client := source.NewClient(source.GuardOptions{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if strings.HasPrefix(r.URL.Host, "direct.") {
				return nil, nil
			}
			return at, nil
		},
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "inside.example" || host == "direct.example" {
				return []netip.Addr{netip.MustParseAddr("10.0.0.8")}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
	})
	resp, err := client.Get("http://outside.example/a.mcpb")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "from outside" {
		t.Errorf("the proxy answered %q", body)
	}
	for _, url := range []string{"http://inside.example/", "http://direct.example/", "http://169.254.169.254/latest", "http://turns.example/", proxy.URL} {
		resp, err := client.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		var refused *hub.Error
		if !errors.As(err, &refused) || refused.Kind != hub.Forbidden {
			t.Errorf("%s: %v, want forbidden", url, err)
		}
	}
	if len(asked) != 2 { // outside and the one that turns
		t.Errorf("the proxy was asked for %q", asked)
	}
}
