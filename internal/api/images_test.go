package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/api"
	"github.com/mcphub/mcphub/internal/hub"
)

// TestImagesGetWhatWasSent: HEAD stays HEAD, a slash at the end stays, and limits answer in the registry's own form.
func TestImagesGetWhatWasSent(t *testing.T) {
	var seen []string
	h := newHub(t, func(c *api.Config) {
		c.RateLimit, c.BaseURL, c.Prefix = 4, "http://hub.example.com/hub", "/hub"
		c.Images = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Method+" "+r.URL.Path)
			if r.URL.Path == "/v2/panic" {
				panic("test")
			}
			_, _ = io.WriteString(w, "images")
		})
	})
	send := func(method, path string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+path, nil)
		must(t, err)
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s has no request id", method, path)
		}
		return resp.StatusCode, string(body)
	}
	send(http.MethodHead, "/v2/acme/db/blobs/x")
	send(http.MethodGet, "/hub/v2/")
	send(http.MethodPatch, "/v2/acme/db/blobs/uploads/")
	if status, body := send(http.MethodGet, "/v2/panic"); status != http.StatusInternalServerError || !strings.Contains(body, `"code":"UNKNOWN"`) {
		t.Errorf("a panic: %d %s", status, body)
	}
	if status, body := send(http.MethodGet, "/v2/"); status != http.StatusTooManyRequests || !strings.Contains(body, `"code":"TOOMANYREQUESTS"`) {
		t.Errorf("over the limit: %d %s", status, body)
	}
	if got := strings.Join(seen, ", "); got != "HEAD /v2/acme/db/blobs/x, GET /v2/, PATCH /v2/acme/db/blobs/uploads/, GET /v2/panic" {
		t.Errorf("seen: %s", got)
	}
}

func TestImageUsageIsForOwners(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	if r := h.do(http.MethodGet, "/api/v1/namespaces/acme/images", token, nil); r.StatusCode != http.StatusOK || !strings.Contains(string(r.body), `"quota":10`) {
		t.Errorf("the owner: %d %s", r.StatusCode, r.body)
	}
	if r := h.do(http.MethodGet, "/api/v1/namespaces/other/images", token, nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("another's namespace: %d %s", r.StatusCode, r.body)
	}
	if r := h.do(http.MethodGet, "/api/v1/namespaces/acme/images", "", nil); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: %d %s", r.StatusCode, r.body)
	}
}
