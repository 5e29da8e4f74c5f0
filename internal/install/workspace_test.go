package install_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

const sharedLock = `{
  "lockfileVersion": 1,
  "servers": {
    "@acme/db": {
      "manifest": "` + digest + `",
      "registry": "https://hub.example.com",
      "version": "1.2.0"
    },
    "@acme/tickets": {
      "dependencies": {
        "@acme/db": "^1"
      },
      "manifest": "` + digest + `",
      "members": [
        ".",
        "servers/web"
      ],
      "registry": "https://hub.example.com",
      "version": "1.0.0"
    },
    "@acme/weather": {
      "manifest": "` + digest + `",
      "members": [
        "servers/jobs"
      ],
      "registry": "https://hub.example.com",
      "version": "3.0.0"
    }
  }
}
`

// TestSharedLock guards: a member has the lockfile of its workspace, and of that what it asks for with what that needs; the
// file is written as it was read.
func TestSharedLock(t *testing.T) {
	root := t.TempDir()
	web := filepath.Join(root, "servers", "web")
	if err := os.MkdirAll(filepath.Join(web, "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(root, "mcp.json"), `{"workspaces": ["servers/*"]}`)
	put(filepath.Join(web, "mcp.json"), `{}`)
	p, err := install.OpenProject(filepath.Join(web, "deep"))
	if err != nil || p != (install.Project{Dir: web, Root: root}) || p.Member() != "servers/web" || p.Lock() != filepath.Join(root, install.LockFile) {
		t.Fatalf("%+v %v", p, err)
	}
	put(p.OwnLock(), strings.ReplaceAll(sharedLock, "@acme/db", "@acme/old"))
	if l, err := install.ReadLock(p); err != nil || l.Servers["acme/old"] == nil {
		t.Errorf("before the workspace has one, the member's own counts: %v", err)
	}
	put(p.Lock(), sharedLock)
	l, err := install.ReadLock(p)
	if err != nil || !slices.Equal(l.Names(), []hub.Name{"acme/db", "acme/tickets"}) {
		t.Errorf("%v %v", l.Names(), err)
	}
	whole, err := install.ReadLock(p.Owner())
	if err != nil || len(whole.Servers) != 3 {
		t.Fatal(whole, err)
	}
	if got, err := whole.Bytes(); err != nil || string(got) != sharedLock {
		t.Errorf("written again it is\n%s", got)
	}
	put(filepath.Join(root, "mcp.json"), `{"workspaces": ["servers/*"`)
	if _, err := install.OpenProject(web); hub.KindOf(err) == "" {
		t.Errorf("a broken root: %v", err)
	}
}

// TestMemberSettings guards against dependency confusion: what the root of a workspace maps to a hub is looked up there by
// its members, too.
func TestMemberSettings(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"mcp.json": `{"workspaces": ["servers/*"]}`, ".mcpmrc": `{"@acme:registry": "https://inner.acme.example", "registry": "https://hub.acme.example"}`,
		"servers/web/mcp.json": `{}`, "servers/web/.mcpmrc": `{"registry": "https://web.acme.example"}`,
	} {
		write(t, filepath.Join(root, filepath.FromSlash(name)), text)
	}
	s, err := install.LoadSettings(t.TempDir(), filepath.Join(root, "servers", "web"), func(string) string { return "" })
	if err != nil || s.RegistryFor("acme/db") != "https://inner.acme.example" || s.RegistryFor("other/db") != "https://web.acme.example" {
		t.Errorf("%+v %v", s, err)
	}
}
