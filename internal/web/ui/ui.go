// Package ui is the parts pages are put together from: the frame around every page, icons, monograms, lines
// to copy, times and numbers as people read them. It knows no server and asks nobody.
package ui

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/static"
)

// Site is what is the same on every page.
type Site struct {
	Prefix  string // path prefix of BaseURL
	BaseURL string
	Version string
	Assets  *static.Files
	Now     func() time.Time
}

// To returns a link to a path of this hub.
func (s *Site) To(path string) templ.SafeURL { return templ.SafeURL(s.Prefix + path) }

// Asset returns where an asset is found.
func (s *Site) Asset(name string) string { return s.Prefix + s.Assets.Path(name) }

// Frame is what the layout needs to know of one page.
type Frame struct {
	*Site
	Title       string // without the hub's name
	Description string
	Path        string // canonical path with query, "" for pages that are not to be found by search engines
	Image       string // path of the picture shown where the page is shared
	Feed        string // path of an Atom feed about this page
	Section     string // browse, docs or security
	Query       string // shown in the search field
	Account     string // name of who is signed in
	Data        any    // JSON-LD
	NoSearch    bool   // the page has a search field of its own in its middle
}

// JSONLD returns Data as it may stand in a page: the encoder escapes <, > and &.
func (f *Frame) JSONLD() string {
	b, err := json.Marshal(f.Data)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// HtmxConfig keeps htmx from what the content security policy forbids: styles and code in the page.
const HtmxConfig = `{"includeIndicatorStyles":false,"allowEval":false,"historyCacheSize":0,"selfRequestsOnly":true,"scrollIntoViewOnBoost":false}`

// ServerPath returns the path of a server's page, as "/servers/@acme/postgres".
func ServerPath(n hub.Name) string {
	scope, name, _ := strings.Cut(n.String(), "/")
	return "/servers/" + url.PathEscape(scope) + "/" + url.PathEscape(name)
}

// VersionPath returns the path of one version's page.
func VersionPath(n hub.Name, version string) string {
	return ServerPath(n) + "/v/" + url.PathEscape(version)
}

// Number writes a number short: 999, 1.2k, 41k, 3.4M.
func Number(n int64) string {
	scaled := func(unit float64, sign string) string {
		x := float64(n) / unit
		if x < 10 {
			return strings.TrimSuffix(strconv.FormatFloat(math.Floor(x*10)/10, 'f', 1, 64), ".0") + sign
		}
		return strconv.FormatFloat(math.Floor(x), 'f', 0, 64) + sign
	}
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10)
	case n < 1_000_000:
		return scaled(1000, "k")
	}
	return scaled(1_000_000, "M")
}

// Exact writes a number with commas between thousands.
func Exact(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number with its noun: "1 server", "2,310 servers".
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Exact(n) + " " + many
}

// Plural is Count for nouns that only take an s.
func Plural(n int, noun string) string { return Count(int64(n), noun, noun+"s") }

// Ago writes how long ago t was, in one unit.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {7 * 24 * time.Hour, "week"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= unit.size {
			return Plural(int(d/unit.size), unit.name) + " ago"
		}
	}
	return "just now"
}

// Initials returns the one or two letters that stand for a server.
func Initials(n hub.Name) string {
	words := strings.FieldsFunc(n.Base(), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	var kept []string
	for _, w := range words {
		if l := strings.ToLower(w); l != "mcp" && l != "server" && l != "servers" {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		kept = words
	}
	out := ""
	for _, w := range kept {
		if r, _ := utf8.DecodeRuneInString(w); unicode.IsLetter(r) || unicode.IsDigit(r) {
			out += string(unicode.ToUpper(r))
		}
		if len(out) == 2 {
			break
		}
	}
	return out
}

// Hues is how many colours monograms have.
const Hues = 10

// Hue returns the colour of a server's monogram.
func Hue(n hub.Name) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(n.Claim()))
	return int(h.Sum32() % Hues)
}

// breakable puts places where a long name may wrap behind its separators.
func breakable(s string) []string {
	var out []string
	start := 0
	for i, r := range s {
		if strings.ContainsRune("/.-_@:", r) && i > start {
			out = append(out, s[start:i+utf8.RuneLen(r)])
			start = i + utf8.RuneLen(r)
		}
	}
	return append(out, s[start:])
}

// Name is a name that may wrap at its separators.
func Name(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		parts := breakable(s)
		for i, p := range parts {
			parts[i] = templ.EscapeString(p)
		}
		_, err := io.WriteString(w, strings.Join(parts, "<wbr>"))
		return err
	})
}

// shellLine is a command that wraps behind the slashes of names and addresses before it wraps anywhere.
func shellLine(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, strings.NewReplacer("//", "//<wbr>", "/", "/<wbr>").Replace(templ.EscapeString(s)))
		return err
	})
}

// DisplayTitle is what a server is called in headings.
func DisplayTitle(s *hub.Server) string {
	if s.Title != "" {
		return s.Title
	}
	return s.Name.Base()
}

// Current marks a link as the one to where the reader is.
func Current(is bool) templ.Attributes {
	if !is {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

// PackageWord is what people call a kind of package.
func PackageWord(kind string) string {
	if word := map[string]string{"npm": "npm", "pypi": "PyPI", "oci": "container", "mcpb": "MCPB", "nuget": "NuGet", "cargo": "Cargo", "bundle": "bundle on this hub", "remote": "remote"}[kind]; word != "" {
		return word
	}
	return kind
}
