package registry

import (
	"cmp"
	"context"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// Use is what a group of servers is for. Publishers write categories and keywords in many ways; a use gathers
// those that mean the same.
type Use struct {
	Slug    string
	Label   string
	Icon    string // name of a drawing
	Servers int
	words   []string
}

// uses are all uses, with the words, as fold writes them, that put a server into one.
var uses = []Use{
	{Slug: "data", Label: "Databases and data", Icon: "database", words: []string{"database", "databases", "data", "sql", "postgres", "postgresql", "mysql", "sqlite", "mongodb", "redis", "bigquery", "snowflake", "vectordatabase"}},
	{Slug: "development", Label: "Developer tools", Icon: "code", words: []string{"development", "developertools", "devtools", "developer", "code", "git", "github", "gitlab", "testing", "debugging", "versioncontrol", "softwaredevelopment"}},
	{Slug: "devops", Label: "Cloud and operations", Icon: "server", words: []string{"devops", "cloud", "aws", "azure", "gcp", "kubernetes", "docker", "terraform", "infrastructure", "systemtools", "iac"}},
	{Slug: "productivity", Label: "Productivity", Icon: "list", words: []string{"productivity", "calendar", "tasks", "taskmanagement", "projectmanagement", "notes", "officetools", "professionalapps", "notion", "jira"}},
	{Slug: "web", Label: "Web and browsing", Icon: "globe", words: []string{"web", "webservices", "browser", "browserautomation", "scraping", "webscraping", "crawler", "websearch", "fetch"}},
	{Slug: "search", Label: "Search", Icon: "search", words: []string{"search", "searchengine", "retrieval", "rag"}},
	{Slug: "knowledge", Label: "Knowledge and documents", Icon: "book-open", words: []string{"knowledge", "knowledgebase", "documentation", "docs", "documents", "markdown", "pdf", "research", "academic", "memory"}},
	{Slug: "communication", Label: "Mail and messages", Icon: "mail", words: []string{"communication", "messaging", "mail", "email", "chat", "slack", "discord", "telegram", "social", "socialmedia"}},
	{Slug: "files", Label: "Files and storage", Icon: "folder", words: []string{"files", "filesystem", "storage", "filemanagement", "cloudstorage", "s3"}},
	{Slug: "ai", Label: "AI and models", Icon: "bot", words: []string{"ai", "aiml", "aisystems", "llm", "machinelearning", "ml", "agents", "aiagents", "embeddings"}},
	{Slug: "analytics", Label: "Analytics", Icon: "chart-line", words: []string{"analytics", "dataanalytics", "datavisualization", "visualization", "charts", "businessintelligence", "statistics"}},
	{Slug: "monitoring", Label: "Monitoring", Icon: "activity", words: []string{"monitoring", "observability", "logging", "logs", "metrics", "tracing", "alerting"}},
	{Slug: "security", Label: "Security", Icon: "lock", words: []string{"security", "vulnerability", "vulnerabilities", "secrets", "pentesting", "compliance", "authentication"}},
	{Slug: "finance", Label: "Finance", Icon: "wallet", words: []string{"finance", "payments", "crypto", "cryptocurrency", "blockchain", "stocks", "trading", "accounting", "costmanagement"}},
	{Slug: "commerce", Label: "Business and commerce", Icon: "shopping-cart", words: []string{"business", "commerce", "ecommerce", "crm", "marketing", "sales", "seo"}},
	{Slug: "media", Label: "Pictures, sound and video", Icon: "image", words: []string{"media", "mediacreation", "image", "images", "video", "audio", "music", "design", "figma", "imagegeneration"}},
	{Slug: "places", Label: "Places and travel", Icon: "compass", words: []string{"travel", "maps", "location", "geolocation", "weather", "geospatial", "transport"}},
	{Slug: "home", Label: "Home and devices", Icon: "house", words: []string{"iot", "smarthome", "homeautomation", "homeassistant", "hardware", "robotics"}},
}

// fold brings the spellings of a word together: "Dev Tools", "dev-tools" and "devtools".
func fold(word string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '&' || r == '/' {
			return -1
		}
		return r
	}, strings.ToLower(word))
}

// listing is what the directory keeps of one server.
type listing struct {
	id        string
	name      hub.Name
	score     int
	installs  int64
	created   time.Time
	updated   time.Time
	uses      []int // places in uses
	current   bool  // neither deprecated nor withdrawn
	own       bool  // published here: it may have dependencies
	dependsOn []string
}

// Directory is the catalogue seen from above: how many servers are for what, which are new, who depends on
// whom. It is kept in memory, follows the catalogue when asked, and is lost without harm.
type Directory struct {
	s     *Service
	mu    sync.Mutex
	byID  map[string]*listing
	newer time.Time // all servers updated up to here are in
	local uint64
	seen  int64
	built time.Time
	took  time.Duration
	uses  map[string]int
	view  Overview
	lists [][]string // IDs by use, best first
	stale map[string]bool

	withdrawn []Withdrawal // oldest first
	event     int64        // last one that was looked at
}

