package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnrestrict: only where the setting is on is a profile what helps.
func TestUnrestrict(t *testing.T) {
	file := filepath.Join(t.TempDir(), "setting")
	if got := unrestrict(file); got != "" {
		t.Errorf("without the setting: %q", got)
	}
	for text, want := range map[string]bool{"0\n": false, "1\n": true, "": false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := unrestrict(file); strings.Contains(got, "AppArmor") != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
