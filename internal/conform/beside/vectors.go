package beside

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

type vectorFix struct {
	*testing.T
	hub.Vectors
	ctx context.Context
}

func (f *vectorFix) put(docs ...hub.VectorDoc) {
	f.Helper()
	if err := f.Put(f.ctx, docs); err != nil {
		f.Fatal(err)
	}
}

func (f *vectorFix) nearest(q hub.VectorQuery) []hub.Hit {
	f.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	hits, err := f.Nearest(f.ctx, q)
	if err != nil {
		f.Fatal(err)
	}
	return hits
}

func (f *vectorFix) want(q hub.VectorQuery, want string) {
	f.Helper()
	var ids []string
	for _, h := range f.nearest(q) {
		ids = append(ids, h.ID)
	}
	if got := strings.Join(ids, " "); got != want {
		f.Errorf("%+v: got %q, want %q", q, got, want)
	}
}

func (f *vectorFix) count(want int64) {
	f.Helper()
	if n, err := f.Count(f.ctx); err != nil || n != want {
		f.Errorf("Count: %d %v, want %d", n, err, want)
	}
}

// at is a vector of four dimensions at an angle, in degrees.
func at(degrees float64) []float32 {
	return []float32{float32(math.Cos(degrees * math.Pi / 180)), float32(math.Sin(degrees * math.Pi / 180)), 0, 0}
}

// uuid makes an ID of the form servers have; some engines accept no other.
func uuid(n int) string { return fmt.Sprintf("0198f000-0000-7000-8000-%012d", n) }

// Vectors runs the suite of hub.Vectors.
func Vectors(t *testing.T, open func(t *testing.T) hub.Vectors) {
	run := func(promise string, test func(f *vectorFix)) {
		t.Run(promise, func(t *testing.T) { test(&vectorFix{T: t, Vectors: open(t), ctx: context.Background()}) })
	}
	a, b, c := uuid(1), uuid(2), uuid(3)
	run("Put adds servers, which are found when it returns, or replaces them", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0)}}, hub.VectorDoc{ID: b, Parts: [][]float32{at(80)}})
		f.want(hub.VectorQuery{Vector: at(10)}, a+" "+b)
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(170), at(175)}})
		f.want(hub.VectorQuery{Vector: at(10)}, b+" "+a)
		f.count(2)
	})
	run("vectors of another length are refused", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0)}})
		if err := f.Put(f.ctx, []hub.VectorDoc{{ID: b, Parts: [][]float32{{1, 0}}}}); hub.KindOf(err) != hub.Invalid {
			f.Error(err)
		}
		if _, err := f.Nearest(f.ctx, hub.VectorQuery{Vector: []float32{1}, Limit: 1}); hub.KindOf(err) != hub.Invalid {
			f.Error(err)
		}
		f.count(1)
	})
	run("Delete removes servers; unknown IDs are no error", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0), at(1)}}, hub.VectorDoc{ID: b, Parts: [][]float32{at(5)}})
		if err := f.Delete(f.ctx, []string{a, c}); err != nil {
			f.Fatal(err)
		}
		f.want(hub.VectorQuery{Vector: at(0)}, b)
		f.count(1)
	})
	run("the score is the cosine of the best part; ties by ID", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: c, Parts: [][]float32{at(60)}}, hub.VectorDoc{ID: b, Parts: [][]float32{at(180), at(60), at(90)}},
			hub.VectorDoc{ID: a, Parts: [][]float32{at(20), at(100)}})
		hits := f.nearest(hub.VectorQuery{Vector: at(0)})
		for i, want := range []float64{math.Cos(20 * math.Pi / 180), 0.5, 0.5} {
			if len(hits) != 3 || hits[i].ID != []string{a, b, c}[i] || math.Abs(hits[i].Score-want) > 0.01 {
				f.Fatalf("%+v", hits)
			}
		}
		f.want(hub.VectorQuery{Vector: at(0), Limit: 1}, a)
	})
	run("a server without vectors is nowhere near", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0)}}, hub.VectorDoc{ID: b})
		f.want(hub.VectorQuery{Vector: at(0)}, a)
		f.put(hub.VectorDoc{ID: a})
		f.want(hub.VectorQuery{Vector: at(0)}, "")
	})
	run("Nearest of nothing is nothing, and refuses a limit out of range", func(f *vectorFix) {
		f.want(hub.VectorQuery{Vector: at(0)}, "")
		for _, limit := range []int{-1, 0, hub.MaxSearch + 1} {
			if _, err := f.Nearest(f.ctx, hub.VectorQuery{Vector: at(0), Limit: limit}); hub.KindOf(err) != hub.Invalid {
				f.Errorf("%d: %v", limit, err)
			}
		}
	})
	run("filters keep what has any value of each facet", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0)}, Labels: hub.Labels{hub.FacetPackage: {"npm", "oci"}, hub.FacetTool: {"x y"}}},
			hub.VectorDoc{ID: b, Parts: [][]float32{at(5)}, Labels: hub.Labels{hub.FacetPackage: {"npm"}, hub.FacetLicense: {"MIT"}}},
			hub.VectorDoc{ID: c, Parts: [][]float32{at(9)}})
		for _, t := range []struct {
			filter hub.Labels
			want   string
		}{{hub.Labels{hub.FacetPackage: {"npm"}}, a + " " + b}, {hub.Labels{hub.FacetPackage: {"oci", "pypi"}}, a}, {hub.Labels{hub.FacetTool: {"x y"}}, a},
			{hub.Labels{hub.FacetPackage: {"npm"}, hub.FacetLicense: {"MIT"}}, b}, {hub.Labels{hub.FacetPackage: {"np"}}, ""}, {hub.Labels{hub.FacetPackage: {}}, a + " " + b + " " + c}} {
			f.want(hub.VectorQuery{Vector: at(0), Filter: t.filter}, t.want)
		}
	})
	vectorRebuild(run)
	run("of the first ten at most one in twenty is missed", vectorRecall)
}

