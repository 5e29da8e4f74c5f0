package learn_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/learn"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
)

func machine(t *testing.T) learn.Place {
	t.Helper()
	root := t.TempDir()
	at := learn.Place{Home: filepath.Join(root, "home"), Workspace: filepath.Join(root, "home/work"), Store: filepath.Join(root, "home/.mcpm")}
	at.Own = []string{filepath.Join(at.Store, "trees/x")}
	at.Program = filepath.Join(root, "home/bin/node")
	for _, file := range []string{
		"Notes/a", "Notes/b", "Notes/c", "Notes/deep/d", "Docs/one", "Docs/two", "work/src/a.go", "work/out/x", "work/.env", "work/package.json", ".ssh/id", ".mcpm/trees/x/index.js",
		".mcpm/secrets.age", ".config/tool/conf", ".cache/x", "bin/node", "bin/git",
	} {
		path := filepath.Join(at.Home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return at
}

// learned is what comes out of "KIND PATH" attempts, a path without a slash at its beginning in the home.
func learned(at learn.Place, declared *manifest.Permissions, attempts ...string) *learn.Learned {
	var r learn.Recorder
	var s sandbox.Spec
	r.Into(&s, nil, true)
	for _, text := range attempts {
		kind, path, _ := strings.Cut(text, " ")
		if !filepath.IsAbs(path) {
			path = filepath.Join(at.Home, path)
		}
		s.Learn.Saw(trace.Attempt{Kind: trace.Kind(kind), Path: path})
	}
	return r.Learned(at, declared)
}

func files(l *learn.Learned) []string {
	var out []string
	for _, f := range l.Permissions.Filesystem {
		out = append(out, f.Access+" "+f.Path)
	}
	return out
}

// TestFiles guards: what is proposed is the fewest sensible paths for what was tried, and nothing that is the server's own, the
// system's, not there, or too wide.
func TestFiles(t *testing.T) {
	at := machine(t)
	for name, c := range map[string]struct{ tried, want []string }{
		"a file":                               {[]string{"read Notes/a", "look Notes/a"}, []string{"read ${HOME}/Notes/a"}},
		"two are named":                        {[]string{"read Notes/a", "read Notes/b"}, []string{"read ${HOME}/Notes/a", "read ${HOME}/Notes/b"}},
		"three are their directory":            {[]string{"read Notes/a", "read Notes/b", "look Notes/c"}, []string{"read ${HOME}/Notes"}},
		"a directory covers what is in it":     {[]string{"read Notes", "read Notes/deep/d", "read Notes/a"}, []string{"read ${HOME}/Notes"}},
		"reading does not cover writing":       {[]string{"read Notes", "write Notes/a"}, []string{"read ${HOME}/Notes", "write ${HOME}/Notes/a"}},
		"writing covers reading":               {[]string{"read Notes/a", "write Notes/a"}, []string{"write ${HOME}/Notes/a"}},
		"a new file is its directory":          {[]string{"write Docs/new", "read Docs/one"}, []string{"write ${HOME}/Docs"}},
		"a new tree is the directory it is in": {[]string{"write work/out/a/b/c"}, []string{"write ${workspace}/out"}},
		"the project":                          {[]string{"read work", "read work/src/a.go"}, []string{"read ${workspace}"}},
		"not there":                            {[]string{"read Notes/gone", "look gone", "read /nowhere/x"}, nil},
		"its own":                              {[]string{"read .mcpm/trees/x/index.js", "read .mcpm/secrets.age", "execute bin/node"}, nil},
		"the system's":                         {[]string{"read /usr/bin/env", "read /etc/passwd", "look /etc", "write /tmp/x", "write /dev/null", "read /proc/self/maps", "write /dev/shm/x"}, nil},
		"on the way up":                        {[]string{"look .", "look work", "look .mcpm/trees/package.json", "look work/package.json"}, nil},
		"a home is too wide":                   {[]string{"read .", "read .config", "read /"}, nil},
		"what each program has":                {[]string{"read .config/tool/conf", "write .cache/new/x"}, []string{"read ${HOME}/.config/tool/conf"}},
		"not to be named":                      {[]string{"read Notes/\x1b[2J", "read Notes/${x}", "read Notes/\xff", "read Notes/\u202e"}, nil},
	} {
		if got := files(learned(at, nil, c.tried...)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestNotProposed guards: keys, too much, and what is gone are told and not proposed.
func TestNotProposed(t *testing.T) {
	at := machine(t)
	l := learned(at, nil, "read .ssh/id", "look .ssh", "write work/.env", "read .netrc", "read .", "write .cache/new/x", "write .cache/new/x/y", "execute bin/git", "execute bin/gone", "look bin/git", "read Notes/a")
	if want := []string{"${HOME}/.ssh", "${HOME}/.ssh/id", "${workspace}/.env"}; !slices.Equal(l.Secrets, want) {
		t.Errorf("keys %q", l.Secrets)
	}
	if !slices.Equal(l.Wide, []string{"${HOME}"}) || !slices.Equal(l.Lost, []string{"${HOME}/.cache/new/x"}) || !slices.Equal(l.Programs, []string{at.Home + "/bin/git"}) {
		t.Errorf("wide %q, lost %q, programs %q", l.Wide, l.Lost, l.Programs)
	}
	if got := files(l); !slices.Equal(got, []string{"read ${HOME}/Notes/a", "read ${HOME}/bin/git"}) || !l.Permissions.Subprocess || l.Permissions.Network != nil {
		t.Errorf("%q, %+v", got, l.Permissions)
	}
}

// TestHosts guards: a rule is proposed for each host and port that one would help with.
func TestHosts(t *testing.T) {
	var r learn.Recorder
	var s sandbox.Spec
	r.Into(&s, nil, true)
	for _, h := range []string{"api.example.com:443", "169.254.169.254:80", "10.0.0.7:5432", "localhost:5432", "[2001:db8::1]:443", "bad host:1"} {
		i := strings.LastIndex(h, ":")
		s.Denied(egress.Denial{Host: h[:i], Port: h[i+1:], Reason: egress.NoRule})
	}
	s.Denied(egress.Denial{Host: "inner.example.com", Port: "443", Reason: "it is in a private network"})
	s.Learn.Passed("API.example.com.", "443")
	s.Learn.Saw(trace.Attempt{Kind: trace.Connect, Host: "direct.example.com", Port: "8443"})
	s.Learn.Saw(trace.Attempt{Kind: trace.Connect, Host: "127.0.0.1", Port: "3000"})
	s.Learn.Saw(trace.Attempt{Kind: trace.More})
	declared := &manifest.Permissions{
		Network:    &manifest.NetworkPermissions{Outbound: []string{"*.example.com:443", "never.example.org:443"}},
		Filesystem: []manifest.PathPermission{{Path: "~/Notes", Access: "read"}}, Environment: []string{"REGION"}, Subprocess: true,
	}
	l := r.Learned(learn.Place{Home: "/home/x", Workspace: "/home/x/work"}, declared)
	want := []string{"10.0.0.7:5432", "[2001:db8::1]:443", "api.example.com:443", "direct.example.com:8443", "localhost:5432"}
	if l.Permissions.Network == nil || !slices.Equal(l.Permissions.Network.Outbound, want) {
		t.Errorf("%+v, want %q", l.Permissions.Network, want)
	}
	if !slices.Equal(l.Unused, []string{"network never.example.org:443", "read ~/Notes", "subprocess"}) || !slices.Equal(l.Permissions.Environment, []string{"REGION"}) || !l.CutOff {
		t.Errorf("unused %q, environment %q, cut off %v", l.Unused, l.Permissions.Environment, l.CutOff)
	}
}
