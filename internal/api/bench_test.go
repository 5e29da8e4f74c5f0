package api_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/mcphub/mcphub/internal/api"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

// BenchmarkPublish is one publish without a bundle: authorized, checked, through all stages, durable.
func BenchmarkPublish(b *testing.B) {
	h := newHub(b, nil)
	actor := hub.System("bench")
	for i := 0; b.Loop(); i++ {
		manifest := fmt.Appendf(nil, `{"$schema": %q, "name": "io.github.acme/weather-%d", "version": "1.0.0", "description": "Tells the weather.",
			"packages": [{"registryType": "npm", "identifier": "@acme/weather", "version": "1.0.0", "transport": {"type": "stdio"}}]}`, schemaURL, i)
		if _, err := h.registry.Publish(b.Context(), actor, registry.Publish{Format: hub.FormatServer, Manifest: manifest}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublishHTTP is the same through the door: a connection, a token, the official API.
func BenchmarkPublishHTTP(b *testing.B) {
	h := newHub(b, nil)
	token := h.anonymousToken()
	for i := 0; b.Loop(); i++ {
		h.do("POST", "/v0.1/publish", token, serverJSON(fmt.Sprintf("%sweather-%d", anonymous, i), "1.0.0")).want(b, 200)
	}
}

// BenchmarkKeptAnswer is a read that is answered from memory, without the network.
func BenchmarkKeptAnswer(b *testing.B) {
	h := newHub(b, func(c *api.Config) { c.RateLimit = 1 << 30 })
	token := h.anonymousToken()
	h.do("POST", "/v0.1/publish", token, serverJSON(anonymous+"weather", "1.0.0")).want(b, 200)
	req := httptest.NewRequest("GET", "/v0.1/servers/io.modelcontextprotocol.anonymous%2Fweather/versions/latest", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.server.Config.Handler.ServeHTTP(w, req)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
