package mask_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox/mask"
)

// TestMasked guards: keys are found by where and how they are kept, wherever the grant begins, and nothing else is taken away.
func TestMasked(t *testing.T) {
	home := t.TempDir()
	for _, file := range []string{"work/.env", "work/.env.local", "work/.env.example", "work/src/.env.production", "work/src/main.go", "work/node_modules/x/.env", "work/sub/.ssh/id", "work/.npmrc", ".ssh/id"} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := mask.Masked(home, []string{filepath.Join(home, "work")})
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{
		"work/.env": true, "work/.env.local": true, "work/.env.example": false, "work/src/.env.production": true, "work/src/main.go": false, "work/sub/.ssh": true, "work/.npmrc": true,
		".ssh": true, ".config/google-chrome": true, "work": false,
	} {
		if slices.Contains(got, filepath.Join(home, file)) != want {
			t.Errorf("%s: masked %v", file, !want)
		}
	}
	if _, err := mask.Masked(home, []string{filepath.Join(home, "gone")}); err == nil {
		t.Error("a directory that is gone is taken")
	}
}
