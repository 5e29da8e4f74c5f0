package beside

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// embedFix is an embedder and what the tests do with it again and again.
type embedFix struct {
	*testing.T
	hub.Embedder
	ctx context.Context
}

func (f *embedFix) embed(texts ...string) [][]float32 {
	f.Helper()
	got, err := f.Embed(f.ctx, texts)
	if err != nil {
		f.Fatal(err)
	}
	if len(got) != len(texts) {
		f.Fatalf("%d vectors for %d texts", len(got), len(texts))
	}
	return got
}

// cosine is the cosine of two vectors, of which one may be zeros.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

func length(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// Embedder runs the suite of hub.Embedder.
func Embedder(t *testing.T, open func(t *testing.T) hub.Embedder) {
	run := func(promise string, test func(f *embedFix)) {
		t.Run(promise, func(t *testing.T) { test(&embedFix{T: t, Embedder: open(t), ctx: context.Background()}) })
	}
	run("Model names the model and its version", func(f *embedFix) {
		name := f.Model()
		f.embed("a database")
		if name == "" || f.Model() != name {
			f.Errorf("%q, then %q", name, f.Model())
		}
	})
	run("one vector of length 1 for each text, all of the same dimensions", func(f *embedFix) {
		texts := []string{"query a postgres database", "weather", "A much longer text, with commas; it has more than one sentence. Numbers too: 1, 2, 3."}
		got := f.embed(texts...)
		for i, v := range got {
			if len(v) == 0 || len(v) != len(got[0]) || math.Abs(length(v)-1) > 1e-4 {
				f.Errorf("%q: %d dimensions, length %f", texts[i], len(v), length(v))
			}
		}
		if again := f.embed("weather")[0]; len(again) != len(got[0]) {
			f.Errorf("%d dimensions, then %d", len(got[0]), len(again))
		}
		f.embed()
	})
	run("vectors are in the order of their texts, and the same in any company", func(f *embedFix) {
		var texts []string
		for i := range 200 {
			texts = append(texts, fmt.Sprintf("%s number %d", []string{"database", "weather", "music", "browser", "mail"}[i%5], i))
		}
		texts[7], texts[199] = "", " "
		all := f.embed(texts...)
		for _, i := range []int{0, 7, 8, 63, 64, 65, 128, 198, 199} {
			alone := f.embed(texts[i])[0]
			if len(alone) != len(all[i]) || length(alone) > 0 && cosine(alone, all[i]) < 0.999 || length(alone) == 0 && length(all[i]) > 0 {
				f.Errorf("%d: cosine %f", i, cosine(alone, all[i]))
			}
		}
	})
	run("the cosine is how alike they mean", func(f *embedFix) {
		for _, c := range [][3]string{ // the first is nearer to the second than to the third
			{"query a postgres database", "run SQL on PostgreSQL tables", "forecast of the weather"},
			{"send an email", "mail client that writes messages", "render a 3D model"},
			{"open a pull request", "GitHub repositories and issues", "play songs from a playlist"},
			{"click buttons on a web page", "browser automation", "currency exchange rates"},
		} {
			v := f.embed(c[:]...)
			if near, far := cosine(v[0], v[1]), cosine(v[0], v[2]); near <= far {
				f.Errorf("%q: %f to %q, %f to %q", c[0], near, c[1], far, c[2])
			}
		}
	})
	run("a text without a known word gives a vector of zeros", func(f *embedFix) {
		known := f.embed("word")[0]
		for _, text := range []string{"", " \t\n", "\x00", "\u200b"} {
			if v := f.embed(text)[0]; len(v) != len(known) || length(v) != 0 {
				f.Errorf("%q: %d dimensions, length %f", text, len(v), length(v))
			}
		}
	})
	run("also the first text may be without a known word", func(f *embedFix) {
		blank := f.embed("", " ")
		if known := f.embed("word")[0]; len(blank[0]) != len(known) || len(blank[1]) != len(known) || length(blank[0]) != 0 {
			f.Errorf("%d and %d dimensions, %d of a word", len(blank[0]), len(blank[1]), len(known))
		}
	})
	embedderHostile(run)
}

func embedderHostile(run func(string, func(f *embedFix))) {
	run("long texts are cut", func(f *embedFix) {
		long := strings.Repeat("query a postgres database ", 40_000)
		got := f.embed(long, long+"weather music mail", "query a postgres database")
		if !slices.Equal(got[0], got[1]) {
			f.Error("what stands after a million letters counts")
		}
		if c := cosine(got[0], got[2]); c < 0.7 {
			f.Errorf("the cosine of a text and its repetition is %f", c)
		}
		start := time.Now()
		f.embed(strings.Repeat("x", 5<<20), strings.Repeat("字", 1<<20), strings.Repeat("é ", 1<<20), strings.Repeat(".", 5<<20))
		if d := time.Since(start); d > 10*time.Second {
			f.Errorf("four texts of megabytes took %v", d)
		}
	})
	run("hostile text never fails", func(f *embedFix) {
		for _, text := range []string{"\xff\xfe", "a\xc3", "\u202eabc", "\"}]}", "\\", "\u0000a", "[CLS] [SEP]", "##", "🙂", "<|endoftext|>", "e" + strings.Repeat("\u0301", 10_000)} {
			v := f.embed(text)[0]
			if l := length(v); l != 0 && math.Abs(l-1) > 1e-4 {
				f.Errorf("%.20q: length %f", text, l)
			}
		}
	})
	run("a caller that goes away gets an error", func(f *embedFix) {
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		if _, err := f.Embed(ctx, []string{"word"}); err == nil {
			f.Error("no error")
		}
	})
	run("many may embed at once", func(f *embedFix) {
		want := f.embed("query a postgres database")[0]
		got := Together(8, func(i int) error {
			for j := range 20 {
				v, err := f.Embed(f.ctx, []string{fmt.Sprintf("other %d %d", i, j), "query a postgres database"})
				if err != nil {
					return err
				}
				if c := cosine(v[1], want); c < 0.999 {
					return fmt.Errorf("cosine %f", c)
				}
			}
			return nil
		})
		if got[""] != 8 {
			f.Fatal(got)
		}
	})
}
