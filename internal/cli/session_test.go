package cli_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/secret"
)

var update = flag.Bool("update", false, "write the golden files")

// world is one machine: a home, a project, a hub, and what the next command will see.
type world struct {
	t      *testing.T
	hub    *stubHub
	root   string
	vars   map[string]string
	now    time.Time
	width  int                // of the terminal; 0 for a pipe
	input  string             // what is typed
	exe    string             // path of mcpm
	shown  []string           // what the browser was sent to
	browse func(string) error // and what it does there; nil for nothing
	ring   secret.Store       // the system's keychain; nil for none
}

// evenDir is a temporary directory whose path is always as long: lines are broken by it before it is taken out of what
// golden files hold, and the numbers in the names of temporary directories have eight to ten digits.
func evenDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	number := strings.TrimLeft(filepath.Base(filepath.Dir(dir)), "/"+letters)
	dir = filepath.Join(dir, strings.Repeat("d", max(1, 12-len(number))))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{exe: "/usr/local/bin/mcpm", t: t, hub: newStubHub(t), root: evenDir(t), now: epoch}
	if real, err := filepath.EvalSymlinks(w.root); err == nil {
		w.root = real
	}
	for _, d := range []string{"home", "shop"} {
		if err := os.MkdirAll(filepath.Join(w.root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write("bin/npm", fakeNPM)
	if err := os.Chmod(w.path("bin/npm"), 0o755); err != nil {
		t.Fatal(err)
	}
	none := "unix:///nowhere/engine.sock" // the machine's own engine is not the tests'
	w.vars = map[string]string{"DOCKER_HOST": none, "CONTAINER_HOST": none, "MCPM_REGISTRY": w.hub.URL, "PATH": w.path("bin") + string(filepath.ListSeparator) + os.Getenv("PATH")}
	return w
}

// fakeNPM pins any package as one that needs nothing, and installs a program that says its name.
const fakeNPM = `#!/bin/sh
name=$(sed 's/.*"dependencies":{"\([^"]*\)":"\([^"]*\)"}.*/\1/' package.json)
version=$(sed 's/.*"dependencies":{"\([^"]*\)":"\([^"]*\)"}.*/\2/' package.json)
if [ "$1" = ci ]; then
	mkdir -p "node_modules/$name"
	echo "{\"name\": \"$name\", \"version\": \"$version\", \"bin\": \"cli.sh\"}" > "node_modules/$name/package.json"
	printf '#!/bin/sh\necho started %s "$@"\n' "$name@$version" > "node_modules/$name/cli.sh"
	chmod +x "node_modules/$name/cli.sh"
	exit
fi
cat > package-lock.json <<EOF
{"lockfileVersion": 3, "packages": {"": {}, "node_modules/$name": {"version": "$version", "integrity": "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}}}
EOF
`

func (w *world) path(elem ...string) string {
	return filepath.Join(append([]string{w.root}, elem...)...)
}

func (w *world) write(name, text string) {
	w.t.Helper()
	p := w.path(name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		return "(" + err.(*os.PathError).Err.Error() + ")\n"
	}
	return string(data)
}

// mcpm runs one command in process.
func (w *world) mcpm(args ...string) (code int, stdout, stderr string) {
	var out, errw bytes.Buffer
	io := &term.IO{In: strings.NewReader(w.input), Out: &out, Err: &errw, Width: w.width}
	if w.width > 0 {
		io.InTTY, io.OutTTY, io.ErrTTY = true, true, false
		io.ErrTTY = w.input != "" // bars are not for golden files
	}
	code = cli.Main(context.Background(), w.env(io), args)
	return code, out.String(), errw.String()
}

// env is the world as a command sees it.
func (w *world) env(io *term.IO) *app.Env {
	env := &app.Env{
		IO: io, Getenv: func(k string) string { return w.vars[k] }, Environ: func() []string {
			var all []string
			for k, v := range w.vars {
				all = append(all, k+"="+v)
			}
			return all
		},
		Dir: w.path("shop"), UserHome: w.path("home"), OS: "linux", Exe: w.exe,
		Now: func() time.Time { return w.now },
		Browse: func(url string) error {
			w.shown = append(w.shown, url)
			if w.browse != nil {
				return w.browse(url)
			}
			return nil
		},
	}
	if w.ring != nil {
		env.Keychain = func(string, func()) secret.Store { return w.ring }
	}
	return env
}

// show is mcpm with what it did as a golden file shows it.
func (w *world) show(args ...string) string {
	code, out, errw := w.mcpm(args...)
	var b strings.Builder
	fmt.Fprintf(&b, "$ mcpm %s\n", strings.Join(quoteAll(args), " "))
	b.WriteString(out)
	errw = answeredRE.ReplaceAllString(spinRE.ReplaceAllString(errw, ""), "$1 ")
	for line := range strings.Lines(errw) {
		b.WriteString("2> " + line)
	}
	if errw != "" && !strings.HasSuffix(errw, "\n") {
		b.WriteString("\n")
	}
	if code != 0 {
		fmt.Fprintf(&b, "[exit %d]\n", code)
	}
	return w.tidy(b.String())
}

// tidy replaces what differs from run to run.
func (w *world) tidy(s string) string {
	s = strings.ReplaceAll(s, w.hub.URL, "http://hub.test")
	s = strings.ReplaceAll(s, w.root, "")
	return timeRE.ReplaceAllString(s, "in 0.0 s")
}

// spinRE is what turns while a person waits: how often depends on the machine.
var spinRE = regexp.MustCompile(`(?:\x1b\[1A\x1b\[J)|(?m:^ *[|/\\-] *(?:locking the packages of|fetching) .*\n)|(?: [|/\\-] *(?:locking the packages of|fetching) [^\n]*\n)`)

// answeredRE is a question and what is left of a spinner behind it.
var answeredRE = regexp.MustCompile(`(--yes answers\]) +`)

var timeRE = regexp.MustCompile(`in \d+\.\d s`)

func quoteAll(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " *<>|\"") {
			out[i] = "'" + a + "'"
		}
	}
	return out
}

// golden compares text with testdata/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
