package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// between stands between what a server is called here and what it calls its tool.
const between = "__"

// maxName is the longest name of a tool that the models of all makers take.
const maxName = 64

// Prefixes returns what servers are called in front of their tools: the last part of each name, with the end of its scope
// where two have the same, and the whole name where that is not enough.
func Prefixes(names []string) map[string]string {
	forms := []func(string) string{
		func(n string) string { return n[strings.LastIndexByte(n, '/')+1:] },
		func(n string) string {
			scope, last, ok := strings.Cut(strings.TrimPrefix(n, "@"), "/")
			if !ok {
				return n
			}
			return scope[strings.LastIndexByte(scope, '.')+1:] + "-" + last
		},
		func(n string) string { return strings.TrimPrefix(n, "@") },
		func(n string) string { return n + "-" + short(n) },
	}
	out := make(map[string]string, len(names))
	left := names
	for _, form := range forms {
		count := map[string]int{}
		for _, taken := range out {
			count[taken]++
		}
		for _, n := range left {
			count[plain(form(n))]++
		}
		var again []string
		for _, n := range left {
			if p := plain(form(n)); count[p] == 1 {
				out[n] = p
			} else {
				again = append(again, n)
			}
		}
		left = again
	}
	return out
}

// plain keeps the letters that every application takes in the name of a tool, and never holds what stands between.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, s)
	for strings.Contains(s, between) {
		s = strings.ReplaceAll(s, between, "_")
	}
	return strings.Trim(s, "_-")
}

// exposed is the name of a server's tool or prompt here. A long one ends with a digest, so that no two become one. Without
// a prefix it is the server's own.
func exposed(prefix, name string) string {
	if prefix == "" {
		return name
	}
	whole := prefix + between + name
	if len(whole) <= maxName {
		return whole
	}
	digest := short(whole)
	return strings.ToValidUTF8(whole[:maxName-len(digest)-1], "") + "_" + digest
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
