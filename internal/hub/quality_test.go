package hub_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

var assessed = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return assessed.Add(-time.Duration(days) * 24 * time.Hour) }

func part(t *testing.T, q hub.Quality, name string) hub.QualityPart {
	t.Helper()
	for _, p := range q.Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %s", name)
	return hub.QualityPart{}
}

func TestAssess(t *testing.T) {
	s := &hub.Server{Name: "acme/db", Title: "Database", Description: strings.Repeat("x", 30), Repository: "https://example.com", License: "MIT",
		Homepage: "https://example.com", Keywords: []string{"db"}, Installs: 20_000}
	v := &hub.Version{Version: "1.1.0", Readme: "x", PublishedAt: ago(10), Facts: hub.LatestFacts{Tools: 2, PackageTypes: []string{"npm"}},
		Capabilities: []hub.Capability{{Type: hub.Tool, Name: "a", Schema: json.RawMessage("{}")}, {Type: hub.Tool, Name: "b"}}}
	all := []*hub.Version{v, {Version: "1.0.0", PublishedAt: ago(400)}}
	q := hub.Assess(s, v, all, []hub.DayCount{{Day: ago(3), Count: 9}, {Day: ago(40), Count: 8}}, assessed)
	for name, want := range map[string]int{"documentation": 100, "maintenance": 50 + 5 + 10 + 20, "popularity": 100, "conformance": 90} {
		if p := part(t, q, name); !p.Known || p.Points != want {
			t.Errorf("%s: %+v, want %d", name, p, want)
		}
	}
	if p := part(t, q, "security"); p.Known || p.Points != 0 || p.Evidence[0].Fact != "not scanned" {
		t.Errorf("%+v", p)
	}
	if q.Total != 94 { // (100+85+100+90)/4, security left out
		t.Errorf("total %d", q.Total)
	}
	if got := part(t, q, "documentation").Points; got != hub.Score(s, v.Facts, true) {
		t.Errorf("documentation is %d, the score %d", got, hub.Score(s, v.Facts, true))
	}
}

// TestAssessDeprecated guards: what was given up is not shown as complete, in its parts or in one number.
func TestAssessDeprecated(t *testing.T) {
	s := &hub.Server{Name: "acme/db", Title: "Database", Description: strings.Repeat("x", 30), Repository: "https://example.com", License: "MIT", Latest: hub.LatestFacts{State: hub.Deprecated}}
	v := &hub.Version{Version: "1.0.0", State: hub.Deprecated, PublishedAt: ago(1)}
	s.Score = hub.Score(s, v.Facts, false)
	q := hub.Assess(s, v, []*hub.Version{v}, nil, assessed)
	if p := part(t, q, "documentation"); s.Score != 55 || s.Described() != 27 || p.Points != 27 {
		t.Errorf("score %d, shown as %d, documentation %+v", s.Score, s.Described(), p)
	}
	if p := part(t, q, "maintenance"); !p.Known || p.Points != 0 {
		t.Errorf("%+v", p)
	}
	s.Latest.State = hub.Published
	if s.Described() != 55 {
		t.Errorf("not deprecated, it shows %d", s.Described())
	}
}

// TestAssessUnknown guards: what was not measured has no figure, and does not lower the total.
func TestAssessUnknown(t *testing.T) {
	s := &hub.Server{Name: "Acme/DB"}
	v := &hub.Version{Version: "2024-01"}
	q := hub.Assess(s, v, nil, nil, assessed)
	for _, name := range []string{"maintenance", "popularity", "security"} {
		if p := part(t, q, name); p.Known || p.Points != 0 {
			t.Errorf("%+v", p)
		}
	}
	if q.Total != 20 { // nothing documented, 40 for conformance
		t.Errorf("total %d: %+v", q.Total, q)
	}
	copied := hub.Assess(s, v, []*hub.Version{{Mirrored: true, PublishedAt: ago(1), CreatedAt: ago(1)}}, nil, assessed)
	if p := part(t, copied, "maintenance"); p.Known {
		t.Errorf("the day of the copy counts as a release: %+v", p)
	}
	old := hub.Assess(s, v, []*hub.Version{{PublishedAt: ago(3000)}}, nil, assessed)
	if p := part(t, old, "maintenance"); !p.Known || p.Points != 10 {
		t.Errorf("%+v", p)
	}
}
