package cli_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOpen(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.hub.home = map[string]string{"@acme/postgres": "https://acme.example/pg?a=1&b=$(reboot)", "@acme/reports": "javascript:alert(1)", "io.github.acme/tickets": "file:///etc/passwd"}
	text := w.transcript(cmds("open @acme/postgres", "open @acme/postgres --json", "open @acme/postgres --repository", "open @acme/postgres@1.4.0", "open @acme/nothing",
		"open @acme/postgres --repository --homepage", "open @acme/reports --homepage", "open io.github.acme/tickets --homepage")...)
	golden(t, "open.txt", text)
	if len(w.shown) > 0 {
		t.Errorf("without a terminal %q was opened", w.shown)
	}
	w.width = 80
	w.mcpm("open", "@acme/postgres")
	w.mcpm("open", "@acme/postgres", "--print")
	w.mcpm("open", "@acme/postgres", "--homepage")
	w.mcpm("open", "@acme/reports", "--homepage")
	want := []string{w.hub.URL + "/servers/@acme/postgres", "https://acme.example/pg?a=1&b=$(reboot)"}
	if diff := cmp.Diff(want, w.shown); diff != "" {
		t.Errorf("the browser was sent elsewhere (-want +got):\n%s", diff)
	}
}

// completed is what a shell is offered.
func (w *world) completed(args ...string) []string {
	_, out, _ := w.mcpm(append([]string{"__complete"}, args...)...)
	var names []string
	for line := range strings.Lines(out) {
		name, about, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if strings.ContainsAny(about, "\t\x1b") {
			w.t.Errorf("%q is not fit for a shell", about)
		}
		if !strings.HasPrefix(name, ":") && name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestComplete(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.mcpm("install", "io.github.acme/tickets", "--yes", "--no-hosts", "-q")
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"install @acme/p", []string{"@acme/postgres"}},
		{"install acme/p", []string{"acme/postgres"}},
		{"install @ acme/p", []string{"acme/postgres"}}, // as bash cuts it
		{"install io.github.acme/", []string{"io.github.acme/tickets"}},
		{"install post", []string{"acme/postgres"}},
		{"info @acme/postgres @acme/p", nil},
		{"run i", []string{"io.github.acme/tickets"}},
		{"run @acme/p", nil},
		{"export --format s", []string{"compose", "cyclonedx", "mcpb", "oci", "sbom", "server.json", "spdx"}},
		{"-C ../home run i", nil},
		{"--offline install @acme/p", nil},
		{"install ../../x", nil},
	} {
		if diff := cmp.Diff(tt.want, w.completed(strings.Fields(tt.args)...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
	}
}

// TestCompleteNeverHangs guards: a hub that does not answer costs less than a second, and what is installed is still offered.
func TestCompleteNeverHangs(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.mcpm("install", "io.github.acme/tickets", "--yes", "--no-hosts", "-q")
	done := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	defer silent.Close()
	defer close(done)
	w.vars["MCPM_REGISTRY"] = silent.URL
	begun := time.Now()
	got := w.completed("install", "i")
	if took := time.Since(begun); took > 3*time.Second || len(got) != 1 {
		t.Errorf("%q after %s", got, took)
	}
}
