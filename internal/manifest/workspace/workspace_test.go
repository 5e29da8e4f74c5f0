package workspace_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

func TestFind(t *testing.T) {
	tree := fstest.MapFS{}
	for _, f := range []string{"mcp.json", "servers/a/mcp.json", "servers/b/mcp.json", "servers/b/deep/mcp.json", "servers/empty/x", "tools/x/y/mcp.json",
		"servers/node_modules/mcp.json", "servers/dir/mcp.json/x"} {
		tree[f] = &fstest.MapFile{Data: []byte("{}")}
	}
	for _, tt := range []struct {
		patterns string
		want     string
	}{
		{"servers/*", "servers/a servers/b"},
		{"servers/* !servers/b", "servers/a"},
		{"!servers/b servers/*", "servers/a servers/b"}, // the last counts
		{"./servers/a/", "servers/a"},
		{"**", "servers/a servers/b servers/b/deep tools/x/y"},
		{"servers/** !**/deep", "servers/a servers/b"},
		{"nothing/*", ""},
	} {
		got, err := workspace.Find(tree, strings.Fields(tt.patterns), "mcp.json")
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v %v", tt.patterns, got, err)
		}
	}
	for _, bad := range []string{"", "!", "/etc/*", "../x", "a/../../x", ".", "a[", `a\b`, strings.Repeat("a/", 20), "**/**/**", strings.Repeat("a", 300)} {
		if _, err := workspace.Find(tree, []string{bad}, "mcp.json"); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q was read: %v", bad, err)
		}
	}
	if err := workspace.Check(make([]string, workspace.MaxPatterns+1)); hub.KindOf(err) != hub.Invalid {
		t.Errorf("too many patterns: %v", err)
	}
}

