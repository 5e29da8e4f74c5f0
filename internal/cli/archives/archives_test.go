package archives_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/cli/archives"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

const platform = "linux-amd64"

// shelf serves an archive.
type shelf struct {
	*httptest.Server
	raw     []byte
	breaks  int // bytes after which the next download ends
	ranges  []string
	without bool // it always begins at the beginning
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	if s.breaks > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.raw)))
		_, _ = w.Write(s.raw[:s.breaks])
		s.breaks = 0
		return
	}
	if s.without {
		_, _ = w.Write(s.raw)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.raw))
}

func newShelf(t *testing.T, about string) (*shelf, *model.Package) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{"manifest.json": about, "server/index.js": strings.Repeat("// server\n", 50)} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := &shelf{raw: b.Bytes()}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	sum := sha256.Sum256(s.raw)
	return s, &model.Package{RegistryType: model.RegistryTypeMCPB, Identifier: s.URL + "/mcp.mcpb", Version: "1.0.0", FileSHA256: hex.EncodeToString(sum[:])}
}

func (s *shelf) keeper(t *testing.T) archives.Keeper {
	t.Helper()
	return archives.Keeper{
		Home: install.Home{Dir: t.TempDir()}, Platform: platform, OS: "linux", UserHome: "/home/ann", Client: s.Client,
		Begin: func(string) func() { return func() {} }, Engine: func(string) string { return "22.11.0" }, Warnf: t.Logf,
	}
}

func about(rest string) string {
	return `{"manifest_version":"0.3","server":{"type":"node","entry_point":"server/index.js","mcp_config":{"command":"node","args":["${__dirname}/server/index.js"]}}` + rest + `}`
}

func TestPinAndFetch(t *testing.T) {
	s, p := newShelf(t, about(""))
	k, e := s.keeper(t), &install.Locked{Version: "1.0.0"}
	if err := k.Pin(t.Context(), p, e, nil); err != nil {
		t.Fatal(err)
	}
	art := &e.Artifacts[0]
	if !strings.HasPrefix(art.Integrity, "sha512-") || art.Size != int64(len(s.raw)) || !k.Home.Trees().Has(art.Tree.ID(platform)) {
		t.Errorf("%+v", art)
	}
	m := &manifest.Manifest{Servers: map[string]manifest.ServerSpec{"s": {Command: "rm", Package: p}}}
	ready, err := k.Ready(m, e)
	if err != nil || ready.Servers["s"].Command != "node" || m.Servers["s"].Command != "rm" {
		t.Errorf("%+v %v", ready, err)
	}
	if ready, err := k.Ready(m, nil); err != nil || ready.Servers["s"].Command != "" {
		t.Errorf("what is not locked starts %q %v", ready.Servers["s"].Command, err)
	}

	// the same version again asks nobody, and so does another machine that has it
	s.ranges = nil
	next := &install.Locked{Version: "1.0.0"}
	if err := k.Pin(t.Context(), p, next, e); err != nil || len(next.Artifacts) != 1 || len(s.ranges) > 0 {
		t.Errorf("%v %v", err, s.ranges)
	}
	if err := k.Fetch(t.Context(), art); err != nil || len(s.ranges) > 0 {
		t.Errorf("%v %v", err, s.ranges)
	}
	other := s.keeper(t)
	other.Offline = true
	if err := other.Fetch(t.Context(), art); hub.KindOf(err) != hub.NotFound {
		t.Errorf("offline: %v", err)
	}
	other.Offline = false
	if err := other.Fetch(t.Context(), art); err != nil || !other.Home.Trees().Has(art.Tree.ID(platform)) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(other.Home.Dir, "store", "archives", ".*mcpb*")); len(left) > 0 {
		t.Errorf("the download is still there: %v", left)
	}
}

// A lockfile that starts something else than the archive, with its digests made to fit.
func TestForgedLock(t *testing.T) {
	s, p := newShelf(t, about(""))
	k, e := s.keeper(t), &install.Locked{Version: "1.0.0"}
	if err := k.Pin(t.Context(), p, e, nil); err != nil {
		t.Fatal(err)
	}
	art := e.Artifacts[0]
	forged := *art.Tree
	forged.Document = []byte(strings.Replace(string(forged.Document), "server/index.js\"]", "manifest.json\"]", 1))
	forged.Integrity = trust.SRI512(forged.Document)
	art.Tree = &forged
	if _, err := archives.Of(&art); err != nil {
		t.Fatalf("the forgery is not one: %v", err)
	}
	if err := k.Fetch(t.Context(), &art); hub.KindOf(err) != hub.Integrity {
		t.Errorf("fetched: %v", err)
	}
	if k.Home.Trees().Has(forged.ID(platform)) {
		t.Error("it is in the store")
	}
	art.Tree.Integrity = e.Artifacts[0].Tree.Integrity
	if _, err := archives.Of(&art); hub.KindOf(err) != hub.Integrity {
		t.Errorf("a document that is not what its digest says: %v", err)
	}
}

