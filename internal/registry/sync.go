package registry

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
)

// mirrorState is how far a mirror came, kept under "mirror.<base URL>".
type mirrorState struct {
	Since   time.Time                  `json:"since,omitzero"`   // changes up to here are all in
	Cursor  string                     `json:"cursor"`           // where a run that was cut off goes on
	Highest time.Time                  `json:"highest,omitzero"` // latest change seen in the run that goes on
	Seen    map[string]source.SeenPage `json:"seen,omitempty"`
}

// SyncReport is the sum of a run of Sync. Refused entries are kept, the others only counted.
type SyncReport struct {
	ImportReport
	Pages int `json:"pages"`
}

// Sync copies what changed in another registry since the last run, deleted versions included. What was
// copied stays when it is cut off, and the next run goes on after the last whole page.
func (s *Service) Sync(ctx context.Context, actor hub.Actor, m *source.Mirror, base string) (*SyncReport, error) {
	key := "mirror." + base
	st := mirrorState{}
	data, err := s.store.Setting(ctx, key)
	if err == nil {
		err = json.Unmarshal(data, &st)
	}
	if err != nil && hub.KindOf(err) != hub.NotFound {
		return nil, err
	}
	if m.Seen = st.Seen; m.Seen == nil {
		m.Seen = map[string]source.SeenPage{}
	}
	origin := base
	if u, err := url.Parse(base); err == nil {
		origin = u.Host
	}
	total := &SyncReport{}
	total.Entries = []ImportEntry{}
	save := func() error {
		data, err := json.Marshal(st)
		if err != nil {
			return err
		}
		return s.store.SetSetting(ctx, key, data)
	}
	err = m.Pages(ctx, base, st.Since, st.Cursor, func(p source.Page) error {
		for i := range p.Entries {
			if e := &p.Entries[i]; e.Refused == "" {
				e.Server.Origin = origin
				if e.Version.UpdatedAt.After(st.Highest) {
					st.Highest = e.Version.UpdatedAt
				}
			}
		}
		report, err := s.Import(ctx, actor, p.Entries)
		if err != nil {
			return err
		}
		total.merge(report)
		st.Cursor, st.Seen = p.Next, m.Seen
		return save()
	})
	if err != nil {
		return total, err
	}
	if st.Highest.After(st.Since) {
		// the next run asks for other pages, so what is remembered of these is of no more use
		st.Since, st.Seen = st.Highest, nil
	}
	st.Cursor = ""
	return total, save()
}

func (t *SyncReport) merge(r *ImportReport) {
	t.Pages++
	t.Imported, t.Updated, t.Unchanged, t.Refused = t.Imported+r.Imported, t.Updated+r.Updated, t.Unchanged+r.Unchanged, t.Refused+r.Refused
	for _, e := range r.Entries {
		if e.Status == "refused" {
			t.Entries = append(t.Entries, e)
		}
	}
}