// A link out of the workspace, and one within it, are no members.
func TestFindFollowsNoLink(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	for _, d := range []string{filepath.Join(dir, "servers", "a"), out} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "mcp.json"), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"out": out, "in": "a"} {
		if err := os.Symlink(target, filepath.Join(dir, "servers", name)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	got, err := workspace.Find(root.FS(), []string{"servers/*"}, "mcp.json")
	if err != nil || !reflect.DeepEqual(got, []string{"servers/a"}) {
		t.Errorf("%v %v", got, err)
	}
}

func TestTooManyMembers(t *testing.T) {
	tree := fstest.MapFS{}
	for i := range workspace.MaxMembers + 1 {
		tree["s/"+strings.Repeat("a", i%30+1)+strings.Repeat("b", i/30+1)+"/mcp.json"] = &fstest.MapFile{}
	}
	if _, err := workspace.Find(tree, []string{"s/*"}, "mcp.json"); hub.KindOf(err) != hub.TooLarge {
		t.Error(err)
	}
}

func TestReal(t *testing.T) {
	for _, tt := range [][3]string{
		{"workspace:*", "1.2.0", "1.2.0"}, {"workspace:^", "1.2.0", "^1.2.0"}, {"workspace:~", "1.2.0-rc.1", "~1.2.0-rc.1"},
		{"workspace:1.2.0", "1.2.0", "1.2.0"}, {"workspace:^1", "1.2.0", "^1"}, {"workspace: >=1 <2 ", "1.2.0", ">=1 <2"}, {"^1", "9.0.0", "^1"},
	} {
		if got, err := workspace.Real(tt[0], tt[1]); err != nil || got != tt[2] {
			t.Errorf("%s of %s: %q %v", tt[0], tt[1], got, err)
		}
	}
	for _, tt := range []struct {
		rng, version string
		want         hub.Kind
	}{{"workspace:^2", "1.2.0", hub.Conflict}, {"workspace:1.2.1", "1.2.0", hub.Conflict}, {"workspace:*", "", hub.Invalid}, {"workspace:latest", "1.0.0", hub.Invalid}} {
		if got, err := workspace.Real(tt.rng, tt.version); hub.KindOf(err) != tt.want {
			t.Errorf("%s of %q: %q %v", tt.rng, tt.version, got, err)
		}
	}
}

var members = []workspace.Member{
	{Name: "acme/app", Dir: "servers/app", Version: "1.0.0", Needs: map[hub.Name]string{"acme/db": "workspace:^", "acme/log": "workspace:*"}},
	{Name: "acme/db", Dir: "servers/db", Version: "1.0.0", Needs: map[hub.Name]string{"acme/log": "workspace:*"}},
	{Name: "acme/log", Dir: "tools/log", Version: "1.0.0"},
	{Dir: "tools/unnamed"},
}

func dirs(list []workspace.Member) string {
	var out []string
	for _, m := range list {
		out = append(out, m.Dir)
	}
	return strings.Join(out, " ")
}

func TestFilter(t *testing.T) {
	for _, tt := range []struct{ filters, want string }{
		{"@acme/*", "servers/app servers/db tools/log"},
		{"./servers/*", "servers/app servers/db"},
		{"@acme/* !./servers/db", "servers/app tools/log"},
		{"!@acme/*", "tools/unnamed"},
		{"./tools/** @acme/db", "servers/db tools/log tools/unnamed"},
	} {
		got, err := workspace.Filter(members, strings.Fields(tt.filters))
		if err != nil || dirs(got) != tt.want {
			t.Errorf("%s: %s %v", tt.filters, dirs(got), err)
		}
	}
	for f, want := range map[string]hub.Kind{"@other/*": hub.NotFound, "[": hub.Invalid, "./../x": hub.Invalid, "!": hub.Invalid, "": hub.Invalid} {
		if _, err := workspace.Filter(members, []string{f}); hub.KindOf(err) != want {
			t.Errorf("%q: %v", f, err)
		}
	}
}

func TestOrder(t *testing.T) {
	got, err := workspace.Order(members)
	if err != nil || dirs(got) != "tools/log servers/db servers/app tools/unnamed" {
		t.Errorf("%s %v", dirs(got), err)
	}
	circle := []workspace.Member{{Name: "a/aa", Dir: "x", Needs: map[hub.Name]string{"b/bb": ""}}, {Name: "b/bb", Dir: "y", Needs: map[hub.Name]string{"a/aa": ""}}}
	if _, err := workspace.Order(circle); hub.KindOf(err) != hub.Conflict || !strings.Contains(err.Error(), "@a/aa needs @b/bb needs @a/aa") {
		t.Error(err)
	}
}

func TestNamed(t *testing.T) {
	for _, s := range []string{"@acme/db", "acme/db", "servers/db", "./servers/db/", "db"} {
		if m, err := workspace.Named(members, s); err != nil || m.Dir != "servers/db" {
			t.Errorf("%s: %v %v", s, m, err)
		}
	}
	if _, err := workspace.Named(members, ""); hub.KindOf(err) != hub.NotFound {
		t.Error(err)
	}
	two := []workspace.Member{{Name: "a/db", Dir: "x"}, {Name: "b/db", Dir: "y"}}
	if _, err := workspace.Named(two, "db"); hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), "@a/db and @b/db") {
		t.Errorf("two are called so: %v", err)
	}
}

// FuzzReal: what replaces a range is one that the hub reads, takes the version, and has no word of a workspace.
func FuzzReal(f *testing.F) {
	for _, s := range []string{"workspace:*", "workspace:^", "workspace:~", "workspace:1.2.0", "workspace:workspace:^", "workspace:^1 || 2", "workspace:"} {
		f.Add(s, "1.2.0")
	}
	f.Fuzz(func(t *testing.T, rng, version string) {
		if _, local := hub.LocalRange(rng); !local {
			return
		}
		got, err := workspace.Real(rng, version)
		if err != nil {
			return
		}
		if _, local := hub.LocalRange(got); local {
			t.Errorf("%q of %q is %q", rng, version, got)
		}
		if _, err := manifest.ParseRange(got); err != nil {
			t.Errorf("%q of %q is %q: %v", rng, version, got, err)
		}
	})
}

// FuzzFilter: no filter finds what is not there, and none fails but by saying so.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"@acme/*", "./servers/*", "!./**", "[", "./../..", "**"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		got, err := workspace.Filter(members, []string{filter})
		if k := hub.KindOf(err); err != nil && k != hub.Invalid && k != hub.NotFound {
			t.Errorf("%q: %v", filter, err)
		}
		if len(got) > len(members) {
			t.Errorf("%q: %s", filter, dirs(got))
		}
	})
}
