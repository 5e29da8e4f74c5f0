package install_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/trust"
)

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	for name, text := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// from downloads data from any byte on.
func from(data []byte) install.Download {
	return func(n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data[min(n, int64(len(data))):])), nil
	}
}

// TestDownloadGoesOn guards: a download that breaks off goes on where it did; where the hub begins at the beginning only,
// or what was kept is not the beginning of it, it begins anew; while nothing answers, nothing is lost.
func TestDownloadGoesOn(t *testing.T) {
	data := archive(t, map[string]string{"index.js": "run()"})
	a := install.Artifact{Type: "bundle", Integrity: trust.SRI512(data), Size: int64(len(data))}
	breaks := func(data []byte) install.Download {
		return func(n int64) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(data[n:n+9]), broken{})), nil
		}
	}
	down := hub.Errorf(hub.Unavailable, "nothing answers")
	for what, then := range map[string]struct {
		begin []byte
		open  func(asked *[]int64) install.Download
		asked []int64
	}{
		"goes on": {data, func(asked *[]int64) install.Download {
			return func(n int64) (io.ReadCloser, error) { *asked = append(*asked, n); return from(data)(n) }
		}, []int64{18}},
		"begins anew": {data, func(asked *[]int64) install.Download {
			return func(n int64) (io.ReadCloser, error) {
				if *asked = append(*asked, n); n > 0 {
					return nil, hub.Errorf(hub.Unavailable, "it cannot continue a download")
				}
				return from(data)(n)
			}
		}, []int64{18, 0}},
		"is replaced": {bytes.Repeat([]byte("x"), 100), func(asked *[]int64) install.Download {
			return func(n int64) (io.ReadCloser, error) { *asked = append(*asked, n); return from(data)(n) }
		}, []int64{18, 0}},
	} {
		h := install.Home{Dir: t.TempDir()}
		for range 2 {
			if err := h.SaveBundle(a, breaks(then.begin)); hub.KindOf(err) != hub.Unavailable {
				t.Errorf("%s: a broken download: %v", what, err)
			}
		}
		if err := h.SaveBundle(a, func(int64) (io.ReadCloser, error) { return nil, down }); !errors.Is(err, down) {
			t.Errorf("%s: %v", what, err)
		}
		var asked []int64
		if err := h.SaveBundle(a, then.open(&asked)); err != nil || !h.HasBundle(a) || cmp.Diff(then.asked, asked) != "" {
			t.Errorf("%s: %v, asked from %v", what, err, asked)
		}
		if left, _ := filepath.Glob(filepath.Join(h.Dir, "store", "sha512", ".*")); len(left) > 0 {
			t.Errorf("%s leaves %v", what, left)
		}
	}
}

