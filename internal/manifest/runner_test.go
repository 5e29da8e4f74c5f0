package manifest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

func TestRunnerOf(t *testing.T) {
	for line, want := range map[string]manifest.Runner{
		"npx -y x":                          {Type: "npm", Name: "x", Args: []string{}},
		"npx -y @a/x@1.2.3 --stdio":         {Type: "npm", Name: "@a/x", Version: "1.2.3", Args: []string{"--stdio"}},
		"npx x@latest -y":                   {Type: "npm", Name: "x", Args: []string{"-y"}},
		"npx -y --package=x@1.0.0 y z":      {Type: "npm", Name: "x", Version: "1.0.0", Command: "y", Args: []string{"z"}},
		"npx -p x -- y":                     {Type: "npm", Name: "x", Command: "y", Args: []string{}},
		"npx --registry=https://n.test x":   {Type: "npm", Name: "x", Registry: "https://n.test", Args: []string{}},
		"uvx x==1.0 a":                      {Type: "pypi", Name: "x", Version: "1.0", Args: []string{"a"}},
		"uvx --from x[cli]==1.0 y":          {Type: "pypi", Name: "x", Extras: "[cli]", Version: "1.0", Command: "y", Args: []string{}},
		"uvx --with six --with=a,b x":       {Type: "pypi", Name: "x", With: []string{"six", "a", "b"}, Args: []string{}},
		"uvx -p 3.12 x":                     {Type: "pypi", Name: "x", Python: "3.12", Args: []string{}},
		"uv tool run --default-index u x@2": {Type: "pypi", Name: "x", Version: "2", Registry: "u", Args: []string{}},
	} {
		words := strings.Fields(line)
		got, ok, err := manifest.RunnerOf(words[0], words[1:])
		if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
			t.Errorf("%s: %v %v\n%s", line, ok, err, diff)
		}
	}
	for _, line := range []string{"npx", "npx -y", "npx --call x", "npx -p a -p b c", "npx -p", "npx ./x", "npx git+https://x.test/y", "uvx git+https://x.test/y", "uvx --from", "uvx a b==c"} {
		words := strings.Fields(line)
		if _, ok, err := manifest.RunnerOf(words[0], words[1:]); line != "uvx a b==c" && (!ok || hub.KindOf(err) != hub.Invalid) {
			t.Errorf("%s: %v %v", line, ok, err)
		}
	}
	for _, line := range []string{"node x.js", "docker run x", "uv run x"} {
		words := strings.Fields(line)
		if _, ok, _ := manifest.RunnerOf(words[0], words[1:]); ok {
			t.Errorf("%s is a runner", line)
		}
	}
}
