package resolve

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// barrier is what forbids a version here: the end of a sentence that begins with its name, and with what it
// would work.
type barrier struct{ text, cure string }

// check compares what a version requires with the machine. It returns what forbids the version and notes on what
// could not be checked.
func (env Environment) check(r Requires) (bar barrier, notes []string) {
	if len(r.Engines)+len(r.Hosts)+len(r.Platforms) == 0 {
		return bar, nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.Engines)) {
		rng := r.Engines[name]
		here := strings.Fields(env.engine(name))
		ok, known := engineFits(name, rng, here)
		switch {
		case !known:
			notes = append(notes, fmt.Sprintf("needs %s %s, which could not be checked here", engineName(name), clip(rng)))
		case !ok && bar.text == "":
			bar.cure = fmt.Sprintf("with %s %s", engineName(name), clip(rng))
			bar.text = fmt.Sprintf("needs %s %s, and here is %s", engineName(name), clip(rng), list(here, 3))
		}
	}
	if len(r.Platforms) > 0 && env.Platform != "" && !slices.ContainsFunc(r.Platforms, env.on) && bar.text == "" {
		bar.cure = "on " + or(r.Platforms)
		bar.text = fmt.Sprintf("runs on %s, and this is %s", or(r.Platforms), env.Platform)
	}
	switch {
	case len(r.Hosts) == 0:
	case len(env.Hosts) == 0:
		notes = append(notes, "works with "+or(r.Hosts)+", which could not be checked here")
	case !slices.ContainsFunc(r.Hosts, env.has) && bar.text == "":
		bar.cure = "with " + or(r.Hosts)
		bar.text = fmt.Sprintf("works with %s, and here is %s", or(r.Hosts), list(env.Hosts, 5))
	}
	return bar, notes
}

func (env Environment) engine(name string) string {
	if v, ok := env.Engines[name]; ok || env.Find == nil {
		return v
	}
	return env.Find(name)
}

// on reports whether this machine is a platform: "linux/amd64", or "linux" with any processor.
func (env Environment) on(platform string) bool {
	p := strings.ToLower(strings.TrimSpace(platform))
	goos, _, _ := strings.Cut(env.Platform, "/")
	return p == env.Platform || p == goos || p == "*"
}

// has reports whether a host application that a manifest names is here. Manifests write them freely:
// "Claude Desktop" is claude-desktop, and "claude" is any of Claude's.
func (env Environment) has(host string) bool {
	want := strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(strings.TrimSpace(host)))
	return slices.ContainsFunc(env.Hosts, func(h string) bool { return h == want || strings.HasPrefix(h, want+"-") })
}

func engineName(name string) string {
	if name == "mcp" {
		return "the MCP protocol"
	}
	return clip(name)
}

// engineFits reports whether one of the versions that are here is in the range; known is false when that
// cannot be said.
func engineFits(name, rng string, here []string) (ok, known bool) {
	if name == "mcp" {
		return slices.ContainsFunc(here, func(v string) bool { return protocolFits(rng, v) }), len(here) > 0
	}
	r, err := ParseRange(rng)
	if err != nil || r.tag != "" {
		return true, false
	}
	for _, s := range here {
		v, parsed := parseSemver(s)
		if !parsed {
			continue
		}
		known = true
		v.pre = "" // Node 23.0.0-nightly is Node 23 as far as anybody declares
		ok = ok || r.fits(v)
	}
	return ok, known
}

// protocolFits reads a range of MCP protocol versions, which are dates: ">=2025-03-26 <2026-01-01". Bare
// dates beside one another, and what "||" separates, are alternatives.
func protocolFits(rng, version string) bool {
	for part := range strings.SplitSeq(rng, "||") {
		bare, ok, compared := false, true, false
		for t := range strings.FieldsFuncSeq(part, func(r rune) bool { return r == ' ' || r == ',' || r == '|' }) {
			date := strings.TrimLeft(t, "<>=")
			c := strings.Compare(version, date)
			switch op := t[:len(t)-len(date)]; op {
			case "", "=":
				bare = bare || c == 0
				continue
			case ">=":
				ok = ok && c >= 0
			case "<=":
				ok = ok && c <= 0
			case ">":
				ok = ok && c > 0
			case "<":
				ok = ok && c < 0
			default:
				ok = false
			}
			compared = true
		}
		if bare || compared && ok {
			return true
		}
	}
	return strings.TrimSpace(rng) == "" || strings.TrimSpace(rng) == "*"
}

// or joins the first of some words.
func or(words []string) string {
	return strings.ReplaceAll(list(words, 4), ", ", " or ")
}

// list joins the first of some words and says how many more there are.
func list(words []string, most int) string {
	s := make([]string, 0, most)
	for _, w := range words[:min(most, len(words))] {
		s = append(s, clip(w))
	}
	out := strings.Join(s, ", ")
	if more := len(words) - most; more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}
