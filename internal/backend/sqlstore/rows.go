package sqlstore

import (
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

// facts are the columns of hub.LatestFacts that versions have and servers repeat.
type facts struct {
	PackageTypes list   `bun:"package_types"`
	Transports   list   `bun:"transports"`
	Runtime      string `bun:"runtime"`
	Tools        int    `bun:"tools"`
	Resources    int    `bun:"resources"`
	Prompts      int    `bun:"prompts"`
}

func factsOf(f hub.LatestFacts) facts {
	return facts{f.PackageTypes, f.Transports, f.Runtime, f.Tools, f.Resources, f.Prompts}
}

func (f facts) hub() hub.LatestFacts {
	return hub.LatestFacts{PackageTypes: f.PackageTypes, Transports: f.Transports, Runtime: f.Runtime,
		Tools: f.Tools, Resources: f.Resources, Prompts: f.Prompts}
}

type serverRow struct {
	bun.BaseModel `bun:"table:servers,alias:s"`

	ID            string `bun:"id,pk"`
	Name          string `bun:"name"`
	Claim         string `bun:"claim"`
	HoldsClaim    bool   `bun:"holds_claim"`
	Scope         string `bun:"scope"`
	Origin        string `bun:"origin"`
	LatestID      string `bun:"latest_id"`
	LatestVersion string `bun:"latest_version"`
	LatestState   string `bun:"latest_state"`
	Latest        facts  `bun:"embed:latest_"`
	License       string `bun:"license"`
	Categories    list   `bun:"categories"`
	Keywords      list   `bun:"keywords"`
	Installs      int64  `bun:"installs"`
	Score         int    `bun:"score"`
	CreatedAt     int64  `bun:"created_at"`
	UpdatedAt     int64  `bun:"updated_at"`
	Title         string `bun:"title"`
	Homepage      string `bun:"homepage"`
	Repository    string `bun:"repository"`
	Icon          string `bun:"icon"`
	DistTags      tags   `bun:"dist_tags"`
	Description   string `bun:"description"`
}

func newServerRow(s *hub.Server, now int64) *serverRow {
	r := &serverRow{ID: s.ID, Name: string(s.Name), Claim: s.Name.Claim(), HoldsClaim: true, Scope: s.Name.Scope(),
		Origin: s.Origin, Installs: s.Installs, DistTags: s.DistTags, CreatedAt: micros(s.CreatedAt), UpdatedAt: now}
	if r.CreatedAt == 0 {
		r.CreatedAt = now
	}
	r.display(s)
	return r
}

// displayColumns are the facts an owner or a new latest version sets; display fills them.
var displayColumns = []string{"title", "description", "license", "homepage", "repository", "keywords", "categories", "icon", "score"}

func (r *serverRow) display(s *hub.Server) {
	r.Title, r.Description, r.License, r.Homepage, r.Repository = s.Title, s.Description, s.License, s.Homepage, s.Repository
	r.Keywords, r.Categories, r.Icon, r.Score = s.Keywords, s.Categories, s.Icon, s.Score
}

func (r *serverRow) hub() *hub.Server {
	latest := r.Latest.hub()
	latest.VersionID, latest.Version, latest.State = r.LatestID, r.LatestVersion, hub.State(r.LatestState)
	return &hub.Server{ID: r.ID, Name: hub.Name(r.Name), Title: r.Title, Description: r.Description, License: r.License,
		Homepage: r.Homepage, Repository: r.Repository, Keywords: r.Keywords, Categories: r.Categories, Icon: r.Icon,
		Origin: r.Origin, Latest: latest, Installs: r.Installs, Score: r.Score, DistTags: r.DistTags,
		CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt)}
}

type versionRow struct {
	bun.BaseModel `bun:"table:versions,alias:v"`

	ID              string `bun:"id,pk"`
	ServerID        string `bun:"server_id"`
	Name            string `bun:"name"`
	Version         string `bun:"version"`
	State           string `bun:"state"`
	Shown           int    `bun:"shown"`
	Latest          bool   `bun:"latest"`
	Mirrored        bool   `bun:"mirrored"`
	CreatedAt       int64  `bun:"created_at"`
	PublishedAt     int64  `bun:"published_at"`
	UpdatedAt       int64  `bun:"updated_at"`
	StatusChangedAt int64  `bun:"status_changed_at"`
	PublishedBy     string `bun:"published_by"`
	Message         string `bun:"message"`
	Replacement     string `bun:"replacement"`
	Format          string `bun:"format"`
	ManifestDigest  string `bun:"manifest_digest"`
	BundleDigest    string `bun:"bundle_digest"`
	BundleIntegrity string `bun:"bundle_integrity"`
	BundleSize      int64  `bun:"bundle_size"`
	BundleFiles     int    `bun:"bundle_files"`
	Facts           facts  `bun:"embed:"`
	MetaJSON        []byte `bun:"meta_json"`
	ServerJSON      []byte `bun:"server_json"`

	// Of version_texts, when they were asked for.
	FullText     string `bun:"full_text,scanonly"`
	Manifest     []byte `bun:"manifest,scanonly"`
	Capabilities []byte `bun:"capabilities,scanonly"`
	Readme       []byte `bun:"readme,scanonly"`
}

