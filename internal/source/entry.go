// Package source brings servers in from outside: catalogues in files (the official registry's lists,
// mcpm.sh, Docker's, ToolHive's), another registry over the network, and the starter catalogue that is
// part of the program. Everything it reads is untrusted and becomes an Entry: imported, imported with
// named warnings, or refused with a reason. It also holds the one HTTP client through which the hub talks
// to addresses it was told by others, which cannot be turned against the hub's own network.
package source

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/spdx"
	"github.com/mcphub/mcphub/internal/trust"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

// The origins that imported servers are labelled with.
const (
	OriginOfficial = "official"
	OriginMCPM     = "mcpm.sh"
	OriginDocker   = "docker/mcp-registry"
	OriginToolHive = "toolhive"
	OriginStarter  = "starter"
)

// Entry is one server version of a catalogue. Either Refused says why it cannot be taken, or Server and
// Version are set; IDs, creation time and an unknown publication time are left empty.
type Entry struct {
	Source   string // file, and place in it: "servers.json[12]"
	Name     string // as the catalogue calls it
	Server   *hub.Server
	Version  *hub.Version
	Warnings []string // what was changed or lost, and what to look out for
	Refused  string   // why it was not taken; empty when it was
}

func (e *Entry) warn(format string, args ...any) {
	w := fmt.Sprintf(format, args...)
	for _, have := range e.Warnings {
		if have == w {
			return
		}
	}
	e.Warnings = append(e.Warnings, w)
}

func (e *Entry) refuse(format string, args ...any) { e.Refused = fmt.Sprintf(format, args...) }

// issues takes findings over as warnings, the first few by name.
func (e *Entry) issues(issues []hub.Issue) {
	const most = 5
	for i, is := range issues {
		if i == most {
			e.warn("%d more findings", len(issues)-most)
			return
		}
		at := is.Path
		if at != "" {
			at += ": "
		}
		e.warn("%s%s", at, is.Message)
	}
}

// syntheticVersion is what an entry without a version gets: the same for the same content, and another
// as soon as the content changes.
func syntheticVersion(content []byte) string {
	return "0.0.0+" + strings.TrimPrefix(trust.SHA256(content), "sha256:")[:12]
}

// fill sets Server and Version from a manifest. official is the server.json as its publisher wrote it, or
// nil to have it made of the manifest.
func (e *Entry) fill(name hub.Name, origin string, m *manifest.Manifest, official *apiv0.ServerJSON, raw []byte) {
	full := ""
	if official == nil {
		official, full = m.ServerJSON()
		raw = nil
	} else if utf8.RuneCountInString(official.Description) > 100 {
		full = official.Description
		short, _ := m.ServerJSON()
		c := *official
		c.Description = short.Description
		official, raw = &c, nil
	}
	if full != "" {
		e.warn("the description has %d characters; the official API shows 100 of them", utf8.RuneCountInString(full))
	}
	if raw == nil {
		var err error
		if raw, err = json.Marshal(official); err != nil {
			e.refuse("it cannot be written as server.json: %v", err)
			return
		}
	}
	canonical := m.Canonical()
	facts := manifest.Facts(m, false)
	srv := manifest.ServerFacts(m)
	srv.Name, srv.Origin, srv.Latest = name, origin, facts
	e.Server = &srv
	e.Version = &hub.Version{
		Name: name, Version: m.Version, State: hub.Published, Format: hub.FormatServer, Mirrored: true,
		Manifest: canonical, ManifestDigest: trust.SHA256(canonical), ServerJSON: raw, FullText: full,
		Capabilities: manifest.CapabilitiesOf(m), Facts: facts,
	}
}

// status sets the state a catalogue gives a version, and the times it knows.
func (e *Entry) status(status, message string, published, updated, changed time.Time) {
	v := e.Version
	v.PublishedAt, v.UpdatedAt, v.StatusChangedAt = published.UTC(), updated.UTC(), changed.UTC()
	if status == "" {
		return
	}
	state, ok := hub.Status(status).StateOf()
	if !ok {
		e.warn("the status %q is not known; it counts as active", status)
		return
	}
	if v.State = state; state != hub.Published {
		v.Message = cut(message, 500)
	}
}

// mirrorName makes the name of an entry from a catalogue whose names have no namespace.
func (e *Entry) mirrorName(namespace, name string) (hub.Name, bool) {
	clean := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, strings.TrimPrefix(name, "@")), "-._")
	n, err := hub.ParseMirrorName(namespace + "/" + clean)
	if err != nil {
		e.refuse("the name %q cannot be used: %v", cut(name, 80), err)
		return "", false
	}
	if clean != name {
		e.warn("the name %q was changed to %q", cut(name, 80), clean)
	}
	return n, true
}

// cut shortens s to at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// words tidies keywords and categories: no empty ones, none twice, none too long, not too many.
func (e *Entry) words(what string, list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, w := range list {
		w = strings.Join(strings.Fields(w), " ")
		if w == "" || seen[strings.ToLower(w)] {
			continue
		}
		seen[strings.ToLower(w)] = true
		if utf8.RuneCountInString(w) > manifest.MaxWord {
			e.warn("the %s %q is too long and was left out", what, cut(w, 40))
			continue
		}
		if len(out) == manifest.MaxKeywords {
			e.warn("only the first %d %s are kept", manifest.MaxKeywords, what)
			break
		}
		out = append(out, w)
	}
	return out
}

// license keeps SPDX expressions; what says that there is none is dropped.
func (e *Entry) license(s string) string {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "", "noassertion", "unknown", "none", "n/a", "not specified", "other", "unlicensed":
		return ""
	}
	for _, id := range []string{s, strings.TrimSuffix(strings.TrimSuffix(s, " License"), " license"), strings.ReplaceAll(s, " ", "-")} {
		if near := spdx.Nearest(id); near != "" {
			return near
		}
	}
	if unknown, err := spdx.Check(s); err == nil && len(unknown) == 0 {
		return s
	}
	e.warn("the licence %q is not in SPDX's words and was left out", cut(s, 60))
	return ""
}

// link keeps http and https URLs.
func (e *Entry) link(what, s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	probe := &manifest.Manifest{Homepage: s}
	if hub.HasErrors(probe.Validate(manifest.ForProject)) {
		e.warn("the %s %q is not a URL and was left out", what, cut(s, 80))
		return ""
	}
	return s
}

func (e *Entry) repository(s, subfolder string) *manifest.Repository {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	r := manifest.RepositoryOf(s)
	if e.link("repository", r.URL) == "" {
		return nil
	}
	if subfolder = strings.Trim(subfolder, "/"); subfolder != "" && subfolder != "." {
		r.Subfolder = subfolder
	}
	return &r
}
