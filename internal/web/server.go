package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/capability"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/web/draw"
	"github.com/mcphub/mcphub/internal/web/metrics"
	"github.com/mcphub/mcphub/internal/web/prose"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// serverView is everything the pages of one server show.
type serverView struct {
	*ui.Frame
	Server   *hub.Server
	Version  *hub.Version
	Manifest *manifest.Manifest
	Versions []*hub.Version // newest publication first, of a mirrored server the highest
	Exact    bool           // the address names the version
	Tab      string
	Base     string // path of the overview of what is shown
	Asks     []ask
	Inputs   []input
	Ways     []way
	Host     hostView
	Readme   prose.Page
	Hidden   int // characters in descriptions that cannot be seen
	Links    linkView
	Related  []*hub.Server
	Quality  hub.Quality
	Installs metrics.Chart
	Playable bool // its tools can be tried here
}

// chartDays is how far back the chart of installs goes.
const chartDays = 90

// linkView is what depends on what.
type linkView struct {
	DependsOn  []dependency
	Dependents []hub.Name
	Complete   bool
	Graph      draw.Graph
}

type dependency struct {
	Name  hub.Name
	Range string
	Dev   bool
	Here  bool // it is on this hub
}

type tab struct {
	key, label, count, hint string
}

var tabs = []string{"", "capabilities", "documentation", "security", "versions", "dependencies", "metrics"}

// nameOf reads a server's name from an address, in any spelling.
func nameOf(r *http.Request) string {
	return strings.TrimPrefix(r.PathValue("scope"), "@") + "/" + r.PathValue("name")
}

// load reads the server and version of an address. It answers itself, and returns nil, when the address is spelled
// otherwise than the name.
func (s *site) load(w http.ResponseWriter, r *http.Request) (*serverView, error) {
	srv, err := s.Registry.Server(r.Context(), nameOf(r))
	if err != nil {
		return nil, err
	}
	if spelled := r.PathValue("scope") + "/" + r.PathValue("name"); spelled != srv.Name.String() {
		_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/servers/"), "/")
		_, rest, _ = strings.Cut(rest, "/")
		target := ui.ServerPath(srv.Name)
		if rest != "" {
			target += "/" + rest
		}
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		return nil, s.redirect(w, http.StatusMovedPermanently, target)
	}
	v := &serverView{Server: srv, Base: ui.ServerPath(srv.Name), Tab: r.PathValue("tab")}
	number := r.PathValue("version")
	if v.Exact = number != ""; !v.Exact {
		number = "latest"
	}
	if v.Version, err = s.Registry.Version(r.Context(), srv.ID, number); err != nil {
		return nil, err
	}
	if v.Exact {
		v.Base = ui.VersionPath(srv.Name, number)
	}
	if v.Manifest, _, err = manifest.Parse(v.Version.Manifest); err != nil {
		return nil, err
	}
	return v, nil
}

// server shows one of the tabs of a server.
func (s *site) server(w http.ResponseWriter, r *http.Request) error {
	if !slices.Contains(tabs, r.PathValue("tab")) {
		return s.nothing(w, r)
	}
	v, err := s.load(w, r)
	if v == nil || err != nil {
		return err
	}
	if v.Versions, err = s.versions(r, v.Server); err != nil {
		return err
	}
	path := v.Base
	if v.Tab != "" {
		path += "/" + v.Tab
	}
	v.Frame = s.frame(r, s.titleOf(v), v.Server.Description, path)
	v.Section, v.Image, v.Feed = "browse", ui.ServerPath(v.Server.Name)+"/card.png", ui.ServerPath(v.Server.Name)+"/versions.atom"
	v.Asks, v.Inputs, v.Ways = asksOf(v.Manifest), inputsOf(v.Manifest), waysOf(v.Manifest)
	v.Hidden = hiddenIn(v.Version.Capabilities)
	switch v.Tab {
	case "":
		v.Data = s.structured(v)
		v.Readme = prose.Render(v.Version.Readme, prose.Options{Prefix: "readme-", Shift: 1, Link: prose.RepositoryLinks(v.repository())})
		v.Host = s.hostView(r, v)
		if v.Related, err = s.Search.Related(r.Context(), v.Server, 5); err != nil {
			s.Log.WarnContext(r.Context(), "related servers", "error", err) // the page is of use without them
		}
	case "capabilities":
		_, err := playground.WayOf(v.Manifest, v.Version)
		v.Playable = s.Playground != nil && err == nil
	case "dependencies":
		if v.Links, err = s.links(r, v); err != nil {
			return err
		}
	case "metrics":
		if _, v.Quality, err = s.Registry.Quality(r.Context(), v.Server.ID); err != nil {
			return err
		}
		days, err := s.Registry.InstallsByDay(r.Context(), v.Server.ID, chartDays)
		if err != nil {
			return err
		}
		v.Installs = metrics.Draw(days, chartDays, s.Now())
	}
	return s.show(w, r, http.StatusOK, serverPage(v))
}

