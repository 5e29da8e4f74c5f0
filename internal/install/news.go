package install

import "time"

// News is what a hub last said of newer versions of mcpm.
type News struct {
	Registry string    `json:"registry"` // that was asked
	Asked    time.Time `json:"asked"`    // when
	Version  string    `json:"version,omitempty"`
	Page     string    `json:"page,omitempty"`
	Told     time.Time `json:"told,omitzero"` // when a person last was told
}

func (h Home) newsPath() string { return h.path("news.json") }

// News returns what was last heard; nothing when that cannot be read.
func (h Home) News() News {
	var n News
	if err := readJSON(h.newsPath(), &n); err != nil {
		return News{}
	}
	return n
}

// SetNews keeps what was heard.
func (h Home) SetNews(n News) error { return writeJSON(h.newsPath(), n, 0o600) }
