// Package prose turns Markdown into HTML that is safe to show: the hub's own manual, and readmes of publishers,
// which are untrusted. Nothing in a readme runs, loads, looks like a part of the page or is reached by the
// address of one: pictures become links, names and classes are dropped, headings are one level down.
package prose

import (
	"bytes"
	"html/template"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Heading is one entry of a list of contents.
type Heading struct {
	ID    string
	Text  string
	Level int
}

// Page is rendered Markdown.
type Page struct {
	HTML     string
	Headings []Heading
	Text     string // without markup, for searching
}

// Options says where a text comes from.
type Options struct {
	Prefix  string              // of the ids of headings
	Shift   int                 // how many levels down headings go
	Link    func(string) string // rewrites the target of a link; "" takes the link away
	Trusted bool                // the hub's own text: links are not marked as written by users
}

var (
	markdown = goldmark.New(
		goldmark.WithExtensions(extension.GFM),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(html.WithUnsafe()), // the policy below decides what stays
	)
	policy = newPolicy()
)

// newPolicy lists what may stay. There is no style, class, id, form, frame or event in it.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "li", "dl", "dt", "dd",
		"b", "strong", "i", "em", "del", "ins", "sub", "sup", "kbd", "var", "samp", "table", "thead", "tbody", "tfoot", "tr", "details", "summary")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-zA-Z0-9+#-]{1,30}$`)).OnElements("code")
	p.AllowElements("code")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowElements("ol")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|right|center)$`)).OnElements("th", "td")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[1-9][0-9]?$`)).OnElements("th", "td")
	p.AllowElements("th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img") // made into links by rewrite
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	return p
}

// MaxSource bounds what is rendered, in bytes: more than a readme may have.
const MaxSource = 256 << 10

// Render renders Markdown.
func Render(source string, o Options) Page {
	if len(source) > MaxSource {
		source = strings.ToValidUTF8(source[:MaxSource], "")
	}
	var raw bytes.Buffer
	if err := markdown.Convert([]byte(source), &raw); err != nil { // a buffer does not fail
		return Page{HTML: "<p>" + template.HTMLEscapeString(source) + "</p>"}
	}
	return rewrite(balanced(policy.SanitizeReader(&raw).String()), o)
}

// balanced closes what is open and drops what closes nothing: a stray end tag must not end a part of the page.
func balanced(clean string) string {
	nodes, err := xhtml.ParseFragment(strings.NewReader(clean), &xhtml.Node{Type: xhtml.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, n := range nodes {
		if err := xhtml.Render(&b, n); err != nil {
			return ""
		}
	}
	return b.String()
}

// RepositoryLinks resolves relative links of a readme against the page of its repository; where that is not
// known they are taken away: they would point into this hub.
func RepositoryLinks(repository, subfolder string) func(string) string {
	base, err := url.Parse(strings.TrimSuffix(repository, ".git"))
	known := err == nil && base.Scheme == "https" && (base.Host == "github.com" || base.Host == "gitlab.com")
	return func(target string) string {
		u, err := url.Parse(strings.TrimSpace(target))
		switch {
		case err != nil:
			return ""
		case u.Scheme != "" || u.Host != "":
			return absolute(u)
		case u.Path == "" && u.Fragment != "":
			return "#" + u.Fragment
		case !known || u.Path == "":
			return ""
		}
		file := path.Join("/", subfolder, u.Path)
		if strings.HasPrefix(u.Path, "/") {
			file = path.Clean(u.Path)
		}
		out := *base
		out.Path = path.Join(base.Path, "blob/HEAD") + file
		out.Fragment = u.Fragment
		return out.String()
	}
}

func absolute(u *url.URL) string {
	if u.Scheme == "" { // "//host/path"
		u.Scheme = "https"
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" || u.User != nil {
			return ""
		}
		return u.String()
	case "mailto":
		return u.String()
	}
	return ""
}
