package hub_test

import (
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

func TestUnstartable(t *testing.T) {
	for _, tt := range []struct {
		types []string
		want  bool
	}{{nil, false}, {[]string{"nuget"}, true}, {[]string{"cargo", "nuget"}, true}, {[]string{"cargo", "oci"}, false}, {[]string{"mcpb"}, false}} {
		if got := (hub.LatestFacts{PackageTypes: tt.types}).Unstartable(); got != tt.want {
			t.Errorf("%v: %t", tt.types, got)
		}
	}
}