// Overview is what a Directory knows in numbers.
type Overview struct {
	Servers, Versions int64
	NewThisWeek       int
	Uses              []Use    // those that have servers, most first
	Newest            []string // IDs
	Best              []string // IDs of those described best
}

// NewDirectory makes an empty directory.
func NewDirectory(s *Service) *Directory {
	d := &Directory{s: s, byID: map[string]*listing{}, uses: map[string]int{}, stale: map[string]bool{}}
	for i, u := range uses {
		for _, w := range u.words {
			d.uses[w] = i
		}
	}
	return d
}

// cheap is how long a refresh may take without being spaced out.
const cheap = 50 * time.Millisecond

// refresh reads what changed since the last time, when anything did. One that is not cheap is made at most a
// tenth of the time.
func (d *Directory) refresh(ctx context.Context) error {
	local, seen := d.s.Generation()
	begun := time.Now()
	if !d.built.IsZero() && ((local == d.local && seen == d.seen) || (d.took > cheap && begun.Sub(d.built) < 10*d.took)) {
		return nil
	}
	q := hub.ServerQuery{Sort: hub.SortUpdated, Limit: 100}
	newest := d.newer
	for {
		rows, err := d.s.store.List(ctx, q)
		if err != nil {
			return err
		}
		known := false
		for _, srv := range rows {
			if known = !srv.UpdatedAt.After(d.newer); known {
				break
			}
			d.put(srv)
			if srv.UpdatedAt.After(newest) {
				newest = srv.UpdatedAt
			}
		}
		if known || len(rows) < q.Limit {
			break
		}
		last := rows[len(rows)-1]
		q.After = &hub.ServerAfter{Name: last.Name, Time: last.UpdatedAt}
	}
	servers, versions, err := d.s.Counts(ctx)
	if err != nil {
		return err
	}
	d.newer, d.local, d.seen = newest, local, seen
	d.view = Overview{Servers: servers, Versions: versions}
	d.arrange(d.s.now())
	d.built, d.took = begun, time.Since(begun)
	return nil
}

func (d *Directory) put(srv *hub.Server) {
	l := &listing{id: srv.ID, name: srv.Name, score: srv.Described(), installs: srv.Installs, created: srv.CreatedAt, updated: srv.UpdatedAt, own: !srv.Mirrored(), current: srv.Latest.State == hub.Published}
	for _, word := range slices.Concat(srv.Categories, srv.Keywords) {
		if i, ok := d.uses[fold(word)]; ok && !slices.Contains(l.uses, i) {
			l.uses = append(l.uses, i)
		}
	}
	if l.own {
		d.stale[l.id] = true
	}
	d.byID[l.id] = l
}

// arrange sorts the servers anew.
func (d *Directory) arrange(now time.Time) {
	all := make([]*listing, 0, len(d.byID))
	for _, l := range d.byID {
		all = append(all, l)
		if now.Sub(l.created) < 7*24*time.Hour {
			d.view.NewThisWeek++
		}
	}
	slices.SortFunc(all, func(a, b *listing) int {
		if c := b.created.Compare(a.created); c != 0 {
			return c
		}
		return strings.Compare(string(a.name), string(b.name))
	})
	for _, l := range all[:min(len(all), 50)] {
		d.view.Newest = append(d.view.Newest, l.id)
	}
	slices.SortFunc(all, func(a, b *listing) int {
		if a.installs != b.installs {
			return int(b.installs - a.installs)
		}
		if a.score != b.score {
			return b.score - a.score
		}
		return strings.Compare(string(a.name), string(b.name))
	})
	d.view.Best = best(all)
	d.lists = make([][]string, len(uses))
	for _, l := range all {
		for _, i := range l.uses {
			d.lists[i] = append(d.lists[i], l.id)
		}
	}
	for i, u := range uses {
		if u.Servers = len(d.lists[i]); u.Servers > 0 {
			d.view.Uses = append(d.view.Uses, u)
		}
	}
	slices.SortStableFunc(d.view.Uses, func(a, b Use) int { return b.Servers - a.Servers })
}

// best returns the servers that are described best. Many are described wholly: of those the most installed come
// first, then what was changed last. Those of one day are shuffled, always alike: an import brings them in the order of
// their names. What its publisher gave up is not among them.
func best(all []*listing) []string {
	all = slices.DeleteFunc(slices.Clone(all), func(l *listing) bool { return !l.current })
	slices.SortFunc(all, func(a, b *listing) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.installs, a.installs), b.updated.Truncate(24*time.Hour).Compare(a.updated.Truncate(24*time.Hour)),
			cmp.Compare(crc32.ChecksumIEEE([]byte(a.name)), crc32.ChecksumIEEE([]byte(b.name))))
	})
	var out []string
	for _, l := range all[:min(len(all), 50)] {
		out = append(out, l.id)
	}
	return out
}

