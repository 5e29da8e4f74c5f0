package hub

import (
	"context"
	"time"
)

// Document is what search knows of a server: the facts of its latest version.
type Document struct {
	ID           string // server ID
	Name         Name
	Title        string
	Description  string
	Readme       string // Markdown
	Keywords     []string
	Capabilities []Capability
	Labels       Labels
	Installs     int64
	Score        int // completeness, 0 to 100
	UpdatedAt    time.Time
}

// Facet is a kind of fact that servers are filtered and counted by.
type Facet string

// The facets. Values are the words of the manifest, lower case but for licences.
const (
	FacetCategory   Facet = "category"   // as the publisher says
	FacetHost       Facet = "host"       // host application that can use the server, see hosts
	FacetLanguage   Facet = "lang"       // python, javascript, go ...
	FacetLicense    Facet = "license"    // SPDX expression
	FacetOrigin     Facet = "origin"     // "here" or "mirrored"
	FacetPackage    Facet = "package"    // npm, pypi, oci, mcpb, nuget, cargo, bundle, remote
	FacetPermission Facet = "permission" // network, files, environment, secrets, subprocess
	FacetPrompt     Facet = "prompt"     // name of a prompt
	FacetProtocol   Facet = "protocol"   // protocol version the publisher names
	FacetPublisher  Facet = "publisher"  // scope of the name
	FacetResource   Facet = "resource"   // name of a resource
	FacetRuntime    Facet = "runtime"    // docker, node, python, go, binary, remote
	FacetTool       Facet = "tool"       // name of a tool
	FacetTransport  Facet = "transport"  // stdio, streamable-http, sse
)

// Facets are all facets, in alphabetical order.
var Facets = []Facet{FacetCategory, FacetHost, FacetLanguage, FacetLicense, FacetOrigin, FacetPackage, FacetPermission, FacetPrompt,
	FacetProtocol, FacetPublisher, FacetResource, FacetRuntime, FacetTool, FacetTransport}

// Labels are values of facets.
type Labels map[Facet][]string

// SearchSort is the order of search results.
type SearchSort string

// The orders. Ties go by ID.
const (
	ByRelevance SearchSort = ""         // best match first; without a text, by score and installs
	ByInstalls  SearchSort = "installs" // most installed first
	ByUpdated   SearchSort = "updated"  // last changed first
	ByScore     SearchSort = "score"    // highest score first
	ByName      SearchSort = "name"     // alphabetical
)

// MaxSearch is how far into the results of one search one can look.
const MaxSearch = 1000

// SearchQuery asks for results by words.
type SearchQuery struct {
	Text   string
	Filter Labels   // of one facet any value, of several facets all of them
	Among  []string // only these servers, nil for all; at most 1000
	Also   []string // these match too, whatever the text, after those that have its words; at most 1000
	Sort   SearchSort
	Limit  int  // 0 to 1000; 0 only counts
	Offset int  // Offset and Limit together at most MaxSearch
	Typing bool // the text is still being typed: its words are looked for as beginnings in name, title and the publisher's part of the scope
	Facets []Facet
}

// Hit is one search result. The score is 0 when it matches only because of Also. A higher score is a better match; scores of different searches do not compare.
type Hit struct {
	ID    string
	Score float64
	Tier  Tier // how its name matches the text
}

// Tier says how the name of a server matches a text. A higher one comes first, whatever the score.
type Tier int

// The tiers.
const (
	TierWords  Tier = iota // not as a whole
	TierPrefix             // the text is the beginning of the name's last part
	TierExact              // the text is the name, or its last part
)

// FacetCount is a value of a facet and how many matches have it.
type FacetCount struct {
	Value string
	Count int
}

// MaxFacetValues is how many values of a facet are counted: more than there are host applications, of which nearly every
// server has nearly every one, so that none is lost to its place in the alphabet.
const MaxFacetValues = 60

// SearchResult is one page of hits, best first, and how many there are in all.
type SearchResult struct {
	Hits   []Hit
	Total  int64
	Facets map[Facet][]FacetCount // most frequent first, ties by value; at most MaxFacetValues
}

// Index finds servers by words. It is rebuilt from the store at any time.
type Index interface {
	// Put adds or replaces documents. They are found when it returns.
	Put(ctx context.Context, docs []Document) error

	// Delete removes documents by server ID. Unknown IDs are no error.
	Delete(ctx context.Context, ids []string) error

	// Search returns the best matches: exact name first, then prefix of the name, then words in name,
	// title, keywords, capabilities with their inputs, description and readme, or words that mean the same
	// (package words). An empty text matches everything. Ties are broken by ID, so that pages do not
	// overlap. Invalid for an unknown facet or sort, and beyond MaxSearch.
	Search(ctx context.Context, q SearchQuery) (SearchResult, error)

	// Correct returns, for each word that no document has, the word spelled most like it, of several the
	// most frequent. Words that are known, that have no like, or of less than four letters are left out.
	Correct(ctx context.Context, words []string) (map[string]string, error)

	// Rebuild fills a new index by calling fill, and switches to it when fill succeeds. Until then, and
	// for ever when fill fails, the old documents are found. It is not called while another call puts or
	// deletes.
	Rebuild(ctx context.Context, fill func(put func(context.Context, []Document) error) error) error

	// Count returns the number of documents; it fails with Unavailable when the engine does not answer.
	Count(ctx context.Context) (int64, error)
}

// VectorDoc is a server's vectors: one for each part of what is known of it.
type VectorDoc struct {
	ID     string // server ID
	Labels Labels // as in Document, for filters
	Parts  [][]float32
}

// VectorQuery asks for the servers nearest to a vector.
type VectorQuery struct {
	Vector []float32
	Filter Labels // as in SearchQuery
	Limit  int    // 1 to 1000
}

// Vectors finds servers by meaning. It is rebuilt from the store at any time.
type Vectors interface {
	// Put adds or replaces servers. They are found when it returns. All vectors of one index have the
	// length of the first; others are refused with Invalid.
	Put(ctx context.Context, docs []VectorDoc) error

	// Delete removes servers. Unknown IDs are no error.
	Delete(ctx context.Context, ids []string) error

	// Nearest returns the servers with the highest cosine similarity of their best part, which is the
	// score (-1 to 1); ties by ID. An engine may miss a few of them, never more than one in twenty of the
	// first ten.
	Nearest(ctx context.Context, q VectorQuery) ([]Hit, error)

	// Rebuild is Index.Rebuild for vectors, which may have another length than the old ones.
	Rebuild(ctx context.Context, fill func(put func(context.Context, []VectorDoc) error) error) error

	// Count returns the number of servers; it fails with Unavailable when the engine does not answer.
	Count(ctx context.Context) (int64, error)
}

// Embedder turns texts into vectors whose cosine is how alike they mean.
type Embedder interface {
	// Model names the model and its version. Vectors of different models do not compare.
	Model() string

	// Embed returns one vector of length 1 for each text, in their order, all of the same dimensions. A
	// text without a known word gives a vector of zeros. Long texts are cut. Unavailable when the model
	// does not answer.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}
