package web

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/draw"
	"github.com/mcphub/mcphub/internal/web/ui"
)

const (
	atomType = "application/atom+xml; charset=utf-8"
	xmlType  = "application/xml; charset=utf-8"
	svgType  = "image/svg+xml"
	pngType  = "image/png"
)

// atomFeed is a feed as RFC 4287 writes it.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Author  atomAuthor  `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title   string   `xml:"title"`
	ID      string   `xml:"id"`
	Updated string   `xml:"updated"`
	Link    atomLink `xml:"link"`
	Summary string   `xml:"summary"`
}

const feedSize = 50

func (s *site) feedOf(title, self, page string, entries []atomEntry) ([]byte, error) {
	f := atomFeed{Title: title, ID: s.BaseURL + self, Author: atomAuthor{Name: "mcphub"}, Entries: entries, Updated: time.Unix(0, 0).UTC().Format(time.RFC3339),
		Links: []atomLink{{Rel: "self", Type: "application/atom+xml", Href: s.BaseURL + self}, {Rel: "alternate", Type: "text/html", Href: s.BaseURL + page}}}
	for _, e := range entries {
		f.Updated = max(f.Updated, e.Updated)
	}
	return marshalXML(f)
}

func marshalXML(v any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	err := xml.NewEncoder(&b).Encode(v)
	b.WriteByte('\n')
	return b.Bytes(), err
}

func (s *site) entry(srv *hub.Server, at time.Time) atomEntry {
	link := s.BaseURL + ui.ServerPath(srv.Name)
	return atomEntry{Title: srv.Name.String() + " " + srv.Latest.Version, ID: link + "#" + srv.Latest.Version, Updated: at.UTC().Format(time.RFC3339),
		Link: atomLink{Rel: "alternate", Type: "text/html", Href: link}, Summary: hub.Plain(srv.Description)}
}

func (s *site) changesFeed(w http.ResponseWriter, r *http.Request) error {
	servers, err := s.Registry.Servers(r.Context(), hub.ServerQuery{Sort: hub.SortUpdated, Limit: feedSize})
	if err != nil {
		return err
	}
	var entries []atomEntry
	for _, srv := range servers {
		entries = append(entries, s.entry(srv, srv.UpdatedAt))
	}
	return s.sendFeed(w, "Changes on mcphub", "/feed.atom", "/servers?sort=updated", entries)
}

// feed answers the feeds that are not about changes or one server.
func (s *site) feed(w http.ResponseWriter, r *http.Request) error {
	var entries []atomEntry
	switch r.PathValue("feed") {
	case "new.atom":
		o, err := s.directory.Overview(r.Context())
		if err != nil {
			return err
		}
		servers, err := s.Registry.ByIDs(r.Context(), o.Newest)
		if err != nil {
			return err
		}
		for _, srv := range servers {
			e := s.entry(srv, srv.CreatedAt)
			e.Title, e.ID = srv.Name.String(), s.BaseURL+ui.ServerPath(srv.Name)
			entries = append(entries, e)
		}
		return s.sendFeed(w, "New servers on mcphub", "/feeds/new.atom", "/", entries)
	case "security.atom":
		list, err := s.directory.Withdrawals(r.Context(), feedSize)
		if err != nil {
			return err
		}
		for _, wd := range list {
			link := s.BaseURL + namePath(wd.Name) + "/versions"
			entries = append(entries, atomEntry{Title: wd.Name + " " + wd.Version + " was " + string(wd.State), ID: link + "#" + wd.Version + "-" + string(wd.State) + "-" + strconv.FormatInt(wd.At.Unix(), 10),
				Updated: wd.At.UTC().Format(time.RFC3339), Link: atomLink{Rel: "alternate", Type: "text/html", Href: link}, Summary: sentence(wd.Reason)})
		}
		return s.sendFeed(w, "Versions withdrawn on mcphub", "/feeds/security.atom", "/security", entries)
	}
	return s.nothing(w, r)
}

func (s *site) sendFeed(w http.ResponseWriter, title, self, page string, entries []atomEntry) error {
	b, err := s.feedOf(title, self, page, entries)
	if err != nil {
		return err
	}
	return s.write(w, atomType, b)
}

func (s *site) versionsFeed(w http.ResponseWriter, r *http.Request) error {
	srv, versions, err := s.Registry.Versions(r.Context(), nameOf(r))
	if err != nil {
		return err
	}
	var entries []atomEntry
	for _, v := range versions[:min(len(versions), feedSize)] {
		link := s.BaseURL + ui.VersionPath(srv.Name, v.Version)
		e := atomEntry{Title: srv.Name.String() + " " + v.Version, ID: link, Updated: v.UpdatedAt.UTC().Format(time.RFC3339), Link: atomLink{Rel: "alternate", Type: "text/html", Href: link}, Summary: hub.Plain(srv.Description)}
		if v.State != hub.Published {
			e.Title += " (" + string(v.State) + ")"
			e.Summary = sentence(v.Message)
		}
		entries = append(entries, e)
	}
	path := ui.ServerPath(srv.Name)
	return s.sendFeed(w, "Versions of "+srv.Name.String(), path+"/versions.atom", path+"/versions", entries)
}

// mapSize is how many addresses one site map has; the protocol allows 50,000.
const mapSize = 10_000

type siteMap struct {
	XMLName xml.Name   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []mapEntry `xml:"url"`
}