// Overview returns the numbers.
func (d *Directory) Overview(ctx context.Context) (Overview, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.refresh(ctx)
	return d.view, err
}

// OfUse returns one page of the servers of a use, most installed and best described first. NotFound when there
// is no such use.
func (d *Directory) OfUse(ctx context.Context, slug string, offset, limit int) (Use, []*hub.Server, error) {
	i := slices.IndexFunc(uses, func(u Use) bool { return u.Slug == slug })
	if i < 0 {
		return Use{}, nil, hub.Errorf(hub.NotFound, "there is no use %q", slug).WithHint("choose one of the list")
	}
	d.mu.Lock()
	err := d.refresh(ctx)
	var ids []string
	if err == nil {
		ids = d.lists[i]
	}
	d.mu.Unlock()
	if err != nil {
		return Use{}, nil, err
	}
	u := uses[i]
	u.Servers = len(ids)
	ids = ids[min(max(offset, 0), len(ids)):]
	servers, err := d.s.byIDs(ctx, ids[:min(limit, len(ids), 100)])
	return u, servers, err
}

// Named is a server's name and when it changed last.
type Named struct {
	Name    hub.Name
	Updated time.Time
}

// Names returns the names of all servers, sorted.
func (d *Directory) Names(ctx context.Context) ([]Named, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(ctx); err != nil {
		return nil, err
	}
	out := make([]Named, 0, len(d.byID))
	for _, l := range d.byID {
		out = append(out, Named{l.name, l.updated})
	}
	slices.SortFunc(out, func(a, b Named) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out, nil
}

// readAtOnce bounds how many manifests one question about dependents reads.
const readAtOnce = 500

// Dependents returns the names of the servers whose latest version depends on name, sorted, and whether all
// servers were looked at already; a large hub needs a few questions for that.
func (d *Directory) Dependents(ctx context.Context, name hub.Name) (names []hub.Name, complete bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(ctx); err != nil {
		return nil, false, err
	}
	read := 0
	for id := range d.stale {
		if read++; read > readAtOnce {
			break
		}
		v, err := d.s.store.Version(ctx, id, "latest", false)
		if err != nil && hub.KindOf(err) != hub.NotFound {
			return nil, false, err
		}
		delete(d.stale, id)
		if err != nil {
			continue
		}
		m, _, err := manifest.Parse(v.Manifest)
		if err != nil {
			continue // stored before a rule became stricter: its page still shows it
		}
		deps, _ := hub.ParseSpecs(m.Dependencies) // stored before a rule became stricter, perhaps
		for _, on := range deps {
			d.byID[id].dependsOn = append(d.byID[id].dependsOn, on.Name.Claim())
		}
	}
	for _, l := range d.byID {
		if slices.Contains(l.dependsOn, name.Claim()) {
			names = append(names, l.name)
		}
	}
	slices.Sort(names)
	return names, len(d.stale) == 0, nil
}

// Withdrawal is a version that its owner or an administrator took out of use.
type Withdrawal struct {
	Name    string // "@acme/db"
	Version string
	State   hub.State
	Reason  string
	At      time.Time
}

// The bounds of what is known of withdrawals: how far back in the log they are looked for, and how many are kept.
const (
	recentEvents   = 5000
	maxWithdrawals = 200
)

// Withdrawals returns the newest versions that were quarantined, yanked or unpublished, newest first.
func (d *Directory) Withdrawals(ctx context.Context, limit int) ([]Withdrawal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, err := d.s.store.LastEvent(ctx)
	if err != nil {
		return nil, err
	}
	if d.event < last {
		events, err := d.s.store.EventsAfter(ctx, max(d.event, last-recentEvents), recentEvents)
		if err != nil {
			return nil, err
		}
		for _, ev := range events {
			d.event = ev.Seq
			state := hub.State(strings.TrimPrefix(ev.Action, "version."))
			if ev.Action != hub.ActionOf(state) || (state != hub.Quarantined && state != hub.Yanked && state != hub.Unpublished) {
				continue
			}
			name, version, _ := strings.Cut(ev.Name, " ")
			d.withdrawn = append(d.withdrawn, Withdrawal{Name: name, Version: version, State: state, Reason: ev.Reason, At: ev.At})
		}
		d.withdrawn = d.withdrawn[max(0, len(d.withdrawn)-maxWithdrawals):]
	}
	out := slices.Clone(d.withdrawn[max(0, len(d.withdrawn)-limit):])
	slices.Reverse(out)
	return out, nil
}
