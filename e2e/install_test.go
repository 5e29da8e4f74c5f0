package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	everything   = "io.github.modelcontextprotocol/server-everything" // of the starter catalogue
	installTimes = 100
)

// manyFiles is an npm that pins any package as one that needs nothing and installs a hundred files of it, so that an
// install is short enough to be done a hundred times and long enough to be stopped in the middle.
const manyFiles = `#!/bin/sh
name=$(sed 's/.*"dependencies":{"\([^"]*\)":"\([^"]*\)"}.*/\1/' package.json)
version=$(sed 's/.*"dependencies":{"\([^"]*\)":"\([^"]*\)"}.*/\2/' package.json)
if [ "$1" = ci ]; then
	mkdir -p "node_modules/$name/lib"
	echo "{\"name\": \"$name\", \"version\": \"$version\", \"bin\": \"cli.sh\"}" > "node_modules/$name/package.json"
	printf '#!/bin/sh\necho started\n' > "node_modules/$name/cli.sh"
	chmod +x "node_modules/$name/cli.sh"
	i=0
	while [ $i -lt 100 ]; do
		echo "module.exports = $i // of $name" > "node_modules/$name/lib/$i.js"
		i=$((i + 1))
	done
	exit
fi
printf '{"lockfileVersion": 3, "packages": {"": {}, "node_modules/%s": {"version": "%s", "integrity": "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}}}' "$name" "$version" > package-lock.json
`

// machine is a person's machine: a home, an npm, and projects, beside a hub with a bundle and the starter catalogue.
type machine struct {
	*testing.T
	hub, tools string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	data := t.TempDir()
	h, err := startHub(data, os.Environ()) // an empty hub fills itself with the starter catalogue
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.kill() })
	token := newPublisher(t, data, os.Environ())
	await(t, 20*time.Second, "the starter catalogue", func() bool {
		var v struct{ Version string }
		return getJSON(h.url+"/api/v1/servers/"+url.PathEscape(everything), &v) == http.StatusOK
	})
	p := newPublication(1)
	if status, body, err := p.send(t.Context(), h.url, token); err != nil || !p.acked {
		t.Fatalf("%d %s %v", status, body, err)
	}
	p.check(t, h.url)
	m := &machine{T: t, hub: h.url, tools: t.TempDir()}
	if err := os.WriteFile(filepath.Join(m.tools, "npm"), []byte(manyFiles), 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

// home makes a new home with a host application.
func (m *machine) home() string {
	m.Helper()
	home := m.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".cursor"), 0o755); err != nil {
		m.Fatal(err)
	}
	return home
}

func (m *machine) command(home, dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, "mcpm"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, ".config"), "MCPM_HOME="+filepath.Join(home, ".mcpm"),
		"MCPM_REGISTRY="+m.hub, "NO_COLOR=1", "PATH="+m.tools+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return cmd
}

func (m *machine) mcpm(home, dir string, args ...string) {
	m.Helper()
	if out, err := m.command(home, dir, args...).CombinedOutput(); err != nil {
		m.Errorf("mcpm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// sound fails unless a project has the servers, and every byte of them is as it was locked.
func (m *machine) sound(home, dir string, servers ...string) {
	m.Helper()
	m.mcpm(home, dir, "--offline", "ci")
	m.mcpm(home, dir, "cache", "verify")
	for _, name := range []string{"mcp.json", "mcpm-lock.json"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			m.Error(err)
		}
		for _, s := range servers {
			if !strings.Contains(string(b), `"`+s+`"`) {
				m.Errorf("%s lacks %s:\n%s", name, s, b)
			}
		}
	}
	var cursor struct {
		Servers map[string]any `json:"mcpServers"`
	}
	b, err := os.ReadFile(filepath.Join(home, ".cursor", "mcp.json"))
	if err == nil {
		err = json.Unmarshal(b, &cursor)
	}
	if err != nil || len(cursor.Servers) != len(servers) {
		m.Errorf("Cursor has %v %v", cursor.Servers, err)
	}
}

// TestInstallsAtOnce installs two servers at once, a hundred times, on a machine that has nothing yet: into one project,
// whose files must name both, or into two projects that share the store.
func TestInstallsAtOnce(t *testing.T) {
	m := newMachine(t)
	for i := range installTimes {
		home, a := m.home(), m.TempDir()
		b, second := a, crashServer
		if i%2 == 1 {
			b, second = m.TempDir(), everything
		}
		var both sync.WaitGroup
		both.Go(func() { m.mcpm(home, a, "install", "--yes", everything) })
		both.Go(func() { m.mcpm(home, b, "install", "--yes", second) })
		both.Wait()
		if a == b {
			m.sound(home, a, everything, crashServer)
		} else {
			m.mcpm(home, a, "--offline", "ci")
			m.mcpm(home, b, "--offline", "ci")
			m.mcpm(home, b, "cache", "verify")
		}
		if t.Failed() {
			t.Fatalf("in round %d", i+1)
		}
	}
}

// TestKillInstall kills mcpm at a random moment of an install, a hundred times. What is there can be read whatever the
// moment, and the same install again makes everything whole.
func TestKillInstall(t *testing.T) {
	m := newMachine(t)
	warm, dir := m.home(), m.TempDir()
	begun := time.Now()
	m.mcpm(warm, dir, "install", "--yes", everything, crashServer)
	whole := time.Since(begun)
	stopped, homes := 0, t.TempDir()
	for i := range installTimes {
		home, dir := filepath.Join(homes, fmt.Sprint("home", i)), filepath.Join(homes, fmt.Sprint("project", i))
		for _, d := range []string{filepath.Join(home, ".cursor"), dir} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd := m.command(home, dir, "install", "--yes", everything, crashServer)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(whole) * 6 / 5)))
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil {
			stopped++
		}
		m.mcpm(home, dir, "list")
		m.mcpm(home, dir, "install", "--yes", everything, crashServer)
		m.sound(home, dir, everything, crashServer)
		if t.Failed() {
			t.Fatalf("in round %d", i+1)
		}
	}
	t.Logf("an install takes %s; %d of %d were stopped before they ended", whole.Round(time.Millisecond), stopped, installTimes)
	if stopped < installTimes/4 {
		t.Errorf("only %d of %d installs were stopped before they ended", stopped, installTimes)
	}
}
