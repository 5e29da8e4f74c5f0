package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// said is a solution in one line.
func said(s resolve.Solution, err error) string {
	if err != nil {
		return detail(err)
	}
	var out []string
	for _, c := range s {
		text := string(c.ID()) + " " + c.Version
		if c.Alias != "" {
			text += " of " + string(c.Name)
		}
		if c.Kept {
			text += " kept"
		}
		if c.Dev {
			text += " dev"
		}
		for _, n := range c.Notes {
			text += " (" + n + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

const shop = `
a/app 1.0.0 -> a/db ^1
a/app 1.1.0 -> a/db ^2
a/db 1.0.0
a/db 1.1.0
a/db 1.2.0 yanked
a/db 1.3.0 deprecated
a/db 2.0.0
a/db 2.1.0-beta.1
a/tool 1.0.0 -> a/db *
a/two 1.0.0 -> a/db ^1, old mcpm:a/db@1.0.0
a/own 1.0.0 -> a/own ^1
a/new 1.0.0 -> !node >=18
a/new 2.0.0 -> !node >=22, !mcp >=2025-06-18
a/host 1.0.0
a/host 2.0.0 -> !host Claude Desktop
a/host 3.0.0 -> !host zed, !host cursor
a/os 1.0.0
a/os 2.0.0 -> !platform windows
a/lost 1.0.0 -> a/db ^1
a/lost 1.1.0 -> a/nowhere *
a/lost 1.2.0 -> a/db >=>1
a/lost 1.3.0 -> a/db no-such-tag
a/all-deprecated 1.0.0 deprecated
a/all-deprecated 1.1.0 deprecated
`

// TestSolver has what one project asks and gets, in the words of project in conflict_test.go.
func TestSolver(t *testing.T) {
	for _, tt := range []struct{ name, project, want string }{
		{"goes back to a lower version of one to make another fit", "dep a/app *\ndep a/db ^1", "a/app 1.0.0, a/db 1.1.0"},
		{"the order of the roots decides who gets the newest", "dep a/db *\ndep a/app *", "a/app 1.1.0, a/db 2.0.0"},
		{"locked is preferred", "dep a/app *\nlock a/app 1.0.0\nlock a/db 1.0.0", "a/app 1.0.0 kept, a/db 1.0.0 kept"},
		{"one that forgets its lock pulls along what must move", "dep a/app *\nlock a/db 1.0.0", "a/app 1.1.0, a/db 2.0.0"},
		{"what is new does not push what is locked", "dep a/db *\ndep a/app *\nlock a/app 1.0.0", "a/app 1.0.0 kept, a/db 1.1.0"},
		{"yanked stays when locked, in a dependency too", "dep a/app ^1.0.0\nlock a/app 1.0.0\nlock a/db 1.2.0", "a/app 1.0.0 kept, a/db 1.2.0 kept"},
		{"yanked is not newly taken", "dep a/db ~1.2", "conflict"},
		{"deprecated after all others", "dep a/db ^1", "a/db 1.1.0"},
		{"deprecated when there is no other", "dep a/all-deprecated *", "a/all-deprecated 1.1.0"},
		{"a prerelease after what is stable", "dep a/db ^2 || ^2.1.0-beta.1", "a/db 2.0.0"},
		{"lowest", "dep a/db ^1\ndep a/tool *\nprefer lowest", "a/db 1.0.0, a/tool 1.0.0"},
		{"lowest ignores what is locked", "dep a/db ^1\nlock a/db 1.1.0\nprefer lowest", "a/db 1.0.0"},
		{"highest ignores what is locked", "dep a/db ^1\nlock a/db 1.0.0\nprefer highest", "a/db 1.1.0"},
		{"dev", "dep a/db ^1\ndev a/tool *", "a/db 1.1.0, a/tool 1.0.0 dev"},
		{"dev, all the way down", "dev a/tool *", "a/db 2.0.0 dev, a/tool 1.0.0 dev"},
		{"override of a dependency", "dep a/app ^1.1.0\noverride a/db 1.0.0", "a/app 1.1.0, a/db 1.0.0"},
		{"override of the project's own", "dep a/db ^2\noverride a/db 1.0.0", "a/db 1.0.0"},
		{"alias", "dep a/db ^2\nalias old a/db ^1", "a/db 2.0.0, old 1.1.0 of a/db"},
		{"alias, locked under its own name", "dep a/db ^2\nalias old a/db ^1\nlock old 1.0.0", "a/db 2.0.0, old 1.0.0 of a/db kept"},
		{"alias of a dependency", "dep a/two *", "a/db 1.1.0, a/two 1.0.0, old 1.0.0 of a/db"},
		{"override of an alias", "dep a/two *\noverride old 1.1.0", "a/db 1.1.0, a/two 1.0.0, old 1.1.0 of a/db"},
		{"needs itself", "dep a/own *", "a/own 1.0.0"},
		{"engine too old", "dep a/new *\nenv node 20.0.0", "a/new 1.0.0"},
		{"engine fits", "dep a/new *\nenv node 22.1.0\nenv mcp 2025-11-25 2025-06-18", "a/new 2.0.0"},
		{"one of several engines fits", "dep a/new *\nenv node 18.0.0 22.1.0\nenv mcp 2025-06-18", "a/new 2.0.0"},
		{"engine unknown is noted", "dep a/new *\nenv mcp 2025-11-25", "a/new 2.0.0 (needs node >=22, which could not be checked here)"},
		{"protocol too old", "dep a/new *\nenv mcp 2025-03-26\nenv node 22.0.0", "a/new 1.0.0"},
		{"host by its name", "dep a/host <3\nenv host claude-desktop", "a/host 2.0.0"},
		{"host of two", "dep a/host *\nenv host cursor", "a/host 3.0.0"},
		{"host that is not here", "dep a/host *\nenv host vscode", "a/host 1.0.0"},
		{"no host is known", "dep a/host *", "a/host 3.0.0 (works with zed or cursor, which could not be checked here)"},
		{"platform", "dep a/os *\nenv platform linux/amd64", "a/os 1.0.0"},
		{"platform of any processor", "dep a/os *\nenv platform windows/arm64", "a/os 2.0.0"},
		{"versions that name what is not there are passed over", "dep a/lost *", "a/db 1.1.0, a/lost 1.0.0"},
		{"nothing wanted", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, lowest := strings.CutSuffix(tt.project, "\nprefer lowest")
			text, highest := strings.CutSuffix(text, "\nprefer highest")
			s, roots, locked := project(t, text)
			s.Provider = newShelf(t, shop)
			if lowest {
				s.Prefer = resolve.PreferLowest
			} else if highest {
				s.Prefer = resolve.PreferHighest
			}
			sol, err := s.Resolve(t.Context(), roots, locked)
			if got := said(sol, err); got != tt.want && !(tt.want == "conflict" && hub.KindOf(err) == hub.Conflict) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// slow is a provider that answers only when as many ask as it waits for.
type slow struct {
	*shelf
	wait    int
	mu      sync.Mutex
	waiting int
	gate    chan struct{}
	most    atomic.Int32
	now     atomic.Int32
}

func (s *slow) Offer(ctx context.Context, name hub.Name) (*resolve.Offer, error) {
	s.most.Store(max(s.most.Load(), s.now.Add(1)))
	defer s.now.Add(-1)
	if strings.HasPrefix(string(name), "w/") {
		s.mu.Lock()
		if s.waiting++; s.waiting == s.wait {
			close(s.gate)
		}
		s.mu.Unlock()
		select {
		case <-s.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.shelf.Offer(ctx, name)
}

// TestAsksAhead: what a version needs is asked for at once, never more than eight at a time, and each question once.
func TestAsksAhead(t *testing.T) {
	var b strings.Builder
	b.WriteString("a/app 1.0.0 -> ")
	for i := range 20 {
		fmt.Fprintf(&b, "w/w%02d *, ", i)
	}
	for i := range 20 {
		fmt.Fprintf(&b, "\nw/w%02d 1.0.0", i)
	}
	p := &slow{shelf: newShelf(t, b.String()), wait: 8, gate: make(chan struct{})}
	s, err := resolve.Solver{Provider: p}.Resolve(t.Context(), []resolve.Root{{Name: "a/app"}}, nil)
	if err != nil || len(s) != 21 {
		t.Fatal(said(s, err))
	}
	if most := p.most.Load(); most > 8 {
		t.Errorf("%d at a time", most)
	}
	for q, n := range p.asked {
		if n != 1 {
			t.Errorf("%s was asked %d times", q, n)
		}
	}
}

func TestStops(t *testing.T) {
	p := &slow{shelf: newShelf(t, "a/app 1.0.0 -> w/one *, w/two *\nw/one 1.0.0\nw/two 1.0.0"), wait: 100, gate: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for p.now.Load() < 2 {
			runtime.Gosched()
		}
		cancel()
	}()
	if s, err := (resolve.Solver{Provider: p}).Resolve(ctx, []resolve.Root{{Name: "a/app"}}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled question was answered: %s", said(s, err))
	}
}

// down is a provider whose hub goes away.
type down struct {
	*shelf
	when string
}

func (d down) Needs(ctx context.Context, name hub.Name, version string) (resolve.Needs, error) {
	if d.when == string(name)+" "+version {
		return resolve.Needs{}, hub.Errorf(hub.Unavailable, "the hub does not answer")
	}
	return d.shelf.Needs(ctx, name, version)
}

// TestUnavailable: a hub that does not answer is not a reason to take another version. Where the answer is not
// needed, nobody misses it.
func TestUnavailable(t *testing.T) {
	stock := newShelf(t, "a/app 1.1.0 -> a/db ^2\na/app 1.0.0\na/db 1.0.0\na/db 2.0.0")
	if s, err := (resolve.Solver{Provider: down{stock, "a/app 1.1.0"}}).Resolve(t.Context(), []resolve.Root{{Name: "a/app"}}, nil); hub.KindOf(err) != hub.Unavailable {
		t.Error(said(s, err))
	}
	roots := []resolve.Root{{Name: "a/app", Range: "*"}, {Name: "a/db", Range: "*"}}
	stock = newShelf(t, "a/app 1.0.0 -> a/db ^1\na/db 1.0.0\na/db 2.0.0")
	if s, err := (resolve.Solver{Provider: down{stock, "a/db 2.0.0"}}).Resolve(t.Context(), roots, nil); said(s, err) != "a/app 1.0.0, a/db 1.0.0" {
		t.Error(said(s, err))
	}
}

// endless is a hub that makes up a new server for every question.
type endless struct{ wide int }

func (e endless) Offer(_ context.Context, name hub.Name) (*resolve.Offer, error) {
	return &resolve.Offer{Name: name, Versions: []resolve.Version{{Version: "1.0.0", State: hub.Published}}}, nil
}

func (e endless) Needs(_ context.Context, name hub.Name, _ string) (resolve.Needs, error) {
	n := resolve.Needs{Dependencies: map[string]string{}}
	for i := range e.wide {
		n.Dependencies[fmt.Sprintf("x/%.60s-%d", name.Base(), i)] = "^1"
		if e.wide == 1 {
			n.Dependencies = map[string]string{fmt.Sprintf("x/n%d", len(name.Base())+number(name.Base())): "^1"}
		}
	}
	return n, nil
}

func number(s string) int {
	n := 0
	_, _ = fmt.Sscanf(s, "n%d", &n)
	return n + 1
}

// TestHostile: what a hub answers may have no end, and the search does.
func TestHostile(t *testing.T) {
	for name, p := range map[string]resolve.Provider{"deep": endless{1}, "wide": endless{50}, "too wide": endless{6000}} {
		t.Run(name, func(t *testing.T) {
			s, err := resolve.Solver{Provider: p}.Resolve(t.Context(), []resolve.Root{{Name: "x/n", From: "your project"}}, nil)
			if hub.KindOf(err) != hub.Conflict {
				t.Errorf("%d servers, %v", len(s), err)
			}
		})
	}
	t.Run("many versions", func(t *testing.T) {
		var b strings.Builder
		for v := range 100_000 {
			fmt.Fprintf(&b, "x/many %d.0.0 -> x/base ^2\n", v+1)
		}
		stock := newShelf(t, b.String()+"x/base 1.0.0\nx/base 2.0.0")
		solver := resolve.Solver{Provider: stock}
		if s, err := solver.Resolve(t.Context(), []resolve.Root{{Name: "x/many", Range: "*"}}, nil); said(s, err) != "x/base 2.0.0, x/many 100000.0.0" {
			t.Error(said(s, err))
		}
		roots := []resolve.Root{{Name: "x/many", Range: "*"}, {Name: "x/base", Range: "^1"}}
		if s, err := solver.Resolve(t.Context(), roots, nil); hub.KindOf(err) != hub.Conflict {
			t.Error(said(s, err))
		}
	})
}
