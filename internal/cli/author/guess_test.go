package author

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGuess(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  guessed
	}{
		"nothing": {},
		"a program of npm": {
			files: map[string]string{"package.json": `{"name":"@acme/weather","version":"1.4.2","license":"MIT","bin":{"weather":"./dist/main.js"}}`, "dist/main.js": ""},
			want:  guessed{Name: "@acme/weather", Version: "1.4.2", License: "MIT", Main: "node ${bundle}/dist/main.js"},
		},
		"two programs, and a main": {
			files: map[string]string{"package.json": `{"bin":{"a":"a.js","b":"b.js"},"main":"index.js"}`, "a.js": "", "b.js": "", "index.js": ""},
			want:  guessed{Main: "node ${bundle}/index.js"},
		},
		"a program that is not built yet": {files: map[string]string{"package.json": `{"bin":"dist/main.js"}`}},
		"a program elsewhere":             {files: map[string]string{"package.json": `{"bin":"../other/main.js"}`}},
		"a broken package.json": {
			files: map[string]string{"package.json": `{`, "pyproject.toml": "[project]\nname = \"weather\"\nversion = \"2.0.0\"\nlicense = \"MIT\"\n"},
			want:  guessed{Name: "weather", Version: "2.0.0", License: "MIT"},
		},
		"a licence that is a file": {
			files: map[string]string{"pyproject.toml": "[project]\nname = \"weather\"\nlicense = {file = \"LICENSE\"}\n"},
			want:  guessed{Name: "weather"},
		},
		"a broken pyproject.toml": {files: map[string]string{"pyproject.toml": "[project"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range test.files {
				path := filepath.Join(dir, filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := guess(dir); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
