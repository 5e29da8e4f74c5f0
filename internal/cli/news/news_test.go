package news

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/install"
)

// machine is a person's machine with a terminal, a clock and a hub.
type machine struct {
	*testing.T
	hub     *httptest.Server
	asked   int
	says    string // its answer; "" for 404
	hangs   chan struct{}
	now     time.Time
	home    string
	env     map[string]string
	noTTY   bool
	version string
	prepare func(*app.App)
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), home: t.TempDir(), env: map[string]string{}, version: "v1.2.0"}
	m.hub = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/mcpm" || r.Header.Get("Authorization") != "" || r.Header.Get("Mcpm-Command") != "" {
			t.Errorf("asked for %s with %v", r.URL, r.Header)
		}
		m.asked++
		if m.hangs != nil {
			<-m.hangs
		}
		if m.says == "" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, m.says)
	}))
	t.Cleanup(m.hub.Close)
	m.newest("1.3.0")
	m.env["MCPM_REGISTRY"], m.env["MCPM_HOME"] = m.hub.URL, m.home
	return m
}

func (m *machine) newest(version string) {
	m.says = fmt.Sprintf(`{"version":%q,"page":%q}`, version, m.hub.URL+"/start")
}

// command runs a command and returns what the person is told after it. hub says whether the command talks to the hub.
func (m *machine) command(verb string, hub bool) string {
	m.Helper()
	var errs bytes.Buffer
	a := app.NewApp(&app.Env{
		IO: &term.IO{Out: &bytes.Buffer{}, Err: &errs, ErrTTY: !m.noTTY}, Dir: m.home, UserHome: m.home, Now: func() time.Time { return m.now },
		Getenv: func(k string) string { return m.env[k] }, Environ: func() []string { return nil },
	})
	if m.prepare != nil {
		m.prepare(a)
	}
	w := Start(a, verb, m.version)
	if hub && !a.Offline {
		if _, err := a.Client(); err != nil {
			m.Fatal(err)
		}
		if _, err := a.Client(); err != nil { // the same one
			m.Fatal(err)
		}
	}
	if w != nil && m.hangs == nil {
		w.linger = time.Minute // a busy machine is no reason to fail
	}
	if errs.Len() > 0 {
		m.Errorf("told before the answer: %q", &errs)
	}
	w.End()
	return errs.String()
}

func TestOnceADay(t *testing.T) {
	m := newMachine(t)
	if got := m.command("list", false); got != "" || m.asked != 0 {
		t.Errorf("a command that asks no hub: %q, asked %d times", got, m.asked)
	}
	want := "mcpm 1.3.0 is out, this is 1.2.0: " + m.hub.URL + "/start   (MCPM_UPDATE_NOTICE=0 ends these lines)\n"
	if got := m.command("search", true); got != want || m.asked != 1 {
		t.Errorf("%q, asked %d times", got, m.asked)
	}
	m.now = m.now.Add(23*time.Hour + 59*time.Minute)
	if got := m.command("search", true); got != "" || m.asked != 1 {
		t.Errorf("on the same day: %q, asked %d times", got, m.asked)
	}
	m.now = m.now.Add(time.Minute)
	if got := m.command("list", false); got != want || m.asked != 1 {
		t.Errorf("a day later, without the hub: %q, asked %d times", got, m.asked)
	}
	m.newest("1.2.0")
	if got := m.command("search", true); got != "" || m.asked != 2 {
		t.Errorf("the newest: %q, asked %d times", got, m.asked)
	}
	m.now = m.now.Add(-48 * time.Hour) // the clock is set back
	if m.command("search", true); m.asked != 3 {
		t.Errorf("asked %d times", m.asked)
	}
	m.says, m.now = "", m.now.Add(25*time.Hour)
	for range 2 { // a hub that does not know is asked no more often
		if got := m.command("search", true); got != "" || m.asked != 4 {
			t.Errorf("%q, asked %d times", got, m.asked)
		}
	}
}

