package programs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// TestPython guards: the program of a package is found where the packages are now, and looks for them where it will be.
func TestPython(t *testing.T) {
	dir := t.TempDir()
	about := filepath.Join(dir, "acme_weather-1.0.0.dist-info")
	if err := os.Mkdir(about, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(about, "entry_points.txt"), []byte("[console_scripts]\nacme-weather = acme.weather:app.main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args, err := programs.Python(dir, "/app", manifest.Runner{Name: "Acme_Weather"})
	if err != nil {
		t.Fatal(err)
	}
	code := args[len(args)-1]
	for _, want := range []string{`addsitedir("/app")`, `import_module("acme.weather")`, `"app.main".split`} {
		if !strings.Contains(code, want) {
			t.Errorf("%s lacks %s", code, want)
		}
	}
	if strings.Contains(code, dir) {
		t.Errorf("%s names where the packages are now", code)
	}
	if _, err := programs.Python(dir, "/app", manifest.Runner{Name: "acme-weather", Command: "other"}); hub.KindOf(err) != hub.NotFound {
		t.Errorf("a program that is not there: %v", err)
	}
}
