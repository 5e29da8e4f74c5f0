package wire

// Quality is what is known of how good a server is.
type Quality struct {
	Name  string        `json:"name" example:"@acme/postgres"`
	Total int           `json:"total" doc:"Mean of the parts that are known, 0 to 100."`
	Parts []QualityPart `json:"parts"`
}

// QualityPart is one side of it.
type QualityPart struct {
	Name     string     `json:"name" enum:"documentation,maintenance,popularity,conformance,security"`
	Points   *int       `json:"points,omitempty" doc:"0 to 100; absent when nothing was measured."`
	Evidence []Evidence `json:"evidence"`
}

// Evidence is one fact and what it adds.
type Evidence struct {
	Fact   string `json:"fact" example:"last release 12 days ago"`
	Points int    `json:"points"`
	Of     int    `json:"of" doc:"The most it can add."`
}

// Installs are counts of installs by mcpm from this hub.
type Installs struct {
	Name  string       `json:"name" example:"@acme/postgres"`
	Total int64        `json:"total"`
	Days  []InstallDay `json:"days" doc:"Oldest first; days without installs are left out."`
}

// InstallDay is the count of one day.
type InstallDay struct {
	Day      string `json:"day" format:"date" example:"2026-01-31"`
	Installs int64  `json:"installs"`
}
