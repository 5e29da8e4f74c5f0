package embed

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/conform"
	"github.com/mcphub/mcphub/internal/hub"
)

func open(t testing.TB) *Static {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatic(t *testing.T) {
	conform.Embedder(t, func(t *testing.T) hub.Embedder { return open(t) })
}

// TestModelFile holds what the program takes on trust: the file is whole, and small enough.
func TestModelFile(t *testing.T) {
	body, digest := modelFile[:len(modelFile)-digestSize], modelFile[len(modelFile)-digestSize:]
	if sum := sha256.Sum256([]byte(body)); string(sum[:]) != digest {
		t.Error("the digest of model.bin is not that of its bytes")
	}
	if len(modelFile) > 11_500_000 {
		t.Errorf("model.bin has %d bytes", len(modelFile))
	}
	if want := fmt.Sprintf("static-minilm-l6-256/%x", digest[:4]); open(t).Model() != want {
		t.Errorf("Model %q, want %q", open(t).Model(), want)
	}
	m := open(t).model
	free := 0
	for slot := range m.mask + 1 {
		if m.table[2*slot] == 0xff && m.table[2*slot+1] == 0xff {
			free++
		}
	}
	if free != m.mask+1-m.count {
		t.Errorf("%d of %d slots are free, with %d tokens", free, m.mask+1, m.count)
	}
	for id := range m.count {
		token, inner := strings.CutPrefix(m.token(id), "##")
		if inner && token == "" {
			token, inner = "##", false
		}
		hash := uint32(hashWord)
		if inner {
			hash = hashInner
		}
		for _, c := range []byte(token) {
			hash = (hash ^ uint32(c)) * hashPrime
		}
		if got := m.find(hash, []byte(token), inner); got != id {
			t.Fatalf("%q is %d, found as %d", m.token(id), id, got)
		}
	}
}

// TestTokens compares with the tokenizer that the model was made with, token for token.
func TestTokens(t *testing.T) {
	var golden []struct {
		Text   string   `json:"text"`
		Tokens []string `json:"tokens"`
	}
	readJSON(t, "testdata/tokens.json", &golden)
	tok := &tokenizer{vocab: open(t).model}
	for _, g := range golden {
		got := []string{}
		for _, id := range tok.tokens(g.Text) {
			got = append(got, tok.vocab.token(id))
		}
		if !slices.Equal(got, g.Tokens) {
			t.Errorf("%q:\n got %q\nwant %q", g.Text, got, g.Tokens)
		}
	}
	if len(golden) < 50 {
		t.Errorf("only %d golden texts", len(golden))
	}
}

// TestVectors compares with the vectors that the tool computes from the same file.
func TestVectors(t *testing.T) {
	var golden []struct {
		Text   string    `json:"text"`
		Begins []float64 `json:"begins"`
	}
	readJSON(t, "testdata/vectors.json", &golden)
	for _, g := range golden {
		got, err := open(t).Embed(context.Background(), []string{g.Text})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range g.Begins {
			if math.Abs(float64(got[0][i])-want) > 2e-5 {
				t.Errorf("%q: number %d is %f, want %f", g.Text, i, got[0][i], want)
			}
		}
	}
}

func TestDamagedFile(t *testing.T) {
	change := func(at int, b byte) string { return modelFile[:at] + string([]byte{b}) + modelFile[at+1:] }
	for name, file := range map[string]string{
		"empty":       "",
		"short":       modelFile[:headerSize],
		"one less":    modelFile[:len(modelFile)-1],
		"one more":    modelFile + "x",
		"other magic": change(7, '9'),
		"no dims":     change(9, 0)[:8] + "\x00\x00\x00\x00" + modelFile[12:],
		"many tokens": change(15, 0xff),
		"odd slots":   change(16, 1),
		"many slots":  change(19, 1),
		"letters":     change(20, modelFile[20]+1),
	} {
		if _, err := openModel(file); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCut(t *testing.T) {
	tok := &tokenizer{vocab: open(t).model}
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"tokens":             {strings.Repeat("data ", 2000), MaxTokens},
		"bytes":              {strings.Repeat(" ", MaxBytes) + "data", 0},
		"pieces of one word": {strings.Repeat(strings.Repeat("x", 100)+" ", 200), MaxTokens},
		"in a character":     {strings.Repeat(" ", MaxBytes-1) + "é", 0},
		"broken characters":  {strings.Repeat("\xff", MaxBytes+9), 0},
	} {
		if got := tok.tokens(c.text); len(got) != c.want {
			t.Errorf("%s: %d tokens, want %d", name, len(got), c.want)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"query a postgres database", "Ünï 数据库 🚀", "\xff\xfe", "a\u0301\u0327", strings.Repeat("x", 101)} {
		f.Add(s)
	}
	s, err := New()
	if err != nil {
		f.Fatal(err)
	}
	used, fresh := &tokenizer{vocab: s.model}, &tokenizer{}
	f.Fuzz(func(t *testing.T, text string) {
		ids := slices.Clone(used.tokens(text))
		if len(ids) > MaxTokens || len(ids) > 4*len(text) {
			t.Fatalf("%d tokens of %d bytes", len(ids), len(text))
		}
		for _, id := range ids {
			if id < 0 || id >= s.model.count || !utf8.ValidString(s.model.token(id)) {
				t.Fatalf("token %d", id)
			}
		}
		*fresh = tokenizer{vocab: s.model}
		if again := fresh.tokens(text); !slices.Equal(ids, again) {
			t.Fatalf("what was read before counts: %v, then %v", ids, again)
		}
		v, err := s.Embed(context.Background(), []string{text})
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for _, x := range v[0] {
			sum += float64(x) * float64(x)
		}
		if len(ids) > 0 && math.Abs(sum-1) > 1e-3 || len(ids) == 0 && sum != 0 {
			t.Fatalf("%d tokens, length %f", len(ids), math.Sqrt(sum))
		}
	})
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEmbed(b *testing.B) {
	for name, text := range map[string]string{
		"12words":  "Lets an assistant query a Postgres database and list its tables safely",
		"accents":  "Permet à un assistant d'interroger une base de données Postgres, très vite",
		"512words": strings.Repeat("query the database and list tables ", 100),
	} {
		b.Run(name, func(b *testing.B) {
			s, texts := open(b), []string{text}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Embed(context.Background(), texts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
