package hub

import "context"

// Document is what the search index knows of a server.
type Document struct {
	ID           string // server ID
	Name         Name
	Title        string
	Description  string
	Keywords     []string
	Categories   []string
	Capabilities []Capability
	PackageTypes []string
	Transports   []string
	Runtime      string
	License      string
	Mirrored     bool
	Installs     int64
	Score        int
}

// SearchQuery asks for one page of results.
type SearchQuery struct {
	Text        string
	Limit       int    // 1 to 100
	Offset      int    // at most 1000
	PackageType string // filters; "" for all
	Transport   string
	Runtime     string
	License     string
	Category    string
	Scope       string
	Mirrored    *bool
}

// Hit is one search result.
type Hit struct {
	ID    string
	Score float64
}

// SearchResult is one page of hits, best first, and how many there are in all.
type SearchResult struct {
	Hits  []Hit
	Total int64
}

// Index finds servers by words. It is rebuilt from the store at any time.
type Index interface {
	// Put adds or replaces documents. They are found when it returns.
	Put(ctx context.Context, docs []Document) error

	// Delete removes documents by server ID. Unknown IDs are no error.
	Delete(ctx context.Context, ids []string) error

	// Search returns the best matches: exact name first, then prefix of the name, then words in name,
	// title, keywords, capabilities and description. An empty text matches everything, by score and
	// installs. Ties are broken by ID, so that pages do not overlap.
	Search(ctx context.Context, q SearchQuery) (SearchResult, error)

	// Reset removes everything.
	Reset(ctx context.Context) error

	// Count returns the number of documents; it fails with Unavailable when the engine does not answer.
	Count(ctx context.Context) (int64, error)
}
