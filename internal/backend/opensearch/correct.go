package opensearch

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/words"
)

const (
	maxCorrect = 24  // words that are looked at
	maxLike    = 100 // similar words of each
)

// Correct implements hub.Index. The engine suggests words that begin alike and differ in two letters at most; which
// of them is nearest is decided here, as in the embedded index.
func (x *Index) Correct(ctx context.Context, list []string) (map[string]string, error) {
	if err := x.ready(ctx); err != nil {
		return nil, failed("read", err)
	}
	asked := map[string]string{} // by the name of the question
	suggest := object{}
	for i, w := range list[:min(len(list), maxCorrect)] {
		lower := strings.ToValidUTF8(strings.ToLower(w), "")
		if n := utf8.RuneCountInString(lower); n < fulltext.MinCorrect || n > fulltext.MaxCorrect || strings.ContainsAny(lower, " \x00") {
			continue
		}
		name := strconv.Itoa(i)
		asked[name] = w
		suggest[name] = object{"text": lower, "term": object{"field": fulltext.Spell, "analyzer": "keyword", "suggest_mode": "missing", "max_edits": 2,
			"prefix_length": 1, "min_word_length": fulltext.MinCorrect, "size": maxLike, "shard_size": maxLike, "max_inspections": 20,
			"accuracy": 0.1, "string_distance": "damerau_levenshtein"}}
	}
	if len(asked) == 0 {
		return map[string]string{}, nil
	}
	var out struct {
		Suggest map[string][]struct {
			Options []struct {
				Text string
				Freq int
			}
		}
	}
	if err := x.c.Read(ctx, http.MethodPost, "/"+x.alias+"/_search?"+searchOptions(""), object{"size": 0, "suggest": suggest}, &out); err != nil {
		return nil, failed("read", err)
	}
	better := map[string]string{}
	for name, entries := range out.Suggest {
		w := asked[name]
		best, bestSlip, bestCount := "", 2*words.MaxEdits(w)+1, 0
		for _, e := range entries {
			for _, o := range e.Options {
				slip := words.Slip(strings.ToLower(w), o.Text)
				if slip < bestSlip || slip == bestSlip && best != "" && o.Freq > bestCount {
					best, bestSlip, bestCount = o.Text, slip, o.Freq
				}
			}
		}
		if best != "" {
			better[w] = best
		}
	}
	return better, nil
}
