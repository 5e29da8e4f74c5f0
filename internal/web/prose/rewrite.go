package prose

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// rewriter walks the tokens of clean HTML and makes of them what is shown.
type rewriter struct {
	o     Options
	out   strings.Builder
	text  strings.Builder
	page  Page
	links []bool // for each open a: was it kept
	ids   map[string]int
	head  *Heading // the heading that is open
	inner strings.Builder
	pre   bool
	lang  string
	code  strings.Builder
}

func rewrite(clean string, o Options) Page {
	r := &rewriter{o: o, ids: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(clean))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		r.token(z.Token())
	}
	r.page.HTML = strings.ReplaceAll(r.out.String(), "<th></th>", "<td></td>") // an empty heading heads nothing
	r.page.Text = r.text.String()
	return r.page
}

// write puts HTML out, or into the heading that is open.
func (r *rewriter) write(s string) {
	if r.head != nil {
		r.inner.WriteString(s)
		return
	}
	r.out.WriteString(s)
}

func (r *rewriter) token(t html.Token) {
	start := t.Type == html.StartTagToken || t.Type == html.SelfClosingTagToken
	switch {
	case t.Type == html.TextToken:
		r.words(t.Data)
	case t.DataAtom == atom.Img:
		r.picture(t)
	case t.DataAtom == atom.A:
		r.link(t, start)
	case heading(t.DataAtom):
		r.heading(t, start)
	case t.DataAtom == atom.Pre:
		r.preformatted(start)
	case r.pre && t.DataAtom == atom.Code:
		if start {
			r.lang = strings.TrimPrefix(attr(t, "class"), "language-")
		}
	case t.DataAtom == atom.Table && start:
		r.write(`<div class="scroll" tabindex="0"><table>`)
	case t.DataAtom == atom.Table:
		r.write(`</table></div>`)
	case (t.DataAtom == atom.Th || t.DataAtom == atom.Td || t.DataAtom == atom.Ol || t.DataAtom == atom.Code) && start:
		r.write("<" + t.Data + attributes(t, "colspan", "rowspan", "start") + ">")
	case t.Type == html.StartTagToken || t.Type == html.SelfClosingTagToken:
		r.write("<" + t.Data + ">")
	case t.Type == html.EndTagToken:
		r.write("</" + t.Data + ">")
	}
}

func (r *rewriter) words(s string) {
	if r.pre {
		r.code.WriteString(s)
		return
	}
	r.text.WriteString(s)
	if r.head != nil {
		r.head.Text += s
	}
	r.write(html.EscapeString(s))
}

// picture makes a link of a picture: loading it would tell its host who reads the page. Badges that say
// nothing in words are left out.
func (r *rewriter) picture(t html.Token) {
	alt, src := strings.TrimSpace(attr(t, "alt")), attr(t, "src")
	if len(r.links) > 0 || r.head != nil {
		if alt != "" {
			r.words(alt)
		}
		return
	}
	target := r.o.Link(src)
	if alt == "" || target == "" || strings.HasPrefix(target, "#") || strings.Contains(target, "shields.io/") || strings.Contains(target, "/badge") {
		return
	}
	r.write(`<a class="image" href="` + html.EscapeString(target) + `"` + r.rel(target) + `>Picture: ` + html.EscapeString(alt) + `</a>`)
}

func (r *rewriter) rel(target string) string {
	if r.o.Trusted || strings.HasPrefix(target, "#") {
		return ""
	}
	return ` rel="ugc nofollow noopener noreferrer"`
}

func (r *rewriter) link(t html.Token, start bool) {
	if !start {
		if n := len(r.links); n > 0 {
			if r.links[n-1] {
				r.write("</a>")
			}
			r.links = r.links[:n-1]
		}
		return
	}
	target := r.o.Link(attr(t, "href"))
	if fragment, ok := strings.CutPrefix(target, "#"); ok {
		target = "#" + r.o.Prefix + strings.ToLower(fragment)
	}
	keep := target != "" && len(r.links) == 0
	r.links = append(r.links, keep)
	if keep {
		r.write(`<a href="` + html.EscapeString(target) + `"` + r.rel(target) + `>`)
	}
}

func heading(a atom.Atom) bool {
	switch a {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

func (r *rewriter) heading(t html.Token, start bool) {
	if start {
		r.head = &Heading{Level: min(6, int(t.Data[1]-'0')+r.o.Shift)}
		r.inner.Reset()
		return
	}
	if r.head == nil {
		return
	}
	h, inner := *r.head, r.inner.String()
	r.head = nil
	h.Text = strings.Join(strings.Fields(h.Text), " ")
	if h.Text == "" {
		return
	}
	h.ID = r.id(h.Text)
	r.page.Headings = append(r.page.Headings, h)
	fmt.Fprintf(&r.out, `<h%d id="%s">%s</h%d>`, h.Level, h.ID, inner, h.Level)
	r.text.WriteString("\n")
}

// id makes the address of a heading, as code hosts do.
func (r *rewriter) id(text string) string {
	slug := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_':
			return c
		case c == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(text))
	id := r.o.Prefix + slug
	r.ids[id]++
	if n := r.ids[id]; n > 1 {
		id = fmt.Sprintf("%s-%d", id, n-1)
	}
	return id
}

func (r *rewriter) preformatted(start bool) {
	if start {
		r.pre, r.lang = true, ""
		r.code.Reset()
		return
	}
	if !r.pre {
		return
	}
	r.pre = false
	code := r.code.String()
	r.text.WriteString(code + "\n")
	r.write(`<pre tabindex="0"><code>` + Highlight(code, r.lang) + `</code></pre>`)
}

func attr(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func attributes(t html.Token, names ...string) string {
	out := ""
	for _, n := range names {
		if v := attr(t, n); v != "" {
			out += " " + n + `="` + html.EscapeString(v) + `"`
		}
	}
	return out
}
