package resolve_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// catalogue makes a hub of n servers with many versions each, every version with up to four dependencies on servers
// further down, in ranges that mostly but not always agree.
func catalogue(tb testing.TB, n, versions int) *shelf {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for p := range n {
		for v := range versions {
			fmt.Fprintf(&b, "p/p%04d %d.%d.%d", p, 1+v/20, v/5%4, v%5)
			sep := " -> "
			for range r.IntN(5) {
				if d := p + 1 + r.IntN(40); d < n {
					fmt.Fprintf(&b, "%sp/p%04d %s", sep, d, []string{"^1", "^2.0.0", ">=1.1 <3", "^1 || ^2", "~2.1", "*"}[r.IntN(6)])
					sep = ", "
				}
			}
			b.WriteByte('\n')
		}
	}
	return newShelf(tb, b.String())
}

// swamp makes a hub in which a search without memory drowns: every layer has many versions that all fit the layer
// before, and only at the bottom does it turn out that the top asked for two things that exclude each other.
func swamp(tb testing.TB, layers, versions int, ends bool) *shelf {
	var b strings.Builder
	for l := range layers {
		for v := range versions {
			fmt.Fprintf(&b, "s/s%02d 1.%d.0 -> s/s%02d ^1", l, v, l+1)
			if l+3 < layers {
				fmt.Fprintf(&b, ", s/s%02d >=1.%d", l+3, v/2)
			}
			if l == layers-1 || l%4 == 0 && (v > 0 || !ends) {
				fmt.Fprintf(&b, ", s/end ^%d", 1+l%3)
			}
			b.WriteByte('\n')
		}
	}
	fmt.Fprintf(&b, "s/s%02d 1.0.0\ns/end 1.0.0\ns/end 2.0.0\ns/end 3.0.0\n", layers)
	return newShelf(tb, b.String())
}

func BenchmarkResolve(b *testing.B) {
	stock := catalogue(b, 1000, 50)
	var all, top []resolve.Root
	for p := range 1000 {
		root := resolve.Root{Name: hub.Name(fmt.Sprintf("p/p%04d", p)), Range: "*", From: "your project"}
		all = append(all, root)
		if p%100 == 0 {
			top = append(top, root)
		}
	}
	for _, c := range []struct {
		name  string
		roots []resolve.Root
	}{{"1000x50", all}, {"10-roots-of-1000x50", top}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s, err := resolve.Solver{Provider: stock}.Resolve(b.Context(), c.roots, nil)
				if err != nil {
					b.Fatal(detail(err))
				}
				b.ReportMetric(float64(len(s)), "servers")
			}
		})
	}
}

func BenchmarkBacktracking(b *testing.B) {
	for _, c := range []struct {
		name string
		ends bool
	}{{"solved", true}, {"refused", false}} {
		b.Run(c.name, func(b *testing.B) {
			stock := swamp(b, 40, 50, c.ends)
			for b.Loop() {
				_, err := resolve.Solver{Provider: stock}.Resolve(b.Context(), []resolve.Root{{Name: "s/s00", Range: "*", From: "your project"}}, nil)
				if (err == nil) != c.ends {
					b.Fatal(detail(err))
				}
			}
		})
	}
}

func BenchmarkParseRange(b *testing.B) {
	for b.Loop() {
		if _, err := resolve.ParseRange(">=1.2.3 <2 || ^3.1.0-beta.1"); err != nil {
			b.Fatal(err)
		}
	}
}
