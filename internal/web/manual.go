package web

import (
	"net/http"
	"path"
	"strings"

	"github.com/mcphub/mcphub/docs"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/web/prose"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// manual is the pages of the manual, rendered once.
type manual struct {
	pages []manualPage
}

type manualPage struct {
	Slug, Title, Lede string
	prose.Page
	Sections []manualSection // for searching
}

type manualSection struct{ ID, Title, Text string }

// manualFiles are the pages in their order, and what each is for; the address of one is its name in lower case.
var manualFiles = []struct{ name, lede string }{
	{"mcpm.md", "The package manager: verbs, settings, exit codes, where it keeps things."},
	{"search.md", "How to find a server: words, filters, answers, engines."},
	{"publishing.md", "From mcp.json to a published version, and how to take one back."},
	{"images.md", "Container images in the hub: push, pull, what stays, limits."},
	{"workspaces.md", "Several servers in one repository: members that need each other, published together."},
	{"guard.md", "What stands between a client and a server: tools that change, secrets, rules, the log."},
	{"formats.md", "mcp.json and the lockfile, explained field by field with examples."},
	{"mcp-json.md", "Every field of mcp.json with its type, made from the JSON Schema."},
	{"cli.md", "Every verb of mcpm with its flags, as the program explains it."},
	{"topics.md", "Ranges, permissions, lockfile, hosts, sandbox, guard and secrets, in a page."},
	{"hub.md", "Settings, several hubs, backup, watching, importing and mirroring."},
	{"score.md", "How completely a server is described, and its quality, point by point."},
	{"ARCHITECTURE.md", "How the programs are built, with walkthroughs, for those who change them."},
}

func slugOf(file string) string { return strings.ToLower(strings.TrimSuffix(path.Base(file), ".md")) }

// newManual renders the manual for a hub under a path prefix.
func newManual(prefix string) *manual {
	m := &manual{}
	known := map[string]bool{}
	for _, f := range manualFiles {
		known[slugOf(f.name)] = true
	}
	link := func(target string) string {
		file, fragment, _ := strings.Cut(target, "#")
		switch {
		case strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "http://") || file == "":
			return target
		case strings.HasPrefix(file, "/"):
			return prefix + target
		case strings.HasSuffix(file, ".md") && known[slugOf(file)]:
			if fragment != "" {
				fragment = "#" + fragment
			}
			return prefix + "/docs/" + slugOf(file) + fragment
		}
		return ""
	}
	for _, f := range manualFiles {
		text, err := docs.Files.ReadFile(f.name)
		if err != nil {
			panic("web: " + err.Error()) // it is in the program
		}
		title, body, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
		p := manualPage{Slug: slugOf(f.name), Title: title, Lede: f.lede, Page: prose.Render(body, prose.Options{Link: link, Trusted: true})}
		p.Sections = sectionsOf(p)
		m.pages = append(m.pages, p)
	}
	return m
}

// sectionsOf parts the text of a page at its headings.
func sectionsOf(p manualPage) []manualSection {
	rest := p.Text
	out := []manualSection{{Title: p.Title}}
	for _, h := range p.Headings {
		if before, after, ok := strings.Cut(rest, h.Text+"\n"); ok {
			out[len(out)-1].Text = before
			rest = after
		}
		out = append(out, manualSection{ID: h.ID, Title: h.Text})
	}
	out[len(out)-1].Text = rest
	return out
}

// manualHit is one section that has all the words.
type manualHit struct{ Page, Title, Path, Excerpt string }

const maxManualHits = 30