func TestOff(t *testing.T) {
	for name, change := range map[string]func(*machine){
		"CI":         func(m *machine) { m.env["CI"] = "true" },
		"variable":   func(m *machine) { m.env["MCPM_UPDATE_NOTICE"] = "0" },
		"pipe":       func(m *machine) { m.noTTY = true },
		"release":    func(m *machine) { m.version = "0.1.0-dev" },
		"between":    func(m *machine) { m.version = "v1.2.0-4-g0123abc" },
		"no version": func(m *machine) { m.version = "dev" },
		"quiet":      func(m *machine) { m.prepare = func(a *app.App) { a.Quiet = true } },
		"json":       func(m *machine) { m.prepare = func(a *app.App) { a.JSON = true } },
		"offline":    func(m *machine) { m.prepare = func(a *app.App) { a.Offline = true } },
		"settings": func(m *machine) {
			if err := install.WriteFile(m.home+"/.mcpmrc", []byte(`{"updateNotice": false}`), 0o600); err != nil {
				m.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			change(m)
			if got := m.command("search", true); got != "" || m.asked != 0 {
				t.Errorf("told %q, asked %d times", got, m.asked)
			}
		})
	}
	for _, verb := range []string{"run", "__complete", "completion"} {
		m := newMachine(t)
		if got := m.command(verb, true); got != "" || m.asked != 0 {
			t.Errorf("%s: told %q, asked %d times", verb, got, m.asked)
		}
	}
}

// What a hub says is a stranger's word.
func TestHostileHub(t *testing.T) {
	m := newMachine(t)
	for _, version := range []string{"2.0.0\x1b[31m", "v", "", "2.0.0-beta.1", "99999999999999999999.0.0", strings.Repeat("1", 300), "latest"} {
		m.now = m.now.Add(25 * time.Hour)
		raw, _ := json.Marshal(map[string]string{"version": version})
		if m.says = string(raw); m.command("search", true) != "" {
			t.Errorf("%q was told", version)
		}
	}
	for _, page := range []string{
		"", "https://evil.example/start", "javascript:alert(1)", "//evil.example", m.hub.URL + "@evil.example/", "file:///etc/passwd", m.hub.URL + "/\x1b]8;;x", m.hub.URL + "/" + strings.Repeat("x", 300),
		strings.Replace(m.hub.URL, "http:", "https:", 1) + "/start",
	} {
		m.now = m.now.Add(25 * time.Hour)
		raw, _ := json.Marshal(map[string]string{"version": "2.0.0+build.1", "page": page})
		m.says = string(raw)
		want := "mcpm 2.0.0 is out, this is 1.2.0: ask who runs " + m.hub.URL + "   (MCPM_UPDATE_NOTICE=0 ends these lines)\n"
		if got := m.command("search", true); got != want {
			t.Errorf("%q: %q", page, got)
		}
	}
	// and so is the file, which another program may have written
	h := install.Home{Dir: m.home}
	if err := h.SetNews(install.News{Registry: m.hub.URL, Asked: m.now, Version: "3.0.0\x1b[2J", Page: "https://evil.example"}); err != nil {
		t.Fatal(err)
	}
	if got := m.command("list", false); got != "" {
		t.Errorf("told %q", got)
	}
	m.now = m.now.Add(25 * time.Hour)
	m.says = `{"version":1}`
	if got := m.command("search", true); got != "" {
		t.Errorf("told %q", got)
	}
}

// A hub that hangs is not waited for, and what another hub said is not told of this one.
func TestSlowHub(t *testing.T) {
	m := newMachine(t)
	m.hangs = make(chan struct{})
	t.Cleanup(func() { close(m.hangs) })
	if err := (install.Home{Dir: m.home}).SetNews(install.News{Registry: "http://other.example", Asked: m.now, Version: "9.0.0"}); err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	go func() { done <- m.command("search", true) }()
	select {
	case got := <-done:
		if got != "" {
			t.Errorf("told %q", got)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the command waits for the hub")
	}
}

func TestState(t *testing.T) {
	m := newMachine(t)
	state := func() string {
		return State(app.NewApp(&app.Env{
			IO: &term.IO{}, Dir: m.home, UserHome: m.home, Getenv: func(k string) string { return m.env[k] }, Now: func() time.Time { return m.now },
		}), m.version)
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "on (the default): with a command that asks the hub, at most once a day, GET /api/v1/mcpm. Not asked yet"},
		{func() { m.command("search", true) }, "mcpm 1.3.0 is out, this is 1.2.0"},
		{func() { m.version = "1.3.0" }, "This is the newest, as of 2026-03-01T09:00:00Z"},
		{func() { m.says, m.now = "", m.now.Add(25*time.Hour); m.command("search", true) }, "The hub did not say at 2026-03-02T10:00:00Z"},
		{func() { m.env["MCPM_UPDATE_NOTICE"] = "false" }, "off: by MCPM_UPDATE_NOTICE"},
		{func() { delete(m.env, "MCPM_UPDATE_NOTICE"); m.version = "0.1.0-dev" }, "off: this is no release"},
	} {
		step.do()
		if got := state(); !strings.Contains(got, step.want) {
			t.Errorf("%q, want %q", got, step.want)
		}
	}
}