func vectorRebuild(run func(string, func(f *vectorFix))) {
	a, b := uuid(1), uuid(2)
	run("Rebuild switches to what it filled, also of another length, and finds the old until then", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0)}})
		err := f.Rebuild(f.ctx, func(put func(context.Context, []hub.VectorDoc) error) error {
			err := put(f.ctx, []hub.VectorDoc{{ID: b, Parts: [][]float32{{1, 0, 0}}}})
			f.want(hub.VectorQuery{Vector: at(0)}, a)
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
		f.want(hub.VectorQuery{Vector: []float32{1, 0, 0}}, b)
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{{0, 1, 0}}})
		f.count(2)
	})
	run("Rebuild leaves the old when fill fails", func(f *vectorFix) {
		f.put(hub.VectorDoc{ID: a, Parts: [][]float32{at(0)}})
		broken := errors.New("broken")
		err := f.Rebuild(f.ctx, func(put func(context.Context, []hub.VectorDoc) error) error {
			return errors.Join(put(f.ctx, []hub.VectorDoc{{ID: b, Parts: [][]float32{at(1)}}}), broken)
		})
		if !errors.Is(err, broken) {
			f.Error(err)
		}
		f.want(hub.VectorQuery{Vector: at(0)}, a)
	})
}

// vectorRecall compares an engine with a scan over vectors that come in clusters, as those of texts do.
func vectorRecall(f *vectorFix) {
	const n, dims = 8000, 64
	r := rand.New(rand.NewPCG(1, 2))
	var clusters [40][dims]float64
	for i := range clusters {
		for j := range clusters[i] {
			clusters[i][j] = r.NormFloat64()
		}
	}
	vector := func() []float32 {
		c, out := clusters[r.IntN(len(clusters))], make([]float32, dims)
		norm := 0.0
		for j := range out {
			x := c[j] + 0.7*r.NormFloat64() + 0.5
			out[j], norm = float32(x), norm+x*x
		}
		for j := range out {
			out[j] /= float32(math.Sqrt(norm))
		}
		return out
	}
	docs := make([]hub.VectorDoc, n)
	for i := range docs {
		docs[i] = hub.VectorDoc{ID: uuid(i), Parts: [][]float32{vector()}}
	}
	for part := range slices.Chunk(docs, 500) {
		f.put(part...)
	}
	found := 0
	const queries = 30
	for range queries {
		q := vector()
		cosine := func(d hub.VectorDoc) (sum float32) {
			for j, x := range d.Parts[0] {
				sum += x * q[j]
			}
			return sum
		}
		best := slices.Clone(docs)
		slices.SortFunc(best, func(a, b hub.VectorDoc) int {
			if cosine(a) > cosine(b) {
				return -1
			}
			return 1
		})
		for _, h := range f.nearest(hub.VectorQuery{Vector: q, Limit: 10}) {
			if slices.ContainsFunc(best[:10], func(d hub.VectorDoc) bool { return d.ID == h.ID }) {
				found++
			}
		}
	}
	if found < queries*10*19/20 {
		f.Errorf("%d of %d found", found, queries*10)
	}
}
