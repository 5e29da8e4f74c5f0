package hub_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

func TestParseSpec(t *testing.T) {
	for _, tt := range []struct {
		key, value string
		want       hub.Spec
		id         hub.Name
	}{
		{"@acme/db", "^1", hub.Spec{Name: "acme/db", Range: "^1"}, "acme/db"},
		{"io.github.x/db", "", hub.Spec{Name: "io.github.x/db"}, "io.github.x/db"},
		{"db2", "mcpm:@acme/db@^1", hub.Spec{Alias: "db2", Name: "acme/db", Range: "^1"}, "db2"},
		{"db2", "mcpm:@acme/db", hub.Spec{Alias: "db2", Name: "acme/db"}, "db2"},
		{"db2", " mcpm:io.github.x/db@>=1 <2", hub.Spec{Alias: "db2", Name: "io.github.x/db", Range: ">=1 <2"}, "db2"},
		{"db2", "mcpm:io.github.x/db", hub.Spec{Alias: "db2", Name: "io.github.x/db"}, "db2"},
	} {
		got, err := hub.ParseSpec(tt.key, tt.value)
		if err != nil || got != tt.want || got.ID() != tt.id {
			t.Errorf("%s: %s: %+v (%s) %v", tt.key, tt.value, got, got.ID(), err)
		}
	}
	for _, bad := range [][2]string{{"db2", "^1"}, {"@acme/db", "mcpm:@acme/db@1"}, {"db 2", "mcpm:@acme/db@1"}, {"db2", "mcpm:"}, {"db2", "mcpm:db@1"},
		{"db2", "mcpm:mcpm:@acme/db"}, {"db2", "mcpm:@acme/db@mcpm:@acme/x"}, {"../x", "mcpm:@acme/db"}, {"", "mcpm:@acme/db"}, {strings.Repeat("a", 101), "mcpm:@acme/db"}} {
		if _, err := hub.ParseSpec(bad[0], bad[1]); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q: %q was read: %v", bad[0], bad[1], err)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, s := range [][2]string{{"@acme/db", "^1"}, {"db2", "mcpm:@acme/db@^1"}, {"db2", "mcpm:io.github.x/db@>=1 <2"}, {"", "mcpm:"}, {"x", "mcpm:@@@"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		s, err := hub.ParseSpec(key, value)
		if err != nil {
			if hub.KindOf(err) != hub.Invalid {
				t.Errorf("%q: %q: %v", key, value, err)
			}
			return
		}
		if again, err := hub.ParseSpec(key, s.Value()); err != nil || again != s {
			t.Errorf("%q: %q: written as %q, read as %+v: %v", key, value, s.Value(), again, err)
		}
		if s.Alias != "" && (strings.Contains(s.Alias, "/") || s.Alias != key) {
			t.Errorf("%q: %q: alias %q", key, value, s.Alias)
		}
		if n, err := hub.ParseMirrorName(s.Name.String()); err != nil || n != s.Name {
			t.Errorf("%q: %q: name %q: %v", key, value, s.Name, err)
		}
	})
}