type mapIndex struct {
	XMLName xml.Name   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
	Maps    []mapEntry `xml:"sitemap"`
}

type mapEntry struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

func (s *site) sitemapIndex(w http.ResponseWriter, r *http.Request) error {
	names, err := s.directory.Names(r.Context())
	if err != nil {
		return err
	}
	idx := mapIndex{Maps: []mapEntry{{Loc: s.BaseURL + "/sitemaps/pages.xml"}}}
	for i := 0; i*mapSize < len(names); i++ {
		idx.Maps = append(idx.Maps, mapEntry{Loc: fmt.Sprintf("%s/sitemaps/%d.xml", s.BaseURL, i+1)})
	}
	b, err := marshalXML(idx)
	if err != nil {
		return err
	}
	return s.write(w, xmlType, b)
}

func (s *site) sitemap(w http.ResponseWriter, r *http.Request) error {
	part := strings.TrimSuffix(r.PathValue("part"), ".xml")
	var m siteMap
	if part == "pages" {
		paths := []string{"/", "/servers", "/categories", "/capabilities", "/start", "/docs", "/security"}
		for _, p := range s.manual().pages {
			paths = append(paths, "/docs/"+p.Slug)
		}
		for _, p := range paths {
			m.URLs = append(m.URLs, mapEntry{Loc: s.BaseURL + p})
		}
	} else {
		names, err := s.directory.Names(r.Context())
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > len(names)/mapSize+1 || (n-1)*mapSize >= len(names) {
			return s.nothing(w, r)
		}
		for _, x := range names[(n-1)*mapSize : min(n*mapSize, len(names))] {
			m.URLs = append(m.URLs, mapEntry{Loc: s.BaseURL + ui.ServerPath(x.Name), LastMod: x.Updated.UTC().Format("2006-01-02")})
		}
	}
	b, err := marshalXML(m)
	if err != nil {
		return err
	}
	return s.write(w, xmlType, b)
}

func (s *site) robots(w http.ResponseWriter, _ *http.Request) error {
	p := s.Prefix
	return s.write(w, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: "+p+"/search\nDisallow: "+p+"/suggest\nDisallow: "+p+"/account\nDisallow: "+p+"/login\nDisallow: "+p+"/api/\nSitemap: "+s.BaseURL+"/sitemap.xml\n"))
}

func (s *site) openSearch(w http.ResponseWriter, _ *http.Request) error {
	type address struct {
		Type     string `xml:"type,attr"`
		Template string `xml:"template,attr"`
	}
	b, err := marshalXML(struct {
		XMLName xml.Name `xml:"http://a9.com/-/spec/opensearch/1.1/ OpenSearchDescription"`
		Name    string   `xml:"ShortName"`
		Text    string   `xml:"Description"`
		URL     address  `xml:"Url"`
	}{Name: "mcphub", Text: "MCP servers on " + strings.TrimPrefix(strings.TrimPrefix(s.BaseURL, "https://"), "http://"), URL: address{"text/html", s.BaseURL + "/search?q={searchTerms}"}})
	if err != nil {
		return err
	}
	return s.write(w, "application/opensearchdescription+xml", b)
}

func (s *site) homeCard(w http.ResponseWriter, _ *http.Request) error {
	b, err := draw.PNG(draw.Card{Title: "Find the right MCP server.", Text: "Know what it does before it runs. Install it pinned, with one command.", Facts: []string{strings.TrimPrefix(strings.TrimPrefix(s.BaseURL, "https://"), "http://")}})
	if err != nil {
		return err
	}
	return s.write(w, pngType, b)
}

func (s *site) serverCard(w http.ResponseWriter, r *http.Request) error {
	srv, err := s.Registry.Server(r.Context(), nameOf(r))
	if err != nil {
		return err
	}
	c := draw.Card{Title: ui.DisplayTitle(srv), Name: srv.Name.String(), Text: hub.Plain(srv.Description), Initials: ui.Initials(srv.Name), Hue: ui.Hue(srv.Name), Facts: []string{"version " + srv.Latest.Version}}
	if srv.Latest.Tools > 0 {
		c.Facts = append(c.Facts, ui.Plural(srv.Latest.Tools, "tool"))
	}
	if srv.License != "" {
		c.Facts = append(c.Facts, srv.License)
	}
	b, err := draw.PNG(c)
	if err != nil {
		return err
	}
	return s.write(w, pngType, b)
}

// badge answers a small picture for a readme.
func (s *site) badge(w http.ResponseWriter, r *http.Request) error {
	srv, err := s.Registry.Server(r.Context(), nameOf(r))
	if err != nil {
		return err
	}
	var b []byte
	switch r.PathValue("kind") {
	case "version.svg":
		kind := map[hub.State]string{hub.Deprecated: "amber", hub.Yanked: "amber", hub.Quarantined: "red", hub.Unpublished: "red"}[srv.Latest.State]
		b = draw.Badge("mcphub", "v"+strings.TrimPrefix(srv.Latest.Version, "v"), kind)
	case "tools.svg":
		b = draw.Badge("tools", itoa(srv.Latest.Tools), "")
	case "installs.svg":
		b = draw.Badge("installs", ui.Number(srv.Installs), "")
	case "score.svg":
		b = draw.Badge("described", itoa(srv.Described())+" %", "")
	default:
		return s.nothing(w, r)
	}
	return s.write(w, svgType, b)
}