// find returns the sections that have all words, those that have them in the title first.
func (m *manual) find(query string) []manualHit {
	words := strings.Fields(strings.ToLower(query))
	var first, second []manualHit
	for _, p := range m.pages {
		for _, s := range p.Sections {
			title, text := strings.ToLower(p.Title+" "+s.Title), strings.ToLower(s.Text)
			inTitle, inText := true, true
			for _, w := range words {
				inTitle = inTitle && strings.Contains(title, w)
				inText = inText && (strings.Contains(text, w) || strings.Contains(title, w))
			}
			if !inText {
				continue
			}
			h := manualHit{Page: p.Title, Title: s.Title, Path: "/docs/" + p.Slug, Excerpt: excerpt(s.Text, words)}
			if s.ID != "" {
				h.Path += "#" + s.ID
			}
			if inTitle {
				first = append(first, h)
			} else {
				second = append(second, h)
			}
		}
	}
	all := append(first, second...)
	return all[:min(len(all), maxManualHits)]
}

func excerpt(text string, words []string) string {
	flat := strings.Join(strings.Fields(text), " ")
	at := 0
	if len(words) > 0 {
		at = max(0, strings.Index(strings.ToLower(flat), words[0])-60)
	}
	for at > 0 && at < len(flat) && flat[at] != ' ' {
		at--
	}
	return oneLine(strings.ToValidUTF8(flat[min(at, len(flat)):], ""), 200)
}

type docsView struct {
	*ui.Frame
	Pages []manualPage
	Page  *manualPage
	Find  string
	Hits  []manualHit
}

func (s *site) docs(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("page")
	v := &docsView{Pages: s.manual().pages, Find: cleanQuery(r.URL.Query().Get("q"))}
	if slug == "" {
		v.Frame = s.frame(r, "Manual", "How to find, install, publish and host MCP servers with mcphub and mcpm.", "/docs")
		if v.Find != "" {
			v.Hits, v.Path = s.manual().find(v.Find), ""
		}
		v.Section = "docs"
		return s.show(w, r, http.StatusOK, docsIndex(v))
	}
	for i, p := range s.manual().pages {
		if p.Slug == slug {
			v.Page = &s.manual().pages[i]
		}
	}
	if v.Page == nil {
		return hub.Errorf(hub.NotFound, "The manual has no page %s.", oneLine(slug, 60))
	}
	v.Frame = s.frame(r, v.Page.Title, v.Page.Lede, "/docs/"+slug)
	v.Section = "docs"
	return s.show(w, r, http.StatusOK, docsPage(v))
}

type startView struct {
	*ui.Frame
	Host    hosts.Host
	First   []choice // the applications most people use, and the chosen one
	More    []choice
	Chosen  bool
	Example string
	Button  string
}

// start is getting started, in general or with one host application.
func (s *site) start(w http.ResponseWriter, r *http.Request) error {
	v := &startView{Frame: s.frame(r, "Get started", "Install mcpm and add the first MCP server to your AI application.", "/start")}
	if id := r.PathValue("host"); id != "" {
		h, ok := hosts.ByID(id)
		if !ok {
			return hub.Errorf(hub.NotFound, "No application %s is known here.", oneLine(id, 60)).WithHint("any application that starts MCP servers from a command works with mcpm run NAME")
		}
		v.Host, v.Chosen, v.Example = h, true, string(hosts.Example(h))
		v.Frame = s.frame(r, "Get started with "+h.Name, "Add MCP servers to "+h.Name+" with one command.", "/start/"+h.ID)
	}
	v.First, v.More = hostChoices(v.Host.ID, func(h hosts.Host) string { return "/start/" + h.ID })
	v.Section = "docs"
	return s.show(w, r, http.StatusOK, startPage(v))
}

type securityView struct {
	*ui.Frame
	Withdrawals []registry.Withdrawal
}

func (s *site) security(w http.ResponseWriter, r *http.Request) error {
	v := &securityView{Frame: s.frame(r, "Security centre", "What this hub checks, what it does not, and what was withdrawn lately.", "/security")}
	v.Section, v.Feed = "security", "/feeds/security.atom"
	var err error
	if v.Withdrawals, err = s.directory.Withdrawals(r.Context(), 30); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, securityPage(v))
}
