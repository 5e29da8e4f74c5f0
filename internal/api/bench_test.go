package api_test

import (
	"fmt"
	"testing"

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
