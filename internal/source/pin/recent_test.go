package pin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/source/pin"
)

// An exact version is resolved once an hour, whatever project asks; with other settings, a tag, or nothing kept, it is
// resolved again.
func TestRecent(t *testing.T) {
	scripts := npmWrites(`"node_modules/x": {"version": "1.0.0", "integrity": "` + sri + `"}`)
	scripts["npm"] = "echo asked >> \"$FAKE/asked\"\n" + scripts["npm"]
	tools := fake(t, scripts)
	tools.Recent = filepath.Join(t.TempDir(), "resolved")
	exact := pin.Package{Type: "npm", Name: "x", Version: "1.0.0"}
	var dir string
	for _, kv := range tools.Environ {
		if v, ok := strings.CutPrefix(kv, "FAKE="); ok {
			dir = v
		}
	}
	asked := 0
	step := func(what string, tools pin.Tools, p pin.Package, asks bool) {
		t.Helper()
		d, err := tools.Resolve(t.Context(), p)
		must(t, err)
		if asks {
			asked++
		}
		text, err := os.ReadFile(filepath.Join(dir, "asked"))
		must(t, err)
		if n := strings.Count(string(text), "asked"); n != asked || d.Version != "1.0.0" {
			t.Errorf("%s: npm was asked %d times, want %d; %s", what, n, asked, d.Version)
		}
	}
	step("the first time", tools, exact, true)
	step("again", tools, exact, false)
	other := tools
	other.Environ = append(other.Environ, "npm_config_registry=https://npm.acme.example/")
	step("from another registry", other, exact, true)
	step("a tag", tools, pin.Package{Type: "npm", Name: "x", Version: "latest"}, true)
	step("the tag again", tools, pin.Package{Type: "npm", Name: "x", Version: "latest"}, true)

	kept, err := filepath.Glob(filepath.Join(tools.Recent, "*.json"))
	must(t, err)
	for _, file := range kept {
		must(t, os.WriteFile(file, []byte(`{"type":"npm","name":"y","version":"1.0.0","packages":{}}`), 0o600))
	}
	step("what is kept is damaged", tools, exact, true)
	for _, file := range kept {
		old := time.Now().Add(-2 * time.Hour)
		must(t, os.Chtimes(file, old, old))
	}
	step("what is kept is old", tools, exact, true)
}
