package install_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

func TestLoadSettings(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	write(t, filepath.Join(home, ".mcpmrc"), `{
		// at work
		"registry": "https://hub.acme.example/",
		"authToken": "mcph_user",
		"@acme:registry": "https://inner.acme.example",
		"analytics": false,
		"laterVersion": {"any": ["thing"]},
	}`)
	vars := map[string]string{}
	load := func() *install.Settings {
		t.Helper()
		s, err := install.LoadSettings(home, project, func(k string) string { return vars[k] })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := load()
	if s.Registry != "https://hub.acme.example" || s.Analytics || s.TokenFor("https://hub.acme.example") != "mcph_user" {
		t.Errorf("%+v", s)
	}
	if got := s.RegistryFor("acme/db"); got != "https://inner.acme.example" {
		t.Errorf("@acme is looked up at %s", got)
	}
	if got := s.RegistryFor("other/db"); got != "https://hub.acme.example" {
		t.Errorf("@other is looked up at %s", got)
	}

	// Nothing is told without the user's own word: not by default, and not because a project says so.
	write(t, filepath.Join(project, ".mcpmrc"), `{"analytics": true}`)
	if s = load(); s.Analytics || s.From("analytics") != filepath.Join(home, ".mcpmrc") {
		t.Errorf("a project turned analytics on: %+v", s)
	}
	if s, err := install.LoadSettings(t.TempDir(), t.TempDir(), func(string) string { return "" }); err != nil || s.Analytics {
		t.Errorf("analytics is on by default: %+v %v", s, err)
	}

	// A project may name another hub; it does not get the user's token.
	write(t, filepath.Join(project, ".mcpmrc"), `{"registry": "https://evil.example"}`)
	s = load()
	if s.Registry != "https://evil.example" || s.TokenFor("https://evil.example") != "" || s.TokenFor("https://hub.acme.example") != "mcph_user" {
		t.Errorf("%+v gives evil %q", s, s.TokenFor("https://evil.example"))
	}
	vars["MCPM_TOKEN"] = "mcph_ci" // as in CI on a stranger's change
	if s = load(); s.TokenFor("https://evil.example") != "" || s.TokenFor("https://hub.acme.example") != "mcph_ci" {
		t.Errorf("MCPM_TOKEN goes to the hub a project names: %+v", s)
	}
	vars["MCPM_REGISTRY"], vars["MCPM_TOKEN"], vars["MCPM_ANALYTICS"] = "http://localhost:1", "mcph_env", "1"
	s = load()
	if s.Registry != "http://localhost:1" || s.TokenFor("http://localhost:1") != "mcph_env" || !s.Analytics || s.From("registry") != "MCPM_REGISTRY" {
		t.Errorf("%+v", s)
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"authToken": "mcph_x"}`)
	_, err := install.LoadSettings(home, project, func(string) string { return "" })
	if hub.KindOf(err) != hub.Forbidden {
		t.Errorf("a token in a project's file: %v", err)
	}
}

// What a project's file may say about downloads and notices: less than the user, never more.
func TestProjectSwitches(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	load := func() (*install.Settings, error) {
		return install.LoadSettings(home, project, func(string) string { return "" })
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"updateNotice": true}`)
	write(t, filepath.Join(home, ".mcpmrc"), `{"updateNotice": false, "privateDownloads": true}`)
	if s, err := load(); err != nil || s.UpdateNotice || !s.PrivateDownloads {
		t.Errorf("%+v %v", s, err)
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"updateNotice": false}`)
	write(t, filepath.Join(home, ".mcpmrc"), `{}`)
	if s, err := load(); err != nil || s.UpdateNotice || s.PrivateDownloads {
		t.Errorf("%+v %v", s, err)
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"privateDownloads": true}`)
	if _, err := load(); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("private downloads in a project's file: %v", err)
	}
}

// TestContained guards: who wants containers gets them, a project cannot take them away, and does not choose the image.
func TestContained(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	load := func() (*install.Settings, error) {
		return install.LoadSettings(home, project, func(string) string { return "" })
	}
	image := "images.example/node@sha256:" + strings.Repeat("0a", 32)
	write(t, filepath.Join(home, ".mcpmrc"), `{"sandbox": "container", "runtimeImage.node": "`+image+`"}`)
	write(t, filepath.Join(project, ".mcpmrc"), `{"sandbox": true}`)
	if s, err := load(); err != nil || !s.Sandbox || !s.Contained || s.RuntimeImages["node"] != image {
		t.Errorf("%+v %v", s, err)
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"runtimeImage.node": "`+image+`"}`)
	if _, err := load(); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("an image in a project's file: %v", err)
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"sandbox": "container"}`)
	write(t, filepath.Join(home, ".mcpmrc"), `{"sandbox": true}`)
	if s, err := load(); err != nil || !s.Sandbox || !s.Contained {
		t.Errorf("%+v %v", s, err)
	}
}

func TestParseRCRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{`, `.mcpmrc is not JSON: line 1, column 2: parsing value: unexpected EOF`},
		{`[]`, `.mcpmrc must hold one JSON object`},
		{`null`, `.mcpmrc must hold one JSON object`},
		{`{"registry": 1}`, `.mcpmrc: "registry" must be a string`},
		{`{"registry": "hub.example.com"}`, `.mcpmrc: registry "hub.example.com" is not an http or https URL`},
		{`{"registry": "https://u:p@hub.example.com"}`, `.mcpmrc: registry "https://u:p@hub.example.com" is not an http or https URL`},
		{`{"defaultTransport": "tcp"}`, `.mcpmrc: defaultTransport "tcp" is none of stdio, streamable-http, sse`},
		{`{"dockerRuntime": "lxc"}`, `.mcpmrc: dockerRuntime "lxc" is none of docker, podman`},
		{`{"sandbox": "docker"}`, `.mcpmrc: sandbox "docker" is none of true, false, 1, 0, container`},
		{`{"runtimeImage.node": "node:22"}`, `.mcpmrc: runtimeImage.node "node:22" does not name an image by its digest`},
		{`{"runtimeImage.python": "a/../b@sha256:` + strings.Repeat("a", 64) + `"}`, `.mcpmrc: runtimeImage.python "a/../b@sha256:` + strings.Repeat("a", 64) + `" does not name an image by its digest`},
		{`{"analytics": "maybe"}`, `.mcpmrc: analytics "maybe" is none of true, false, 1, 0`},
		{`{"authToken": "a b"}`, `.mcpmrc: authToken holds white space`},
		{`{"@A b:registry": "https://x.example"}`, `.mcpmrc: "@A b:registry": namespace "@A b": a scope of a-z, 0-9 and single hyphens (2 to 39 characters), or a reverse domain name`},
	} {
		_, err := install.ParseRC([]byte(tt.text), ".mcpmrc")
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func FuzzRC(f *testing.F) {
	f.Add([]byte(`{"registry": "https://hub.example.com", "@acme:registry": "http://localhost:1/x", "analytics": true,}`))
	f.Add([]byte(`{"authToken": "x", "dockerRuntime": "podman", "defaultTransport": "sse"} // end`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := install.ParseRC(data, ".mcpmrc"); err != nil && hub.KindOf(err) == "" {
			t.Errorf("an error without a kind: %v", err)
		}
	})
}

func TestFindProject(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := install.FindProject(deep); got.Dir != deep {
		t.Errorf("without an mcp.json: %s", got.Dir)
	}
	write(t, filepath.Join(root, "mcp.json"), "{}")
	if got := install.FindProject(deep); got.Dir != root {
		t.Errorf("with one above: %s", got.Dir)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "link.json")
	write(t, real, "old")
	if err := os.Chmod(real, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.json", link); err != nil {
		t.Skip(err)
	}
	if err := install.WriteFile(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	data, _ := os.ReadFile(real)
	if info, _ := os.Stat(real); string(data) != "new" || info.Mode().Perm() != 0o640 {
		t.Errorf("%q %v", data, info.Mode())
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if diff := cmp.Diff([]string(nil), left); diff != "" {
		t.Errorf("temporary files are left: %v", left)
	}
}

// A key that means nothing is told, with what may have been meant; those of a project's file too.
func TestUnknownSettings(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	write(t, filepath.Join(home, ".mcpmrc"), `{"regsitry": "https://hub.acme.example", "later": {"a": 1}, "registry": "https://hub.acme.example"}`)
	write(t, filepath.Join(project, ".mcpmrc"), `{"@acme:registy": "https://hub.acme.example", "@acme:registry": "https://hub.acme.example"}`)
	s, err := install.LoadSettings(home, project, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		home + `/.mcpmrc: "later" is no setting`,
		home + `/.mcpmrc: "regsitry" is no setting; did you mean "registry"?`,
		project + `/.mcpmrc: "@acme:registy" is no setting; did you mean "@acme:registry"?`,
	}
	if !slices.Equal(s.Unknown, want) {
		t.Errorf("%q", s.Unknown)
	}
}
