package hub

import (
	"context"
	"time"
)

// Sort is an order of a list of servers.
type Sort string

// The orders. Ties are broken by name, ascending.
const (
	SortName     Sort = "name"     // ascending
	SortUpdated  Sort = "updated"  // newest first
	SortInstalls Sort = "installs" // most first
	SortScore    Sort = "score"    // highest first
)

// ServerQuery asks for one page of servers.
type ServerQuery struct {
	Sort        Sort
	Limit       int          // rows at the most, 1 to 101: a page of 100, and one that tells whether there is another
	After       *ServerAfter // nil for the first page
	AsOf        time.Time    // SortUpdated only: leave out servers updated after it; zero for no bound
	Scope       string       // exact namespace
	PackageType string
	Transport   string
	Runtime     string
	License     string
	Category    string
	Keyword     string
	Mirrored    *bool // nil for both
}

// ServerAfter is the sort value and name of the last row of the page before.
type ServerAfter struct {
	Name   Name
	Number int64     // installs or score
	Time   time.Time // updated
}

// Servers stores servers. Every method is one atomic step.
type Servers interface {
	// Server returns the server by its UUID or its stored name. A name matches in its stored spelling
	// first and by its claim second, so that a look-up in another case or with other separators finds
	// it. NotFound when there is none.
	Server(ctx context.Context, ref string) (*Server, error)

	// List returns one page in the order asked for. Only servers with a visible version are listed, and none of which
	// all were unpublished.
	// A page is stable: rows that do not change between two calls are neither repeated nor left out.
	List(ctx context.Context, q ServerQuery) ([]*Server, error)

	// ServersByID returns the servers with these IDs (at most 100), in any order; unknown ones are left out.
	ServersByID(ctx context.Context, ids []string) ([]*Server, error)

	// Save creates the server, or updates the display facts of the one with its ID, and appends ev.
	// Exists when another server has the same claim. UpdatedAt is set by the store and returned.
	Save(ctx context.Context, s *Server, ev Event) error

	// SetTags replaces the dist-tags (tag to version) of a server and appends ev. NotFound when a
	// named version is not a visible version of the server.
	SetTags(ctx context.Context, serverID string, tags map[string]string, ev Event) error

	// AddInstalls adds to the install counts, by server ID, in all and of today. Unknown IDs are skipped. No
	// event.
	AddInstalls(ctx context.Context, counts map[string]int64) error

	// CountServers returns how many servers List lists, and how many versions are visible.
	CountServers(ctx context.Context) (servers, versions int64, err error)
}

// Submission is a new version with everything that is stored with it.
type Submission struct {
	Server  *Server  // created when its ID is not stored yet, else its display facts are updated when the version is published
	Version *Version // in state Submitted
	Event   Event
	Steps   []Step // taken at once, in the same transaction; the checks were made before
	Job     Job    // takes the version on; not stored when there are Steps
}

// Step is one transition on the way.
type Step struct {
	To     State
	Reason string
}

// Transition moves one version through one or more steps at once.
type Transition struct {
	VersionID   string
	From        State // must be the stored state
	Steps       []Step
	Message     string // stored when the last step is Deprecated, Yanked, Quarantined, Rejected or Unpublished; else cleared
	Replacement string
	Server      *Server // when set, its display facts are stored if this version becomes the latest
	Event       Event   // actor, name, request ID and time; action, before, after and reason are filled per step
	DoneJob     string  // job completed by the transition, "" for none
	BundleFiles int     // stored with the version when above 0: the number is known once the archive was read
	Readme      string  // stored with the version when not empty: it comes out of the archive
}