var tabTitles = map[string]string{"capabilities": "Capabilities of ", "documentation": "Documentation of ", "security": "Security of ", "versions": "Versions of ", "dependencies": "Dependencies of ", "metrics": "Metrics of "}

func (s *site) titleOf(v *serverView) string {
	t := tabTitles[v.Tab] + ui.DisplayTitle(v.Server)
	if v.Exact {
		t += " " + v.Version.Version
	}
	return t
}

func (v *serverView) repository() (address, subfolder string) {
	if v.Manifest.Repository == nil {
		return v.Server.Repository, ""
	}
	return v.Manifest.Repository.URL, v.Manifest.Repository.Subfolder
}

// tabs are the pages of the server, with counts where there are any.
func (v *serverView) tabs() []tab {
	f := v.Version.Facts
	counts, hint := "", ""
	if f.Tools+f.Resources+f.Prompts > 0 {
		counts = itoa(f.Tools) + " · " + itoa(f.Resources) + " · " + itoa(f.Prompts)
		hint = ui.Plural(f.Tools, "tool") + ", " + ui.Plural(f.Resources, "resource") + ", " + ui.Plural(f.Prompts, "prompt")
	}
	deps := ""
	if n := len(v.Manifest.Dependencies); n > 0 {
		deps = itoa(n)
	}
	return []tab{{label: "Overview"}, {"capabilities", "Capabilities", counts, hint}, {key: "documentation", label: "Documentation"}, {key: "security", label: "Security"},
		{"versions", "Versions", itoa(len(v.Versions)), ""}, {"dependencies", "Dependencies", deps, ""}, {key: "metrics", label: "Metrics"}}
}

// install is what to type to get this version.
func (v *serverView) install() string {
	if v.Exact {
		return "mcpm install " + v.Server.Name.String() + "@" + v.Version.Version
	}
	return "mcpm install " + v.Server.Name.String()
}

func (v *serverView) ofType(t hub.CapabilityType) []hub.Capability {
	var out []hub.Capability
	for _, c := range v.Version.Capabilities {
		if c.Type == t {
			out = append(out, c)
		}
	}
	return out
}

// versions returns the versions of a server, newest publication first. When a copy was made says nothing of what came
// after what: those of a mirrored server come by their numbers.
func (s *site) versions(r *http.Request, srv *hub.Server) ([]*hub.Version, error) {
	_, list, err := s.Registry.Versions(r.Context(), srv.ID)
	if srv.Mirrored() {
		slices.SortStableFunc(list, func(a, b *hub.Version) int { return compareVersions(b, a) })
	}
	return list, err
}

func compareVersions(a, b *hub.Version) int {
	return cmp.Or(hub.CompareVersions(a.Version, a.PublishedAt, b.Version, b.PublishedAt), a.PublishedAt.Compare(b.PublishedAt)) // what differs in build metadata only is one version to SemVer
}

// before is the next lower version, nil when there is none.
func (v *serverView) before(version *hub.Version) *hub.Version {
	var out *hub.Version
	for _, other := range v.Versions {
		if other.State != hub.Unpublished && compareVersions(other, version) < 0 && (out == nil || compareVersions(other, out) > 0) {
			out = other
		}
	}
	return out
}

func (v *serverView) comparePath(from, to string) string {
	return ui.ServerPath(v.Server.Name) + "/compare?" + url.Values{"from": {from}, "to": {to}}.Encode()
}

