package wire

// SearchResult is one page of search results.
type SearchResult struct {
	Query      string      `json:"query" doc:"The words that were looked for, without the filters that were among them."`
	Corrected  string      `json:"corrected,omitempty" doc:"What was looked for in place of query, because nobody uses a word of it."`
	Filters    []Filter    `json:"filters,omitempty" doc:"What was filtered by, in the text or beside it."`
	Total      int64       `json:"total" doc:"How many servers match in all."`
	Servers    []SearchHit `json:"servers" doc:"Best first."`
	Facets     []Facet     `json:"facets,omitempty" doc:"Counts of the facets that were asked for."`
	NextCursor string      `json:"nextCursor,omitempty" doc:"Send it back as cursor for the next page; absent on the last one."`
	Notice     string      `json:"notice,omitempty" doc:"Says so when the result is less than it should be, such as while the search engine is down."`
}

// SearchHit is a server and why it was found.
type SearchHit struct {
	Server
	Why []Reason `json:"why,omitempty" doc:"Where it matches, the strongest first."`
}

// Reason is one place where a server matches.
type Reason struct {
	Field string     `json:"field" enum:"name,title,keyword,category,tool,resource,prompt,input,description,readme,meaning"`
	Value string     `json:"value,omitempty" doc:"The name that matches." example:"query"`
	Text  []Fragment `json:"text,omitempty" doc:"The text around the match, in pieces."`
}

// Fragment is a piece of a text.
type Fragment struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit,omitempty" doc:"These words match."`
}

// Filter is a facet and the values of it that are let through.
type Filter struct {
	Name   string   `json:"name" example:"transport"`
	Values []string `json:"values"`
}

// Facet is a kind of fact and how many results have which value of it.
type Facet struct {
	Name   string       `json:"name" example:"transport"`
	Values []FacetValue `json:"values" doc:"Most frequent first."`
}

// FacetValue is one value and its count.
type FacetValue struct {
	Value    string `json:"value" example:"stdio"`
	Count    int    `json:"count"`
	Selected bool   `json:"selected,omitempty" doc:"It is filtered by."`
}

// SuggestResult is what a text that is being typed may become.
type SuggestResult struct {
	Suggestions []Suggestion `json:"suggestions" doc:"Best first."`
}

// Suggestion is something that begins as the text does.
type Suggestion struct {
	Kind    string `json:"kind" enum:"server,tool,resource,prompt"`
	Value   string `json:"value" example:"@acme/postgres"`
	Title   string `json:"title,omitempty"`
	Servers int    `json:"servers,omitempty" doc:"How many servers declare it."`
}

// RelatedResult lists servers that are for the like.
type RelatedResult struct {
	Servers []Server `json:"servers" doc:"Nearest first."`
}
