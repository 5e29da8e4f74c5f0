package resolve_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// TestMembers: what several members ask for is solved as if one project asked for all of it, whichever member asks for
// what; or for both there is no answer, and it names who asks.
func TestMembers(t *testing.T) {
	ranges := []string{"*", "^1", "^2.0.0", ">=1", "<2", "~1.1"}
	solved, refused := 0, 0
	for seed := range 600 {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		stock := newShelf(t, graph(r))
		of := map[hub.Name][]string{}
		var members []resolve.Root
		for m := range 1 + r.IntN(3) {
			for p := range 2 {
				if r.IntN(4) == 0 {
					continue
				}
				root := resolve.Root{Name: hub.Name(fmt.Sprintf("p/p%d", p)), Range: ranges[r.IntN(len(ranges))], From: fmt.Sprintf("@acme/m%d", m), Dev: r.IntN(3) == 0}
				members = append(members, root)
				of[root.Name] = append(of[root.Name], root.Range)
			}
		}
		slices.SortStableFunc(members, func(a, b resolve.Root) int { return strings.Compare(string(a.ID()), string(b.ID())) })
		var one []resolve.Root
		for _, m := range members {
			if len(one) > 0 && one[len(one)-1].Name == m.Name {
				one[len(one)-1].Dev = one[len(one)-1].Dev && m.Dev
				continue
			}
			m.From, m.Range = "your project", strings.Join(of[m.Name], " ")
			one = append(one, m)
		}
		locked := map[hub.Name]string{}
		if seed%2 == 0 {
			locked["p/p0"], locked["p/p1"] = "1.1.0", "1.0.0"
		}
		solver := resolve.Solver{Provider: stock, Prefer: resolve.Prefer(seed % 3)}
		got, err := solver.Resolve(t.Context(), members, locked)
		want, wantErr := solver.Resolve(t.Context(), one, locked)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("seed %d: members %v, one project %v", seed, err, wantErr)
		}
		if err != nil {
			refused++
			if hub.KindOf(err) == hub.Conflict && strings.Contains(fmt.Sprint(errorLines(err)), "your project") {
				t.Errorf("seed %d: %v", seed, errorLines(err))
			}
			continue
		}
		solved++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-one project +members):\n%s", seed, diff)
		}
	}
	if solved < 100 || refused < 50 {
		t.Errorf("%d were solved, %d were not: the graphs test little", solved, refused)
	}
}

func errorLines(err error) []string {
	var e *hub.Error
	var out []string
	if errors.As(err, &e) {
		for _, i := range e.Issues {
			out = append(out, i.Message)
		}
	}
	return out
}
