package ui_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/ui"
)

func TestNumbers(t *testing.T) {
	for n, want := range map[int64][2]string{0: {"0", "0"}, 999: {"999", "999"}, 1000: {"1k", "1,000"}, 1290: {"1.2k", "1,290"}, 9999: {"9.9k", "9,999"}, 41_234: {"41k", "41,234"}, 999_999: {"999k", "999,999"}, 1_000_000: {"1M", "1,000,000"}, 3_456_789: {"3.4M", "3,456,789"}, -1234: {"-1234", "-1,234"}} {
		if s, e := ui.Number(n), ui.Exact(n); s != want[0] || e != want[1] {
			t.Errorf("%d: %s and %s, want %v", n, s, e, want)
		}
	}
	if ui.Plural(1, "tool") != "1 tool" || ui.Plural(0, "tool") != "0 tools" || ui.Count(2, "capability", "capabilities") != "2 capabilities" {
		t.Error("numbers with nouns")
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{0: "just now", -time.Hour: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 3 * time.Hour: "3 hours ago", 26 * time.Hour: "1 day ago", 13 * 24 * time.Hour: "1 week ago", 70 * 24 * time.Hour: "2 months ago", 800 * 24 * time.Hour: "2 years ago"} {
		if got := ui.Ago(now.Add(-d), now); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestMonograms(t *testing.T) {
	for name, want := range map[hub.Name]string{"acme/postgres": "P", "acme/brave-search": "BS", "acme/mcp-server-git": "G", "acme/mcp": "M", "acme/one.two_three": "OT", "x/7zip": "7", "": ""} {
		if got := ui.Initials(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if h := ui.Hue(name); h < 0 || h >= ui.Hues || h != ui.Hue(name) {
			t.Errorf("%s: hue %d", name, h)
		}
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"@acme/db": "@acme/<wbr>db", "a-b.c": "a-<wbr>b.<wbr>c", "<b>": "&lt;b&gt;", "": "", "/": "/", "ä-ö": "ä-<wbr>ö"} {
		var b bytes.Buffer
		if err := ui.Name(in).Render(t.Context(), &b); err != nil || b.String() != want {
			t.Errorf("%q: %q, want %q", in, b.String(), want)
		}
	}
	if p := ui.ServerPath("acme/db"); p != "/servers/@acme/db" {
		t.Error(p)
	}
	if p := ui.VersionPath("io.github.x/db", "1.0.0+a/b"); !strings.HasSuffix(p, "/v/1.0.0+a%2Fb") {
		t.Error(p)
	}
}

// TestCommand guards: a command can be copied as it is, and may wrap behind its slashes.
func TestCommand(t *testing.T) {
	var b bytes.Buffer
	err := ui.Command("curl http://hub.example/a?b=<c>").Render(t.Context(), &b)
	for _, want := range []string{`data-copy="curl http://hub.example/a?b=&lt;c&gt;"`, "curl http://<wbr>hub.example/<wbr>a?b=&lt;c&gt;"} {
		if err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %s", want, b.String())
		}
	}
}
