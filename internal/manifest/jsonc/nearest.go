package jsonc

import (
	"sort"
	"strings"
)

// Nearest returns the word that somebody who wrote s most likely meant: the same but for case, '-' and
// '_', or at most two typing mistakes away (one in a word of up to four letters). "" when none is near.
func Nearest(s string, words []string) string {
	sort.Strings(words)
	best, bestDist := "", 3
	if len(s) <= 4 {
		bestDist = 2
	}
	if len(s) > 64 {
		return ""
	}
	for _, w := range words {
		if fold(w) == fold(s) {
			return w
		}
		if d := distance(strings.ToLower(s), strings.ToLower(w)); d < bestDist {
			best, bestDist = w, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
}

// distance counts the insertions, deletions, replacements and swaps of neighbours between a and b.
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
