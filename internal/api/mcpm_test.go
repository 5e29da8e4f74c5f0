package api_test

import (
	"testing"

	"github.com/mcphub/mcphub/internal/api"
)

func TestMcpm(t *testing.T) {
	h := newHub(t, func(c *api.Config) { c.Mcpm = "1.4.2" })
	got := h.do("GET", "/api/v1/mcpm", "", nil).want(t, 200)
	if string(got.body) != `{"version":"1.4.2","page":"http://hub.example.com/start"}`+"\n" || got.Header.Get("Cache-Control") != "public, max-age=3600" {
		t.Errorf("%s %v", got.body, got.Header)
	}
	newHub(t, nil).do("GET", "/api/v1/mcpm", "", nil).want(t, 404)
}
