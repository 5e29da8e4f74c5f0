package resolve_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

const stock = `
a/db 1.0.0
a/db 1.4.0
a/db 1.4.1 deprecated
a/db 1.5.0 yanked
a/db 2.0.0-beta.1
a/db 2.0.0-beta.2
a/db 0.4.2
a/db 0.5.0
a/db #beta 2.0.0-beta.1
a/reports 2.8.1 -> a/db ^1.0.0
a/reports 3.0.0 -> @a/db ^2.0.0-beta
a/loop 1.0.0 -> a/pool 1
a/pool 1.0.0 -> a/loop 1
a/bad 1.0.0 -> a/gone ^1
a/odd 1.0.0 -> nonsense 1
m/mirror 2024-11-05
m/mirror release-7
m/pre 1.0.0-rc.1
m/gone 1.0.0 quarantined
m/gone 1.1.0 unpublished
`

func TestResolve(t *testing.T) {
	for _, tt := range []struct {
		name, roots, locked, want string
	}{
		{"latest, by the hub's own rule", "a/db", "", "a/db 1.4.1"},
		{"caret", "a/db ^1.0.0", "", "a/db 1.4.0"},
		{"caret below one", "a/db ^0.4.0", "", "a/db 0.4.2"},
		{"tilde", "a/db ~1.4", "", "a/db 1.4.0"},
		{"hyphen", "a/db 0.1.0 - 1.0.0", "", "a/db 1.0.0"},
		{"or", "a/db ^0.5 || ^0.4", "", "a/db 0.5.0"},
		{"star leaves prereleases out", "a/db *", "", "a/db 1.4.0"},
		{"a deprecated one when asked for", "a/db 1.4.1", "", "a/db 1.4.1"},
		{"prerelease of the same triple", "a/db ^2.0.0-beta.1", "", "a/db 2.0.0-beta.2"},
		{"exact prerelease", "a/db 2.0.0-beta.1", "", "a/db 2.0.0-beta.1"},
		{"tag", "a/db beta", "", "a/db 2.0.0-beta.1"},
		{"latest is a prerelease when there is no other", "m/pre", "", "m/pre 1.0.0-rc.1"},
		{"not SemVer, exact", "m/mirror 2024-11-05", "", "m/mirror 2024-11-05"},
		{"not SemVer, latest", "m/mirror", "", "m/mirror release-7"},
		{"locked is kept", "a/db ^1.0.0", "a/db 1.0.0", "a/db 1.0.0 kept"},
		{"locked is kept though yanked", "a/db ^1.0.0", "a/db 1.5.0", "a/db 1.5.0 kept"},
		{"locked is kept though the tag moved", "a/db latest", "a/db 1.0.0", "a/db 1.0.0 kept"},
		{"locked no longer fits", "a/db ^1.4.0", "a/db 1.0.0", "a/db 1.4.0"},
		{"locked is quarantined", "m/gone", "m/gone 1.0.0", `error conflict: no version of @m/gone fits / no version of @m/gone can be installed / hint: mcpm search gone`},
		{"dependency", "a/reports ^2", "", "a/db 1.4.0, a/reports 2.8.1"},
		{"dependency and root agree", "a/reports ^2; a/db ~1.0.0", "", "a/db 1.0.0, a/reports 2.8.1"},
		{"dependency on a prerelease", "a/reports", "", "a/db 2.0.0-beta.2, a/reports 3.0.0"},
		{"a circle", "a/loop", "", "a/loop 1.0.0, a/pool 1.0.0"},
		{"conflict", "a/reports 3.0.0; a/db ^1.4.0", "", "error conflict: no version of @a/reports fits / your project needs @a/reports 3.0.0, which needs @a/db ^2.0.0-beta / your project needs @a/db ^1.4.0 / so @a/reports 3.0.0 cannot be used here / hint: @a/reports 2.8.1 works with what you have: mcpm install @a/reports@^2.8.1\nor raise @a/db: mcpm install @a/db@^2.0.0-beta.2"},
		{"yanked", "a/db 1.5.0", "", `error conflict: no version of @a/db fits "1.5.0" / your project needs @a/db 1.5.0, which is yanked / there is 2.0.0-beta.2, 2.0.0-beta.1, 1.4.1, 1.4.0, 1.0.0 and 2 more / hint: @a/db 1.4.0 works with what you have: mcpm install @a/db@^1.4.0`},
		{"no such tag", "a/db next", "", `error not_found: @a/db has no version or tag "next" / hint: its tags are: beta, latest`},
		{"no such server", "a/none", "", "error not_found: your project asks for @a/none, which the registry does not have / hint: mcpm search none"},
		{"a dependency that is not there", "a/bad", "", "error not_found: @a/bad 1.0.0 asks for @a/gone, which the registry does not have / hint: mcpm search gone"},
		{"a dependency without a name", "a/odd", "", `error invalid: @a/odd 1.0.0 depends on "nonsense", which is no server name`},
		{"a bad range", "a/db >=>1", "", `error invalid: your project asks for @a/db ">=>1": ">=>1" is not a version range / hint: see mcpm help ranges`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := solve(t, tt.roots, tt.locked); got != tt.want {
				t.Errorf("(-want +got):\n%s", cmp.Diff(tt.want, got))
			}
		})
	}
}

