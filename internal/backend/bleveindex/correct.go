package bleveindex

import (
	"context"
	"strings"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/words"
)

const (
	maxCorrect = 24   // words that are looked at
	maxLike    = 2000 // similar words that are looked at
)

// Correct implements hub.Index.
func (x *Index) Correct(ctx context.Context, list []string) (map[string]string, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	advanced, err := x.index.Advanced()
	if err != nil {
		return nil, failed("read", err)
	}
	r, err := advanced.Reader()
	if err != nil {
		return nil, failed("read", err)
	}
	defer r.Close()
	out := map[string]string{}
	for _, w := range list[:min(len(list), maxCorrect)] {
		better, err := correct(ctx, r, strings.ToLower(w))
		if err != nil {
			return nil, failed("read", err)
		}
		if better != "" {
			out[w] = better
		}
	}
	return out, nil
}

// correct returns the most frequent of the words most like w; "" when w is known.
func correct(ctx context.Context, r index.IndexReader, w string) (string, error) {
	if n := utf8.RuneCountInString(w); n < fulltext.MinCorrect || n > fulltext.MaxCorrect {
		return "", nil
	}
	if n, err := frequency(ctx, r, w); err != nil || n > 0 {
		return "", err
	}
	fuzzy, ok := r.(index.IndexReaderFuzzy)
	if !ok {
		return "", nil
	}
	_, size := utf8.DecodeRuneInString(w)
	dict, err := fuzzy.FieldDictFuzzy(fulltext.Spell, w, 2, w[:size])
	if err != nil {
		return "", err
	}
	defer dict.Close()
	best, bestSlip, bestCount := "", 2*words.MaxEdits(w)+1, uint64(0)
	for range maxLike {
		e, err := dict.Next()
		if err != nil {
			return "", err
		}
		if e == nil {
			break
		}
		slip := words.Slip(w, e.Term)
		if slip > bestSlip {
			continue
		}
		n, err := frequency(ctx, r, e.Term)
		if err != nil {
			return "", err
		}
		if slip < bestSlip || n > bestCount {
			best, bestSlip, bestCount = e.Term, slip, n
		}
	}
	if bestSlip > 2*words.MaxEdits(w) {
		return "", nil
	}
	return best, nil
}

// frequency returns how many documents have a word as it is written.
func frequency(ctx context.Context, r index.IndexReader, w string) (uint64, error) {
	t, err := r.TermFieldReader(ctx, []byte(w), fulltext.Spell, false, false, false)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	return t.Count(), nil
}