// Versions stores versions. Every method is one atomic step.
type Versions interface {
	// Version returns a version with manifest, capabilities and readme. version is a number or a
	// dist-tag; "latest" is the marked one. Without all, only visible ones are found. NotFound
	// otherwise.
	Version(ctx context.Context, serverID, version string, all bool) (*Version, error)

	// VersionByID returns a version in any state, whole. NotFound when there is none.
	VersionByID(ctx context.Context, id string) (*Version, error)

	// Versions returns all visible versions of a server without readme and capabilities, newest
	// publication first.
	Versions(ctx context.Context, serverID string) ([]*Version, error)

	// Submit stores the submission: server (if new), version, capabilities, event and job, all or
	// nothing. Exists when the server ever had that version number (the message tells the state), or
	// when the server is new and its claim is taken. A rejected version number may be used again:
	// it replaces the rejected row. With Steps the version is stored in the state of the last one, with
	// an event for each, marked as Transition marks it, and no job. s.Version is left as it is stored.
	Submit(ctx context.Context, s Submission) error

	// Transition applies the steps, appends one event for each, marks the latest version anew,
	// completes DoneJob and returns the version as stored. Conflict when the stored state is not From
	// or a step is not allowed. PublishedAt is set when it is first published.
	Transition(ctx context.Context, t Transition) (*Version, error)

	// TransitionAll applies several transitions, all or none, and returns the versions as stored, in
	// the order of ts.
	TransitionAll(ctx context.Context, ts []Transition) ([]*Version, error)

	// Import stores a server with one version that was published elsewhere, already in the state
	// Version.State (visible), with its event. It answers Unchanged when the same version with the
	// same manifest digest and state is stored, Updated when a mirrored version's status changed or
	// another version of the server was there, Imported when the server is new. Exists when the name
	// is taken by a server that was published here, or the version is stored with other bytes. A version
	// that is quarantined here stays so: Unchanged.
	Import(ctx context.Context, s *Server, v *Version, ev Event) (ImportResult, error)
}

// ImportResult says what Import did.
type ImportResult string

// The results of an import.
const (
	Imported  ImportResult = "imported"
	Updated   ImportResult = "updated"
	Unchanged ImportResult = "unchanged"
)

// CatalogQuery asks for one page of the official API's list: one row a version.
type CatalogQuery struct {
	Limit          int
	AfterName      Name // with AfterVersion: last row of the page before
	AfterVersion   string
	Search         string    // substring of the name, any case
	UpdatedSince   time.Time // strictly after; zero for no bound
	Version        string    // exact, "latest", or "" for all
	IncludeDeleted bool
	Name           Name // exact server, "" for all
}

// CatalogRow is one row of the official list, as stored bytes and what is needed around them.
type CatalogRow struct {
	Name       Name
	Version    string
	ServerJSON []byte
	Meta       []byte // rendered by RenderMeta; the value of the item's _meta
}

// Catalog reads versions as the official API shows them.
type Catalog interface {
	// Page returns rows ordered by name, then by version as plain text, both by bytes, whatever the
	// database's collation.
	Page(ctx context.Context, q CatalogQuery) ([]CatalogRow, error)
}

// CapabilityQuery asks for one page of capabilities.
type CapabilityQuery struct {
	Type   CapabilityType // "" for all
	Prefix string         // of the name
	Limit  int
	After  *CapabilityCount // last row of the page before
}

// Capabilities counts what servers offer.
type Capabilities interface {
	// CountCapabilities returns one page of capability names with the number of servers whose latest
	// version declares each, most servers first, then type and name.
	CountCapabilities(ctx context.Context, q CapabilityQuery) ([]CapabilityCount, error)
}

// Standing is what ranks a server among others that match as well.
type Standing struct {
	Score    int
	Installs int64
}

// VersionTexts is the part of a version in which words are looked for.
type VersionTexts struct {
	Capabilities []Capability
	Readme       string
}

// Matches reads what search needs, many at once: of what it found, and of what it puts into its engines.
type Matches interface {
	// Standings returns what ranks the servers with these IDs (at most 100); unknown ones are left out.
	Standings(ctx context.Context, ids []string) (map[string]Standing, error)

	// Texts returns the texts of the versions with these IDs (at most 100), in any state; unknown ones are left out.
	// Of a readme only the first so many bytes are read.
	Texts(ctx context.Context, ids []string, readme int) (map[string]VersionTexts, error)

	// VersionsByID returns those of at most 100 versions that there are, in any state, whole, by ID.
	VersionsByID(ctx context.Context, ids []string) (map[string]*Version, error)

	// Owners returns the server ID of each of at most 100 versions that there are, by version ID.
	Owners(ctx context.Context, versionIDs []string) (map[string]string, error)
}

// DayCount is how often something happened on a day.
type DayCount struct {
	Day   time.Time // its beginning, UTC
	Count int64
}

// ServerCount is how often something happened to a server.
type ServerCount struct {
	ServerID string
	Count    int64
}

// Statistics are counts over time.
type Statistics interface {
	// InstallsByDay returns how often a server was installed on each day from since on, oldest first. Days
	// without installs are left out.
	InstallsByDay(ctx context.Context, serverID string, since time.Time) ([]DayCount, error)

	// Trending returns the visible servers installed most often from the day of since on, most first, ties by
	// ID, at most limit.
	Trending(ctx context.Context, since time.Time, limit int) ([]ServerCount, error)
}