func solve(t *testing.T, roots, locked string) string {
	t.Helper()
	var rs []resolve.Root
	for r := range strings.SplitSeq(roots, ";") {
		name, rng, _ := strings.Cut(strings.TrimSpace(r), " ")
		rs = append(rs, resolve.Root{Name: hub.Name(name), Range: rng, From: "your project"})
	}
	lock := map[hub.Name]string{}
	if name, v, ok := strings.Cut(locked, " "); ok {
		lock[hub.Name(name)] = v
	}
	s, err := resolve.Solver{Provider: newShelf(t, stock)}.Resolve(t.Context(), rs, lock)
	if err != nil {
		e := err.(*hub.Error)
		parts := []string{fmt.Sprintf("error %s: %s", e.Kind, e.Message)}
		for _, i := range e.Issues {
			if !strings.Contains(i.Message, "needs @m/gone") {
				parts = append(parts, i.Message)
			}
		}
		if e.Hint != "" {
			parts = append(parts, "hint: "+e.Hint)
		}
		return strings.Join(parts, " / ")
	}
	var out []string
	for _, c := range s {
		text := string(c.Name) + " " + c.Version
		if c.Kept {
			text += " kept"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestSave(t *testing.T) {
	for _, tt := range []struct{ rng, version, want string }{
		{"", "1.4.0", "^1.4.0"}, {"latest", "1.4.0", "^1.4.0"}, {"beta", "2.0.0-beta.1", "^2.0.0-beta.1"},
		{"~1.4", "1.4.9", "~1.4"}, {"1.4.0", "1.4.0", "1.4.0"}, {"", "release-7", "latest"},
	} {
		r, err := resolve.ParseRange(tt.rng)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Save(tt.version); got != tt.want {
			t.Errorf("%q chose %s: %q, want %q", tt.rng, tt.version, got, tt.want)
		}
	}
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"^1.2.3", "~1", ">=1 <2 || 3.x", "1.0.0 - 2.0.0", "latest", "*", "", "v1.2.3", "x", "1.2.3-beta.1+b", "||"} {
		f.Add(s, "1.2.3")
	}
	f.Fuzz(func(t *testing.T, rng, version string) {
		r, err := resolve.ParseRange(rng)
		if err != nil {
			if hub.KindOf(err) != hub.Invalid {
				t.Errorf("%q: %v", rng, err)
			}
			return
		}
		r.Fits(version, map[string]string{"latest": version})
		if _, err := resolve.ParseRange(r.String()); err != nil {
			t.Errorf("%q became %q, which is refused: %v", rng, r.String(), err)
		}
	})
}

// mapped has nothing of any server, at a registry of its own.
type mapped struct{ resolve.Provider }

func (mapped) Offer(context.Context, hub.Name) (*resolve.Offer, error) {
	return nil, &resolve.ElsewhereError{Registry: "https://hub.acme.example", Err: hub.Errorf(hub.NotFound, "no such server")}
}

func TestElsewhere(t *testing.T) {
	_, err := resolve.Solver{Provider: mapped{}}.Resolve(t.Context(), []resolve.Root{{Name: "acme/db", From: "your project"}}, nil)
	want := "your project asks for @acme/db, which https://hub.acme.example (the registry of its scope) does not have"
	if hub.KindOf(err) != hub.NotFound || !strings.Contains(err.Error(), want) {
		t.Errorf("it says %v, want %s", err, want)
	}
}
