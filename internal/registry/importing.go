package registry

import (
	"context"
	"fmt"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
)

// ImportReport says what became of each entry of a catalogue. Imported, Updated, Unchanged and Refused
// add up to the number of entries.
type ImportReport struct {
	Imported  int           `json:"imported"`
	Updated   int           `json:"updated"`
	Unchanged int           `json:"unchanged"`
	Refused   int           `json:"refused"`
	Entries   []ImportEntry `json:"entries"`
}

// ImportEntry is one entry of a report.
type ImportEntry struct {
	Source   string   `json:"source"` // file, and place in it
	Name     string   `json:"name"`
	Version  string   `json:"version,omitempty"`
	Status   string   `json:"status"` // imported, updated, unchanged, refused
	Reason   string   `json:"reason,omitempty"`
	Warnings []string `json:"warnings"`
}

// Import stores entries of other catalogues as mirrored servers. One bad entry never stops the rest;
// only a store that fails does. Importing the same twice changes nothing.
func (s *Service) Import(ctx context.Context, actor hub.Actor, entries []source.Entry) (*ImportReport, error) {
	if !actor.Admin() {
		return nil, hub.Errorf(hub.Forbidden, "catalogues are imported by administrators")
	}
	report := &ImportReport{Entries: make([]ImportEntry, 0, len(entries))}
	defer s.Changed()
	for i := range entries {
		row, err := s.importOne(ctx, actor, &entries[i])
		if err != nil {
			return report, err
		}
		report.add(row)
	}
	return report, nil
}

func (s *Service) importOne(ctx context.Context, actor hub.Actor, e *source.Entry) (ImportEntry, error) {
	row := ImportEntry{Source: e.Source, Name: e.Name, Status: "refused", Reason: e.Refused, Warnings: e.Warnings}
	if row.Warnings == nil {
		row.Warnings = []string{}
	}
	if e.Refused != "" {
		return row, nil
	}
	srv, v := *e.Server, *e.Version
	row.Name, row.Version = srv.Name.String(), v.Version
	now := s.now()
	srv.ID, v.ID = newID(), newID()
	srv.CreatedAt, v.CreatedAt = now, now
	if v.PublishedAt.IsZero() {
		v.PublishedAt = now
	}
	if v.StatusChangedAt.IsZero() {
		v.StatusChangedAt = v.PublishedAt
	}
	v.ServerID, v.Name, v.Mirrored = srv.ID, srv.Name, true
	srv.Score = hub.Score(&srv, v.Facts, v.Readme != "")
	ev := s.event(actor, hub.ActionOf(v.State), v.ID, label(srv.Name, v.Version))
	ev.Reason = "imported from " + srv.Origin
	result, err := s.store.Import(ctx, &srv, &v, ev)
	switch hub.KindOf(err) {
	case "":
		if err != nil {
			return row, fmt.Errorf("import %s: %w", e.Source, err)
		}
		row.Status = string(result)
	case hub.Unavailable:
		return row, err
	default:
		row.Reason = err.Error()
	}
	return row, nil
}

func (r *ImportReport) add(row ImportEntry) {
	switch row.Status {
	case string(hub.Imported):
		r.Imported++
	case string(hub.Updated):
		r.Updated++
	case string(hub.Unchanged):
		r.Unchanged++
	default:
		r.Refused++
	}
	r.Entries = append(r.Entries, row)
}
