package localvec_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcphub/mcphub/internal/backend/localvec"
	"github.com/mcphub/mcphub/internal/conform"
	"github.com/mcphub/mcphub/internal/hub"
)

func open(t testing.TB, dir string) *localvec.Index {
	t.Helper()
	x, err := localvec.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func TestMemory(t *testing.T) {
	conform.Vectors(t, func(t *testing.T) hub.Vectors { return open(t, "") })
}

func TestDirectory(t *testing.T) {
	conform.Vectors(t, func(t *testing.T) hub.Vectors { return open(t, filepath.Join(t.TempDir(), "new")) })
}

func doc(id string, v ...float32) hub.VectorDoc {
	return hub.VectorDoc{ID: id, Labels: hub.Labels{hub.FacetLicense: {"MIT"}}, Parts: [][]float32{v}}
}

func put(t testing.TB, x *localvec.Index, docs ...hub.VectorDoc) {
	t.Helper()
	if err := x.Put(context.Background(), docs); err != nil {
		t.Fatal(err)
	}
}

func found(t testing.TB, x *localvec.Index) string {
	t.Helper()
	hits, err := x.Nearest(context.Background(), hub.VectorQuery{Vector: []float32{1, 0}, Limit: 1000, Filter: hub.Labels{hub.FacetLicense: {"MIT"}}})
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, h := range hits {
		out += h.ID + " "
	}
	return out
}

func TestOpenAgain(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	put(t, x, doc("a", 1, 0), doc("b", 0, 1), doc("c", 1, 1))
	put(t, x, doc("a", -1, 0))
	if err := x.Delete(t.Context(), []string{"b"}); err != nil {
		t.Fatal(err)
	}
	x.Close()
	if got := found(t, open(t, dir)); got != "c a " {
		t.Error(got)
	}
}

// TestBrokenTail guards: whatever a crash left at the end, what was whole before it is there, and the file can be
// written on.
func TestBrokenTail(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "vectors.log")
	x := open(t, dir)
	put(t, x, doc("a", 1, 0))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, x, doc("b", 0, 1))
	x.Close()
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole); cut < len(all); cut++ {
		for name, b := range map[string][]byte{"cut": all[:cut], "zeros": append(bytes.Clone(all[:cut]), make([]byte, 100)...), "flipped": flip(all, cut)} {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			x := open(t, dir)
			if got := found(t, x); got != "a " {
				t.Fatalf("%s at %d: %q", name, cut, got)
			}
			put(t, x, doc("c", 1, 1))
			x.Close()
			x = open(t, dir)
			if got := found(t, x); got != "a c " {
				t.Fatalf("%s at %d, then put: %q", name, cut, got)
			}
			x.Close()
		}
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x40
	return b
}

// TestForeignFile guards: what is no file of ours is begun anew, for everything is filled from the records.
func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vectors.log"), []byte("something else entirely"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := open(t, dir)
	put(t, x, doc("a", 1, 0))
	x.Close()
	if got := found(t, open(t, dir)); got != "a " {
		t.Error(got)
	}
}

// TestCompacts guards: replacing the same servers again and again does not grow the file without end.
func TestCompacts(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	for range 300 {
		var docs []hub.VectorDoc
		for i := range 10 {
			docs = append(docs, doc(fmt.Sprint(i), 1, 0))
		}
		put(t, x, docs...)
	}
	info, err := os.Stat(filepath.Join(dir, "vectors.log"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 100_000 {
		t.Errorf("%d bytes for ten servers", info.Size())
	}
	x.Close()
	if got := found(t, open(t, dir)); got != "0 1 2 3 4 5 6 7 8 9 " {
		t.Error(got)
	}
}

func FuzzFile(f *testing.F) {
	dir := f.TempDir()
	x := open(f, dir)
	put(f, x, doc("a", 1, 0), doc("b", 0, 1))
	x.Close()
	b, err := os.ReadFile(filepath.Join(dir, "vectors.log"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "vectors.log"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		x := open(t, dir)
		if _, err := x.Count(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkNearest(b *testing.B) {
	for _, n := range []int{27_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := open(b, "")
			r := rand.New(rand.NewPCG(1, 2))
			vector := func() []float32 {
				v := make([]float32, 256)
				for i := range v {
					v[i] = float32(r.NormFloat64())
				}
				return v
			}
			for i := 0; i < n; i += 1000 {
				docs := make([]hub.VectorDoc, 1000)
				for j := range docs {
					docs[j] = hub.VectorDoc{ID: fmt.Sprintf("%08d", i+j), Parts: [][]float32{vector()}}
				}
				put(b, x, docs...)
			}
			q := vector()
			for b.Loop() {
				if _, err := x.Nearest(b.Context(), hub.VectorQuery{Vector: q, Limit: 100}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