func TestOtherBytes(t *testing.T) {
	s, p := newShelf(t, about(""))
	k, e := s.keeper(t), &install.Locked{Version: "1.0.0"}
	s.raw[len(s.raw)/2] ^= 1
	err := k.Pin(t.Context(), p, e, nil)
	if hub.KindOf(err) != hub.Integrity || !strings.Contains(err.Error(), "is not the one that was published") || len(e.Artifacts) > 0 {
		t.Errorf("%v", err)
	}
	s.raw[len(s.raw)/2] ^= 1
	if err := k.Pin(t.Context(), p, e, nil); err != nil { // what did not fit is not gone on with
		t.Error(err)
	}
}

func TestResume(t *testing.T) {
	for _, without := range []bool{false, true} {
		s, p := newShelf(t, about(""))
		s.breaks, s.without = 40, without
		k, e := s.keeper(t), &install.Locked{Version: "1.0.0"}
		if err := k.Pin(t.Context(), p, e, nil); hub.KindOf(err) != hub.Unavailable {
			t.Fatalf("a download that breaks off: %v", err)
		}
		if err := k.Pin(t.Context(), p, e, nil); err != nil || len(s.ranges) < 2 || s.ranges[1] != "bytes=40-" {
			t.Errorf("without %t: %v %q", without, err, s.ranges)
		}
	}
}

func TestOtherSystem(t *testing.T) {
	s, p := newShelf(t, about(`,"compatibility":{"platforms":["darwin"]}`))
	k, e := s.keeper(t), &install.Locked{Version: "1.0.0"}
	if err := k.Pin(t.Context(), p, e, nil); err != nil {
		t.Fatal(err)
	}
	art := &e.Artifacts[0]
	if k.Home.Trees().Has(art.Tree.ID(platform)) || art.Here(platform) || !art.Here("darwin-arm64") {
		t.Error("it is kept for another system")
	}
	spec := manifest.ServerSpec{Package: p}
	err := archives.Startable(spec, e, "linux")
	if hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), "it is for darwin, and this machine is linux") {
		t.Errorf("%v", err)
	}
	m := &manifest.Manifest{Servers: map[string]manifest.ServerSpec{"a": spec, "b": {Command: "echo"}}}
	ready, err := k.Ready(m, e)
	if err != nil || len(ready.Servers) != 2 {
		t.Fatalf("%+v %v", ready, err)
	}
	if best := archives.Preferred(ready, "linux"); len(best.Servers) != 1 || best.Servers["b"].Command == "" {
		t.Errorf("%+v", best)
	}
	delete(ready.Servers, "b")
	if best := archives.Preferred(ready, "linux"); len(best.Servers) != 1 {
		t.Error("what there is was left out, and nothing else is there")
	}
}

func TestPinRefuses(t *testing.T) {
	for rest, want := range map[string]string{
		`,"compatibility":{"runtimes":{"node":">=99"}}`: "it needs node >=99, and this machine has 22.11.0",
	} {
		s, p := newShelf(t, about(rest))
		if err := s.keeper(t).Pin(t.Context(), p, &install.Locked{}, nil); hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", rest, err)
		}
	}
	for text, want := range map[string]string{
		`{"manifest_version":"0.3","server":{"type":"binary","entry_point":"bin/x"}}`: "it starts bin/x, which is not in its archive",
		`{"manifest_version":"9","server":{"type":"binary","entry_point":"bin/x"}}`:   `manifest_version is "9"`,
	} {
		s, p := newShelf(t, text)
		if err := s.keeper(t).Pin(t.Context(), p, &install.Locked{}, nil); hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	s, p := newShelf(t, about(""))
	p.Identifier = strings.Replace(p.Identifier, "https", "http", 1)
	if err := s.keeper(t).Pin(t.Context(), p, &install.Locked{}, nil); hub.KindOf(err) != hub.Invalid {
		t.Errorf("over http: %v", err)
	}
	gone := httptest.NewTLSServer(http.NotFoundHandler())
	defer gone.Close()
	p.Identifier = gone.URL + "/mcp.mcpb"
	k := s.keeper(t)
	k.Client = gone.Client
	if err := k.Pin(context.WithoutCancel(t.Context()), p, &install.Locked{}, nil); hub.KindOf(err) != hub.NotFound {
		t.Errorf("gone: %v", err)
	}
	if files, _ := os.ReadDir(filepath.Join(k.Home.Dir, "store", "archives")); len(files) > 0 {
		t.Errorf("an empty download is kept: %v", files)
	}
}

func TestStartable(t *testing.T) {
	for kind, want := range map[string]string{"nuget": "NuGet", "cargo": "compiled with scripts", "apt": "of the type apt", "npm": "", "pypi": "", "oci": "", "mcpb": ""} {
		err := archives.Startable(manifest.ServerSpec{Package: &model.Package{RegistryType: kind}}, nil, "linux")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := archives.Startable(manifest.ServerSpec{Command: "/usr/bin/dnx"}, nil, "linux"); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("dnx: %v", err)
	}
}
