package words

import (
	"strings"
	"testing"
)

// TestLanguages guards: what stands in the file can be found, since no phrase is longer than those that are looked for,
// and it is there once for what it means.
func TestLanguages(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(languageText) {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		english, others, ok := strings.Cut(line, ":")
		if !ok || len(terms(english)) == 0 {
			t.Errorf("no \"english: word, word\": %q", line)
		}
		for from := range strings.SplitSeq(others, ",") {
			from = strings.ToLower(strings.TrimSpace(from))
			if n := len(Split(from, 16)); n == 0 || n > maxPhrase && !strings.ContainsFunc(from, ideograph) {
				t.Errorf("%q for %q has %d words, want 1 to %d", from, english, n, maxPhrase)
			}
			if strings.Contains(from, ":") || stop[from] || seen[english+":"+from] {
				t.Errorf("%q for %q is there twice, has a colon or says nothing in English", from, english)
			}
			seen[english+":"+from] = true
		}
	}
}
