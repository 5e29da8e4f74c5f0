package capability_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/capability"
)

func TestFingerprint(t *testing.T) {
	tools := []hub.Capability{
		{Type: hub.Tool, Name: "b", Description: "x", Schema: []byte(`{"type":"object","a":1}`)},
		{Type: hub.Tool, Name: "a"}, {Type: hub.Prompt, Name: "p"},
	}
	same := []hub.Capability{tools[1], {Type: hub.Tool, Name: "b", Description: "x", Schema: []byte(`{ "a": 1, "type": "object" }`)}}
	other := []hub.Capability{tools[1], {Type: hub.Tool, Name: "b", Description: "y", Schema: tools[0].Schema}}
	if a, b := capability.Fingerprint(tools), capability.Fingerprint(same); a != b || !strings.HasPrefix(a, "sha256:") {
		t.Errorf("%s and %s should be the same", a, b)
	}
	if capability.Fingerprint(tools) == capability.Fingerprint(other) {
		t.Error("a changed description has the same fingerprint")
	}
	if got := capability.Fingerprint(tools[2:]); got != "" {
		t.Errorf("no tools: %q", got)
	}
}
