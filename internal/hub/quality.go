package hub

import (
	"fmt"
	"math"
	"time"
)

// Quality is what is known of how good a server is, in parts. docs/score.md explains the sums; keep them alike.
type Quality struct {
	Total int // mean of the parts that are known, 0 to 100
	Parts []QualityPart
}

// QualityPart is one side of it: documentation, maintenance, popularity, conformance or security.
type QualityPart struct {
	Name     string
	Known    bool // false: nothing was measured, and Points says nothing
	Points   int  // 0 to 100
	Evidence []Evidence
}

// Evidence is one fact and what it adds.
type Evidence struct {
	Fact   string
	Points int
	Of     int // the most it can add
}

// fullInstalls is the number of installs from which on more say nothing.
const fullInstalls = 10_000

// day is a calendar day of 24 hours.
const day = 24 * time.Hour

// Assess judges a server by its record, its latest version, all its versions and its installs of the last 60 days.
func Assess(s *Server, latest *Version, versions []*Version, recent []DayCount, now time.Time) Quality {
	parts := []QualityPart{documentation(s, latest), maintenance(s, versions, now), popularity(s, recent, now), conformance(s, latest),
		{Name: "security", Evidence: []Evidence{{Fact: "not scanned"}}}}
	q := Quality{Parts: parts}
	known := 0
	for i, p := range parts {
		for _, e := range p.Evidence {
			parts[i].Points += e.Points
		}
		if p.Known {
			known++
			q.Total += parts[i].Points
		}
	}
	if known > 0 {
		q.Total = int(math.Round(float64(q.Total) / float64(known)))
	}
	return q
}

// fact is evidence that is there or not.
func fact(points int, ok bool, yes, no string) Evidence {
	if ok {
		return Evidence{yes, points, points}
	}
	return Evidence{no, 0, points}
}

// documentation is what Score sums up, and Described shows.
func documentation(s *Server, v *Version) QualityPart {
	out := QualityPart{Name: "documentation", Known: true, Evidence: []Evidence{
		fact(10, s.Title != "", "has a title", "no title"),
		fact(15, len(s.Description) >= 30, "has a description", "no description of 30 characters"),
		fact(15, s.Repository != "", "names its source repository", "no source repository"),
		fact(15, s.License != "", "names its licence", "no licence"),
		fact(5, s.Homepage != "", "has a homepage", "no homepage"),
		fact(5, len(s.Keywords)+len(s.Categories) > 0, "has keywords or categories", "no keywords, no categories"),
		fact(20, v.Facts.Tools+v.Facts.Resources+v.Facts.Prompts > 0, "declares its tools, resources or prompts", "declares no tools, resources or prompts"),
		fact(10, len(v.Facts.PackageTypes) > 0, "says how it is started", "does not say how it is started"),
		fact(5, v.Readme != "", "has a readme", "no readme"),
	}}
	if s.Latest.State == Deprecated {
		sum := 0
		for _, e := range out.Evidence {
			sum += e.Points
		}
		out.Evidence = append(out.Evidence, Evidence{Fact: "deprecated: half of it counts", Points: sum/2 - sum})
	}
	return out
}

func maintenance(s *Server, versions []*Version, now time.Time) QualityPart {
	if s.Latest.State == Deprecated {
		return QualityPart{Name: "maintenance", Known: true, Evidence: []Evidence{{"deprecated: its publisher gave it up", 0, 100}}}
	}
	var last, first time.Time
	lately := 0
	for _, v := range versions {
		if !v.PublicationKnown() {
			continue
		}
		if v.PublishedAt.After(last) {
			last = v.PublishedAt
		}
		if first.IsZero() || v.PublishedAt.Before(first) {
			first = v.PublishedAt
		}
		if now.Sub(v.PublishedAt) < 365*day {
			lately++
		}
	}
	if last.IsZero() {
		return QualityPart{Name: "maintenance", Evidence: []Evidence{{Fact: "nobody says when it was released"}}}
	}
	since, age := int(now.Sub(last)/day), int(now.Sub(first)/day)
	fresh := 50
	for _, limit := range []int{30, 90, 180, 365, 730} {
		if since > limit {
			fresh -= 10
		}
	}
	return QualityPart{Name: "maintenance", Known: true, Evidence: []Evidence{
		{fmt.Sprintf("last release %s ago", plural(since, "day")), fresh, 50},
		{fmt.Sprintf("%s in the last year", plural(lately, "release")), min(20, 5*lately), 20},
		{fmt.Sprintf("first release %s ago", plural(age, "day")), min(10, age/36), 10},
		fact(20, s.Repository != "", "its source can be read", "no source repository"),
	}}
}

func popularity(s *Server, recent []DayCount, now time.Time) QualityPart {
	if s.Installs == 0 {
		return QualityPart{Name: "popularity", Evidence: []Evidence{{Fact: "nobody has installed it from this hub yet"}}}
	}
	var month, before int64
	for _, d := range recent {
		if now.Sub(d.Day) < 30*day {
			month += d.Count
		} else {
			before += d.Count
		}
	}
	points := min(80, int(math.Round(80*math.Log10(1+float64(s.Installs))/math.Log10(1+fullInstalls))))
	return QualityPart{Name: "popularity", Known: true, Evidence: []Evidence{
		{plural(int(s.Installs), "install") + " from this hub", points, 80},
		fact(20, month > before, fmt.Sprintf("%d in the last 30 days, %d in the 30 before", month, before),
			fmt.Sprintf("%d in the last 30 days, %d in the 30 before", month, before)),
	}}
}

func conformance(s *Server, v *Version) QualityPart {
	schemas, tools := 0, 0
	for _, c := range v.Capabilities {
		if c.Type == Tool {
			tools++
			if len(c.Schema) > 0 {
				schemas++
			}
		}
	}
	_, badVersion := ParseVersion(v.Version)
	_, badName := ParseName(string(s.Name))
	out := QualityPart{Name: "conformance", Known: true, Evidence: []Evidence{
		fact(40, true, "its manifest passed the structural checks", ""),
		fact(20, badVersion == nil, "its version is SemVer 2.0.0", "its version is not SemVer 2.0.0"),
		fact(20, badName == nil, "its name follows the rule of this hub", "its name follows the rule of another catalogue"),
		{Fact: "declares no tools", Of: 20},
	}}
	if tools > 0 {
		out.Evidence[3] = Evidence{fmt.Sprintf("%d of %s with an input schema", schemas, plural(tools, "tool")), 20 * schemas / tools, 20}
	}
	return out
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
