//go:build linux || darwin

package seatbelt

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
)

// TestBox runs a process with granted paths and hosts. Its home is empty but for what was granted, and gone afterwards.
func TestBox(t *testing.T) {
	program, profile := stand(t)
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"Notes/deep", "work", ".ssh"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "Notes/deep/a"), []byte("found"), 0o600); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	rules, err := egress.ParseRules([]string{"localhost:1"})
	if err != nil {
		t.Fatal(err)
	}
	b := &Box{
		Command: Command{
			Profile: Profile{Programs: []string{"/bin/sh"}, Read: []string{home + "/Notes/deep", home + "/Notes"}, Write: []string{home + "/work"}, Hidden: []string{home + "/.ssh"}},
			Path:    "/bin/sh", Args: []string{"-c", `pwd; cat ~/Notes/deep/a; echo; ls -a ~; echo hi > ~/x; echo hi > ~/work/y; echo "$HTTPS_PROXY"; echo "$TMPDIR"`},
			Dir: home, Env: []string{"PATH=/usr/bin:/bin", "HOME=" + home, "TMPDIR=/tmp"}, FileSize: 1 << 20, applies: program,
		},
		Home: home, Rules: rules,
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Run(r, w, w)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 4<<10)
	var text string
	for {
		n, err := r.Read(said)
		text += string(said[:n])
		if err != nil {
			break
		}
	}
	if code, err := p.Wait(); err != nil || code != 0 {
		t.Fatalf("ended with %d, %v: %s", code, err, text)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	scratch := lines[0]
	if scratch == home || scratch != lines[len(lines)-1] || !slices.Equal(lines[1:6], []string{"found", ".", "..", "Notes", "work"}) {
		t.Errorf("it said %q", lines)
	}
	if at, err := url.Parse(lines[len(lines)-2]); err != nil || at.Hostname() != "127.0.0.1" {
		t.Errorf("its proxy is %q", lines[len(lines)-2])
	}
	if _, err := os.Stat(scratch); !os.IsNotExist(err) {
		t.Errorf("its home %s is left: %v", scratch, err)
	}
	if read(t, home+"/work/y") != "hi\n" || read(t, home+"/Notes/deep/a") != "found" {
		t.Error("what was granted has changed, or has not where it was to")
	}
	for operation, path := range map[string]string{"file-write-data": scratch + "/x", "file-read-data": home + "/Notes/deep/a", "process-exec": real([]string{"/bin/sh"})[0]} {
		if !may(read(t, profile), operation, path) {
			t.Errorf("the profile does not allow %s %s", operation, path)
		}
	}
	if may(read(t, profile), "file-read-data", home+"/.ssh/id") || may(read(t, profile), "file-write-data", home+"/Notes/deep/a") {
		t.Error("the profile allows what was not granted")
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(lines[len(lines)-2], "http://")); err == nil {
		t.Error("the proxy still listens")
	}
}

func TestStubs(t *testing.T) {
	got := stubs([]string{"/Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13", "/opt/node/bin/node"})
	if want := []string{"/Library/Frameworks/Python.framework/Versions/3.13/Resources/Python.app/Contents/MacOS/Python"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