// tagsOf returns the dist-tags of a version, sorted.
func (v *serverView) tagsOf(version string) []string {
	var out []string
	for tag, of := range v.Server.DistTags {
		if of == version && tag != "latest" {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return out
}

func hiddenIn(list []hub.Capability) int {
	n := 0
	for _, c := range list {
		n += prose.Hidden(c.Description) + prose.Hidden(c.Name) + prose.Hidden(c.Title)
		for _, f := range capability.Fields(c.Schema) {
			n += prose.Hidden(f.Name) + prose.Hidden(f.Meaning)
		}
	}
	return n
}

// structured is what search engines read of a server.
func (s *site) structured(v *serverView) any {
	d := map[string]any{"@context": "https://schema.org", "@type": "SoftwareApplication", "name": ui.DisplayTitle(v.Server), "alternateName": v.Server.Name.String(),
		"description": hub.Plain(v.Server.Description), "applicationCategory": "DeveloperApplication", "softwareVersion": v.Version.Version,
		"url": s.BaseURL + ui.ServerPath(v.Server.Name), "dateModified": v.Version.PublishedAt.UTC().Format("2006-01-02")}
	if v.Server.License != "" {
		d["license"] = v.Server.License
	}
	if v.Server.Repository != "" {
		d["codeRepository"] = v.Server.Repository
	}
	return d
}

// anyServer sends an address with a UUID, an escaped name or a namespace to its page.
func (s *site) anyServer(w http.ResponseWriter, r *http.Request) error {
	ref := r.PathValue("ref")
	srv, err := s.Registry.Server(r.Context(), ref)
	switch {
	case err == nil:
		return s.redirect(w, http.StatusMovedPermanently, ui.ServerPath(srv.Name))
	case hub.KindOf(err) == hub.NotFound && !strings.Contains(ref, "/"):
		return s.redirect(w, http.StatusFound, "/publishers/"+url.PathEscape(ref))
	}
	return err
}

func (s *site) links(r *http.Request, v *serverView) (linkView, error) {
	var out linkView
	for _, group := range []struct {
		of  map[string]string
		dev bool
	}{{v.Manifest.Dependencies, false}, {v.Manifest.DevDependencies, true}} {
		specs, _ := hub.ParseSpecs(group.of) // what is none leads nowhere
		for _, spec := range specs {
			d := dependency{Name: spec.Name, Range: spec.Range, Dev: group.dev}
			if spec.Range == "" {
				d.Range = "any version"
			}
			_, err := s.Registry.Server(r.Context(), string(d.Name))
			if d.Here = err == nil; err != nil && hub.KindOf(err) != hub.NotFound {
				return out, err
			}
			out.DependsOn = append(out.DependsOn, d)
		}
	}
	slices.SortFunc(out.DependsOn, func(a, b dependency) int { return strings.Compare(string(a.Name), string(b.Name)) })
	var err error
	out.Dependents, out.Complete, err = s.directory.Dependents(r.Context(), v.Server.Name)
	var on, by []string
	for _, d := range out.DependsOn {
		on = append(on, d.Name.String())
	}
	for _, n := range out.Dependents {
		by = append(by, n.String())
	}
	out.Graph = draw.Dependencies(v.Server.Name.String(), on, by)
	return out, err
}

// hostView is the host application that is chosen, and what to put into its file.
type hostView struct {
	hosts.Host
	First  []choice // the applications most people use, and the chosen one
	More   []choice
	Text   string
	Button string // "Add to VS Code", "" when the host has no link for that
	Link   string
}

func (s *site) hostView(r *http.Request, v *serverView) hostView {
	h, ok := hosts.ByID(r.URL.Query().Get("host"))
	if !ok {
		h = hosts.All()[0]
	}
	return hostOf(h, v)
}

// firstHosts is how many applications a page names before it folds the others away.
const firstHosts = 8

// hostChoices returns the applications to choose from: the first, with the chosen one among them, and the others.
func hostChoices(chosen string, url func(hosts.Host) string) (first, more []choice) {
	for i, h := range hosts.All() {
		c := choice{Label: h.Name, URL: url(h), Selected: h.ID == chosen}
		if i < firstHosts || c.Selected {
			first = append(first, c)
		} else {
			more = append(more, c)
		}
	}
	return first, more
}

func hostOf(h hosts.Host, v *serverView) hostView {
	out := hostView{Host: h}
	out.First, out.More = hostChoices(h.ID, func(other hosts.Host) string { return v.Base + "?host=" + other.ID + "#use" })
	key := v.Server.Name.Base()
	entry := hosts.RunEntry("mcpm", v.Server.Name.String())
	if text, err := hosts.File(h, []string{key}, map[string]hosts.Entry{key: entry}); err == nil {
		out.Text = string(text)
	}
	out.Button, out.Link = installLink(h, key, entry)
	return out
}
