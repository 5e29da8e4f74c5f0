package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

func load(t *testing.T, user, project, env string) (*Policy, error) {
	t.Helper()
	home, dir := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{home: user, dir: project} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(path, install.RCFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(home, install.Project{Dir: dir}, []hub.Name{"db2", "acme/db"}, func(string) string { return env })
}

func TestTool(t *testing.T) {
	p, err := load(t, `{ /* mine */ "guard": {"@acme/db": {"tools": {"drop_*": "deny", "drop_index": "allow", "*_all": "ask", "a*b*c": "deny"}}, "*": {"tools": {"*": "ask", "drop_*": "allow"}}}}`,
		`{"guard": {"db2": {"tools": {"drop_index": "ask", "query": "allow", "drop_table": "allow"}}}}`, "")
	if err != nil {
		t.Fatal(err)
	}
	for tool, want := range map[string]Action{
		"drop_table": Deny, "drop_index": Ask, "read_all": Ask, "drop_all": Deny, "query": Ask, "abc": Deny, "axxbyyc": Deny, "ac": Ask, "Drop_table": Ask, "": Ask,
	} {
		if got, by := p.Tool(tool); got != want {
			t.Errorf("%s: %d by %q, want %d", tool, got, by, want)
		}
	}
	if got, _ := Default().Tool("anything"); got != Allow {
		t.Errorf("without rules: %d", got)
	}
}

// TestProjectOnlyTightens lays a repository's file over the user's.
func TestProjectOnlyTightens(t *testing.T) {
	lax := `{"guard": {"*": {"tools": {"*": "allow"}, "secrets": "pass", "maxResult": "64Mi", "timeout": "24h"}}}`
	p, err := load(t, `{"guard": {"*": {"tools": {"*": "deny"}, "maxResult": "1Mi", "timeout": "5s"}}}`, lax, "")
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := p.Tool("x"); a != Deny || p.Secrets != Block || p.MaxResult != 1<<20 || p.Timeout != 5*time.Second {
		t.Errorf("a project made it laxer: %+v", p)
	}
	p, err = load(t, lax, `{"guard": {"*": {"tools": {"x": "ask"}, "secrets": "mask", "maxResult": "2Ki", "timeout": "1m"}}}`, "")
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := p.Tool("x"); a != Ask || p.Secrets != Mask || p.MaxResult != 2<<10 || p.Timeout != time.Minute {
		t.Errorf("a project could not make it stricter: %+v", p)
	}
	for _, off := range []string{`{"guard": false}`, `{"guard": {"@acme/db": false}}`, `{"guard": {"@someone/else": false}}`} {
		if _, err := load(t, "", off, ""); err == nil || !strings.Contains(err.Error(), "a repository must not") {
			t.Errorf("%s: %v", off, err)
		}
	}
}

func TestOff(t *testing.T) {
	for _, c := range []struct {
		rc, env string
		off     bool
	}{
		{`{"guard": false}`, "", true}, {`{"guard": {"@acme/db": false}}`, "", true}, {`{"guard": {"@acme/other": false}}`, "", false},
		{`{"guard": {"*": false, "@acme/db": {}}}`, "", false}, {"", "0", true}, {"", "", false},
	} {
		if p, err := load(t, c.rc, "", c.env); err != nil || p.Off != c.off {
			t.Errorf("%s, %q: %+v, %v", c.rc, c.env, p, err)
		}
	}
}

func TestMistakesStop(t *testing.T) {
	for rc, want := range map[string]string{
		`{"guard": true}`: "must be an object", `{"guard": {"*": {"tool": {}}}}`: `unknown field "tool"`, `{"guard": {"*": {"tools": {"x": "denny"}}}}`: "denny",
		`{"guard": {"no name": {}}}`: "guard", `{"guard": {"*": {"secrets": "hide"}}}`: "hide", `{"guard": {"*": {"maxResult": "1G"}}}`: "maxResult",
		`{"guard": {"*": {"maxResult": "10"}}}`: "maxResult", `{"guard": {"*": {"timeout": "-1s"}}}`: "timeout", `{"guard": {"*": {"timeout": "soon"}}}`: "timeout", `{`: "not JSON",
	} {
		if _, err := load(t, rc, "", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", rc, err)
		}
	}
	if _, err := load(t, "", "", "off"); err == nil {
		t.Error("MCPM_GUARD=off was taken")
	}
}