// textRow is the rest of a version, in a table of its own so that lists stay narrow.
type textRow struct {
	bun.BaseModel `bun:"table:version_texts,alias:t"`

	VersionID    string `bun:"version_id,pk"`
	FullText     string `bun:"full_text"`
	Manifest     []byte `bun:"manifest"`
	Capabilities []byte `bun:"capabilities"`
	Readme       []byte `bun:"readme"`
}

// shown is what the column of the same name holds for a state.
func shown(s hub.State) int {
	switch {
	case !s.Visible():
		return 0
	case s.Status() == hub.StatusDeleted:
		return 1
	}
	return 2
}

func newVersionRow(v *hub.Version) (*versionRow, error) {
	r := &versionRow{ID: v.ID, ServerID: v.ServerID, Name: string(v.Name), Version: v.Version, State: string(v.State),
		Shown: shown(v.State), Mirrored: v.Mirrored, CreatedAt: micros(v.CreatedAt), PublishedAt: micros(v.PublishedAt),
		UpdatedAt: micros(v.UpdatedAt), StatusChangedAt: micros(v.StatusChangedAt), PublishedBy: v.PublishedBy,
		Message: v.Message, Replacement: v.Replacement, Format: string(v.Format), ManifestDigest: v.ManifestDigest,
		Facts: factsOf(v.Facts), MetaJSON: []byte{}, ServerJSON: bytesOf(v.ServerJSON), FullText: v.FullText,
		Manifest: bytesOf(v.Manifest), Capabilities: []byte{}, Readme: []byte(v.Readme)}
	if b := v.Bundle; b != nil {
		r.BundleDigest, r.BundleIntegrity, r.BundleSize, r.BundleFiles = b.Digest, b.Integrity, b.Size, b.Files
	}
	if len(v.Capabilities) > 0 {
		b, err := json.Marshal(v.Capabilities)
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "the capabilities of %s %s cannot be written as JSON", v.Name, v.Version).WithCause(err)
		}
		r.Capabilities = b
	}
	return r, nil
}

// bytesOf keeps a NOT NULL column from a nil slice.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (r *versionRow) texts() *textRow {
	return &textRow{VersionID: r.ID, FullText: r.FullText, Manifest: r.Manifest, Capabilities: r.Capabilities, Readme: r.Readme}
}

func (r *versionRow) hub() (*hub.Version, error) {
	v := &hub.Version{ID: r.ID, ServerID: r.ServerID, Name: hub.Name(r.Name), Version: r.Version, State: hub.State(r.State),
		Message: r.Message, Replacement: r.Replacement, Format: hub.Format(r.Format), Manifest: r.Manifest,
		ManifestDigest: r.ManifestDigest, ServerJSON: r.ServerJSON, FullText: r.FullText, Readme: string(r.Readme),
		Facts: r.Facts.hub(), Latest: r.Latest, Mirrored: r.Mirrored, PublishedBy: r.PublishedBy,
		CreatedAt: instant(r.CreatedAt), PublishedAt: instant(r.PublishedAt), UpdatedAt: instant(r.UpdatedAt),
		StatusChangedAt: instant(r.StatusChangedAt)}
	v.Facts.Version = r.Version
	if r.BundleDigest != "" {
		v.Bundle = &hub.Bundle{Digest: r.BundleDigest, Integrity: r.BundleIntegrity, Size: r.BundleSize, Files: r.BundleFiles}
	}
	if len(r.Capabilities) > 0 {
		if err := json.Unmarshal(r.Capabilities, &v.Capabilities); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (r *versionRow) key() hub.VersionKey {
	return hub.VersionKey{ID: r.ID, Version: r.Version, State: hub.State(r.State), PublishedAt: instant(r.PublishedAt), Mirrored: r.Mirrored}
}

// render makes the official API's _meta anew, after a change.
func (r *versionRow) render(origin string) error {
	r.Shown = shown(hub.State(r.State))
	if r.Shown == 0 {
		r.MetaJSON = []byte{}
		return nil
	}
	plain := *r
	plain.Capabilities = nil // not shown there
	v, err := plain.hub()
	if err != nil {
		return err
	}
	r.MetaJSON = hub.RenderMeta(v, origin)
	return nil
}
