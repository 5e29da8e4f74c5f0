package cli_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestToolsLocked guards: the tools that the lockfile names are those of the locked manifest, or nothing goes on.
func TestToolsLocked(t *testing.T) {
	w := newWorld(t)
	w.hub.add(t, clock(t, "1.0.0", `["now"]`), nil)
	w.mcpm("install", "@acme/clock", "--yes", "--no-hosts")
	lock := w.read("shop/mcpm-lock.json")
	changed := regexp.MustCompile(`"tools": "sha256:..`).ReplaceAllString(lock, `"tools": "sha256:zz`)
	if changed == lock {
		t.Fatal(lock)
	}
	w.write("shop/mcpm-lock.json", changed)
	for _, verb := range []string{"run @acme/clock", "ci", "ci --offline"} {
		if code, _, errw := w.mcpm(strings.Fields(verb)...); code != 6 || !strings.Contains(errw, "@acme/clock 1.0.0") || !strings.Contains(errw, "its tools are not those that the lockfile names") {
			t.Errorf("%s: exit %d, %s", verb, code, errw)
		}
	}
}

// TestInitNotBuilt guards: what node starts is named as a file of the bundle before it is there, too.
func TestInitNotBuilt(t *testing.T) {
	w := newWorld(t)
	_, out, errw := w.mcpm("init", "--yes", "--dry-run", "--name", "@acme/weather", "--description", "Weather for all", "--command", "node dist/index.js --config none.js")
	if !strings.Contains(out, `"${bundle}/dist/index.js"`) || !strings.Contains(out, `"none.js"`) {
		t.Errorf("%s%s", out, errw)
	}
}
