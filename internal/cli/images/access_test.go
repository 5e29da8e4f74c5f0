package images_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/mcphub/mcphub/internal/cli/images"
)

// TestAccess guards: what mcpm login keeps goes to the hub's own registry and to no other, not even at another port, and
// never without TLS where the hub has it.
func TestAccess(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer s.Close()
	plain := strings.TrimPrefix(s.URL, "http://")
	access := images.Access{
		Hubs: []string{"https://hub.example.com", "https://127.0.0.1:1", s.URL, "https://ended.example.com:8443"}, HTTP: http.DefaultTransport,
		Token: func(_ context.Context, at string) (string, error) {
			if strings.Contains(at, "ended") {
				return "", errors.New("the login has ended")
			}
			return "token of " + at, nil
		},
	}
	for host, want := range map[string]string{
		"hub.example.com": "token of https://hub.example.com", plain: "token of " + s.URL, "hub.example.com:8443": "", "evil.example.com": "",
		"ended.example.com:8443": "", "ended.example.com": "",
	} {
		r, err := name.NewRegistry(host)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := access.ResolveContext(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := auth.Authorization()
		if err != nil || got.Password != want {
			t.Errorf("%s gets %q, want %q (%v)", host, got.Password, want, err)
		}
	}
	for url, ok := range map[string]bool{s.URL: true, "http://127.0.0.1:1/v2/": false, "http://hub.example.com/v2/": false, "http://hub.example.com:80/v2/": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := access.RoundTrip(r)
		if err == nil {
			res.Body.Close()
		}
		if ok != (err == nil) || !ok && !strings.Contains(err.Error(), "without TLS") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if asked != 1 {
		t.Errorf("%d requests were sent, want 1", asked)
	}
}