func TestBundleStore(t *testing.T) {
	h := install.Home{Dir: t.TempDir()}
	data := archive(t, map[string]string{"index.js": "run()", "lib/a.js": "a"})
	a := install.Artifact{Type: "bundle", Integrity: trust.SRI512(data), Size: int64(len(data))}
	if _, _, err := h.OpenBundle(a); hub.KindOf(err) != hub.NotFound {
		t.Errorf("before: %v", err)
	}
	if err := h.SaveBundle(a, from(data[:len(data)-5])); hub.KindOf(err) != hub.Integrity {
		t.Errorf("a cut download: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "store", "sha512", "*")); len(left) > 0 || h.HasBundle(a) {
		t.Errorf("something is left: %v", left)
	}
	var wg sync.WaitGroup
	for range 4 { // two processes at once, and two more
		wg.Go(func() {
			if err := h.SaveBundle(a, from(data)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	dir, added, err := h.OpenBundle(a)
	if err != nil || len(added) > 0 {
		t.Fatalf("%v %v", added, err)
	}
	write(t, filepath.Join(dir, "cache.txt"), "x")
	if _, added, err = h.OpenBundle(a); err != nil || cmp.Diff([]string{"cache.txt"}, added) != "" {
		t.Errorf("an added file: %v %v", added, err)
	}
	write(t, filepath.Join(dir, "lib", "a.js"), "b")
	_, _, err = h.OpenBundle(a)
	if hub.KindOf(err) != hub.Integrity || !strings.Contains(err.(*hub.Error).Issues[0].Message, filepath.Join("lib", "a.js")) {
		t.Errorf("a changed file: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "lib", "a.js")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.OpenBundle(a); hub.KindOf(err) != hub.Integrity {
		t.Errorf("a removed file: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestManifestStore(t *testing.T) {
	h := install.Home{Dir: t.TempDir()}
	text := []byte(`{"name":"@acme/db","version":"1.0.0"}`)
	d := trust.SHA256(text)
	if err := h.SaveManifest(digest, text); hub.KindOf(err) != hub.Integrity {
		t.Errorf("another digest: %v", err)
	}
	if err := h.SaveManifest(d, text); err != nil {
		t.Fatal(err)
	}
	if m, err := h.Manifest(d); err != nil || m.Name != "@acme/db" {
		t.Errorf("%v %v", m, err)
	}
	write(t, filepath.Join(h.Dir, "store", "sha256", strings.TrimPrefix(d, "sha256:")+".json"), "{}")
	if _, err := h.Manifest(d); hub.KindOf(err) != hub.Integrity {
		t.Errorf("a changed manifest: %v", err)
	}
	if _, err := h.Manifest("sha256:../../etc/passwd"); hub.KindOf(err) != hub.Invalid {
		t.Errorf("a path for a digest: %v", err)
	}
}

// Many processes that find the session ended renew it once, because a refresh token is good for one use.
func TestAccessTokenRenewsOnce(t *testing.T) {
	h := install.Home{Dir: t.TempDir()}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if err := h.SetCredential("https://x", install.Credential{AccessToken: "old", RefreshToken: "r1", ExpiresAt: now}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	renewed := 0
	renew := func(_ context.Context, refresh string) (install.Credential, error) {
		mu.Lock()
		defer mu.Unlock()
		renewed++
		if refresh != "r1" {
			return install.Credential{}, hub.Errorf(hub.Unauthenticated, "spent")
		}
		return install.Credential{AccessToken: "new", RefreshToken: "r2", ExpiresAt: now.Add(time.Hour)}, nil
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := h.AccessToken(t.Context(), "https://x", "", now, renew); err != nil || got != "new" {
				t.Errorf("%q %v", got, err)
			}
		})
	}
	wg.Wait()
	if renewed != 1 {
		t.Errorf("renewed %d times", renewed)
	}
	if _, err := h.AccessToken(t.Context(), "https://x", "new", now, renew); hub.KindOf(err) != hub.Unauthenticated {
		t.Errorf("a rejected token that cannot be renewed: %v", err)
	}
	if got, err := h.AccessToken(t.Context(), "https://other", "", now, renew); err != nil || got != "" {
		t.Errorf("another hub got %q %v", got, err)
	}
}

func registrar(t *testing.T) (*install.Registrar, string) {
	home := t.TempDir()
	return &install.Registrar{
		Home: install.Home{Dir: filepath.Join(home, ".mcpm")}, Command: "/usr/bin/mcpm",
		Env: hosts.Env{OS: "linux", Home: home, Getenv: func(string) string { return "" }},
	}, home
}

// A person's entry is never overwritten, two projects share a file, and at the end every byte is back.
func TestRegistrar(t *testing.T) {
	r, home := registrar(t)
	cursor, _ := hosts.ByID("cursor")
	file := filepath.Join(home, ".cursor", "mcp.json")
	before := "{\n\t\"mcpServers\": {\n\t\t\"db\": {\"command\": \"mine\"}, // mine\n\t},\n}"
	write(t, file, before)
	if err := os.MkdirAll(filepath.Join(home, ".config", "Code"), 0o755); err != nil {
		t.Fatal(err)
	}
	one, two := install.Project{Dir: "/p/one"}, install.Project{Dir: "/p/two"}
	keys := func(p install.Project, name hub.Name) []string {
		t.Helper()
		changes, err := r.Register(p, []hub.Name{name})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range changes {
			out = append(out, c.Host.ID+" "+c.Key+" "+c.Action)
		}
		return out
	}
	for _, tt := range []struct {
		p    install.Project
		name hub.Name
		want []string
	}{
		{one, "acme/db", []string{"cursor acme-db added", "vscode db added"}},
		{one, "acme/db", []string{"cursor acme-db unchanged", "vscode db unchanged"}},
		{two, "acme/db", []string{"cursor db-two added", "vscode acme-db added"}},
		{install.Project{Dir: "/g", Global: true}, "io.github.x/db", []string{"cursor io-github-x-db added", "vscode io-github-x-db added"}},
	} {
		if diff := cmp.Diff(tt.want, keys(tt.p, tt.name)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.p.Dir, tt.name, diff)
		}
	}
	// Somebody edits one of ours into something else: it is theirs now.
	data, _ := os.ReadFile(file)
	write(t, file, strings.Replace(string(data), `"@acme/db",`+"\n\t\t\t\t\"-C\",\n\t\t\t\t\"/p/two\"", `"@other/db"`, 1))
	changes, err := r.Unregister(two, []hub.Name{"acme/db"})
	if err != nil || changes[0].Action != "kept" || changes[1].Action != "removed" {
		t.Errorf("%+v %v", changes, err)
	}
	data, _ = os.ReadFile(file)
	entries, err := cursor.Entries(data)
	if err != nil || entries["db-two"] == nil {
		t.Errorf("%v %v", entries, err)
	}
	text, err := cursor.Remove(data, "db-two", hosts.Undo{}, false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(text))
	if _, err := r.Unregister(one, []hub.Name{"acme/db"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Unregister(install.Project{Dir: "/g", Global: true}, []hub.Name{"io.github.x/db"}); err != nil {
		t.Fatal(err)
	}
	data, _ = os.ReadFile(file)
	if diff := cmp.Diff(before, string(data)); diff != "" {
		t.Errorf("Cursor's file (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(home, ".config", "Code", "User")); !os.IsNotExist(err) {
		t.Errorf("VS Code's directory is left: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(home, ".mcpm", "backups", "*")); len(left) > 0 {
		t.Errorf("backups are left: %v", left)
	}
}

// A file that cannot be edited is told and does not stop the others; DryRun writes nothing.
func TestRegistrarTrouble(t *testing.T) {
	r, home := registrar(t)
	write(t, filepath.Join(home, ".cursor", "mcp.json"), "{ broken")
	write(t, filepath.Join(home, ".claude.json"), `{"numStartups": 1}`)
	r.DryRun = true
	if _, err := r.Register(install.Project{Dir: "/p"}, []hub.Name{"acme/db"}); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(filepath.Join(home, ".claude.json")); string(data) != `{"numStartups": 1}` {
		t.Errorf("a dry run wrote %s", data)
	}
	r.DryRun = false
	r.EnvVars = map[string]string{"MCPM_HOME": "/m"}
	changes, err := r.Register(install.Project{Dir: "/p"}, []hub.Name{"acme/db"})
	if err != nil || len(changes) != 2 || changes[0].Action != "added" || changes[1].Action != "failed" {
		t.Fatalf("%+v %v", changes, err)
	}
	data, _ := os.ReadFile(filepath.Join(home, ".claude.json"))
	var got struct {
		McpServers map[string]struct{ Env map[string]string }
	}
	if err := json.Unmarshal(data, &got); err != nil || got.McpServers["db"].Env["MCPM_HOME"] != "/m" {
		t.Errorf("%s %v", data, err)
	}
}

// Every host gets the entry in its own file, new or not; nobody else may read a new one or the copy of an old
// one, and at the end there is what there was before, byte for byte.
func TestRegistrarEveryHost(t *testing.T) {
	p := install.Project{Dir: "/p"}
	for _, h := range hosts.All() {
		for _, there := range []bool{false, true} {
			r, home := registrar(t)
			file := h.UserPath(r.Env)
			if file == "" || h.ID == "windsurf-jetbrains" { // none on this system, or nothing but the file shows the host
				file = filepath.Join(home, "own", "servers")
				r.Env.Override = map[string]string{h.ID: file}
			}
			before := string(hosts.Example(h))
			for _, trace := range h.Traces(r.Env) {
				if trace != file {
					if err := os.MkdirAll(trace, 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}
			if there {
				write(t, file, before)
			}
			for _, want := range []string{"added", "unchanged"} {
				changes, err := r.Register(p, []hub.Name{"acme/db"})
				i := slices.IndexFunc(changes, func(c install.Change) bool { return c.Host.ID == h.ID })
				if err != nil || i < 0 || changes[i].Action != want || changes[i].Path != file {
					t.Fatalf("%s: %+v %v, want %s", h.ID, changes, err, want)
				}
			}
			private := file
			if there {
				copies, _ := filepath.Glob(filepath.Join(home, ".mcpm", "backups", h.ID+"-*"))
				if len(copies) != 1 {
					t.Fatalf("%s: backups %v", h.ID, copies)
				}
				private = copies[0]
			}
			if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", h.ID, info, err)
			}
			if _, err := r.Unregister(p, []hub.Name{"acme/db"}); err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(file); there && string(data) != before || !there && !os.IsNotExist(err) {
				t.Errorf("%s: %v\n%s", h.ID, err, data)
			}
		}
	}
}

// A switch that the host turned off, and what it added, survive an update of the entry.
func TestRegistrarKeepsSwitches(t *testing.T) {
	r, home := registrar(t)
	file := filepath.Join(home, ".config", "goose", "config.yaml")
	write(t, file, "GOOSE_MODEL: x\n")
	p := install.Project{Dir: "/g", Global: true}
	if _, err := r.Register(p, []hub.Name{"acme/db"}); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(file)
	write(t, file, strings.Replace(string(data), "enabled: true", "enabled: false\n    bundled: null", 1))
	for _, want := range []string{"unchanged", "updated"} {
		changes, err := r.Register(p, []hub.Name{"acme/db"})
		if err != nil || len(changes) != 1 || changes[0].Action != want {
			t.Fatalf("%+v %v, want %s", changes, err, want)
		}
		r.Command = "/opt/mcpm"
	}
	data, _ = os.ReadFile(file)
	if text := string(data); !strings.Contains(text, "enabled: false") || !strings.Contains(text, "bundled: null") || !strings.Contains(text, "cmd: /opt/mcpm") {
		t.Error(text)
	}
	if _, err := r.Unregister(p, []hub.Name{"acme/db"}); err != nil {
		t.Fatal(err)
	}
	if data, _ = os.ReadFile(file); string(data) != "GOOSE_MODEL: x\n" {
		t.Errorf("%s", data)
	}
}
