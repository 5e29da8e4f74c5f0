package export

import (
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/mcphub/mcphub/internal/hub"
)

// TestServiceName: no two services are called alike, whatever aliases a project has.
func TestServiceName(t *testing.T) {
	var taken yaml.MapSlice
	for _, tt := range []struct {
		name hub.Name
		want string
	}{{"acme/db", "db"}, {"other/db", "other-db"}, {"db", "db-2"}, {"other-db", "other-db-2"}, {"other/db", "db-3"}} {
		got := serviceName(tt.name, taken)
		if got != tt.want {
			t.Errorf("%s is %q, want %q", tt.name, got, tt.want)
		}
		taken = append(taken, yaml.MapItem{Key: got})
	}
}
