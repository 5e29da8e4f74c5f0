package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// change is one visible change of a server's versions, within a transaction that holds the server's row.
// It keeps the latest mark, the server's facts of it, and the stored _meta of every version it touches.
type change struct {
	tx  bun.IDB
	b   *engine.Batch
	now int64
	srv *serverRow
}

// stateColumns are the columns of a version that change after Submit.
var stateColumns = []string{"state", "shown", "latest", "message", "replacement", "published_at", "updated_at",
	"status_changed_at", "meta_json"}

// apply marks the latest version anew after v became what it is now, and stores v and the marks. fresh: v
// was not visible before, so it need only be compared with the latest one. insert: v is not stored yet.
func (c *change) apply(ctx context.Context, v *versionRow, before hub.State, fresh, insert bool) error {
	held := c.srv.LatestID
	old, next, err := c.choose(ctx, v, before, fresh)
	if err != nil {
		return err
	}
	v.Latest = next == v
	v.UpdatedAt = c.now
	if err := v.render(c.srv.Origin); err != nil {
		return err
	}
	// The one that loses the mark goes first: at no time may two hold it.
	if old != nil && old != next && old.ID != v.ID {
		if err := c.mark(old, false); err != nil {
			return err
		}
	}
	if insert {
		c.b.Insert(v)
		c.b.Insert(v.texts())
	} else {
		c.b.Add(c.tx.NewUpdate().Model(v).Column(stateColumns...).WherePK())
	}
	if next != v && next != nil && next.ID != held {
		if err := c.mark(next, true); err != nil {
			return err
		}
	}
	return c.facts(next, held)
}

// choose returns the version that held the latest mark and the one that has it now; both nil-able. A
// pointer equal to v means v itself.
func (c *change) choose(ctx context.Context, v *versionRow, before hub.State, fresh bool) (old, next *versionRow, err error) {
	if c.srv.LatestID != "" {
		if c.srv.LatestID == v.ID {
			old = v
		} else if old, err = c.load(ctx, c.srv.LatestID); err != nil {
			return nil, nil, err
		}
	}
	if fresh {
		keys := []hub.VersionKey{v.key()}
		if old != nil {
			keys = []hub.VersionKey{old.key(), v.key()}
		}
		if hub.Latest(keys) == v.ID {
			return old, v, nil
		}
		return old, old, nil
	}
	if before.Resolvable() == hub.State(v.State).Resolvable() {
		return old, old, nil // its rank among the others is the same
	}
	keys, err := c.keys(ctx, v)
	if err != nil {
		return nil, nil, err
	}
	switch id := hub.Latest(keys); {
	case id == v.ID:
		return old, v, nil
	case old != nil && id == old.ID:
		return old, old, nil
	default:
		next, err = c.load(ctx, id)
		return old, next, err
	}
}

// keys returns the keys of all visible versions, with v as it will be.
func (c *change) keys(ctx context.Context, v *versionRow) ([]hub.VersionKey, error) {
	var rows []versionRow
	err := c.tx.NewRaw("SELECT id, version, state, published_at, mirrored FROM versions WHERE server_id = ? AND shown >= 1 AND id <> ? ORDER BY published_at, id",
		c.srv.ID, v.ID).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	keys := []hub.VersionKey{v.key()}
	for i := range rows {
		keys = append(keys, rows[i].key())
	}
	return keys, nil
}

func (c *change) load(ctx context.Context, id string) (*versionRow, error) {
	row := new(versionRow)
	err := c.tx.NewRaw(withMarks+"v.id = ?", id).Scan(ctx, row)
	return row, err
}

// mark gives another version of the server the latest mark or takes it.
func (c *change) mark(v *versionRow, latest bool) error {
	v.Latest, v.UpdatedAt = latest, c.now
	if err := v.render(c.srv.Origin); err != nil {
		return err
	}
	c.b.Add(c.tx.NewUpdate().Model(v).Column("latest", "updated_at", "meta_json").WherePK())
	return nil
}

// facts copies the latest version's facts to the server's row, which the caller stores, and its
// capabilities to their table when another version is the latest now.
func (c *change) facts(next *versionRow, before string) error {
	c.srv.UpdatedAt = c.now
	if next == nil {
		return nil
	}
	c.srv.LatestID, c.srv.LatestVersion, c.srv.LatestState, c.srv.Latest = next.ID, next.Version, next.State, next.Facts
	if next.ID == before {
		return nil
	}
	var declared []hub.Capability
	if len(next.Capabilities) > 0 {
		if err := json.Unmarshal(next.Capabilities, &declared); err != nil {
			return err
		}
	}
	if before != "" {
		c.b.Addf("DELETE FROM capabilities WHERE server_id = ?", c.srv.ID)
	}
	if len(declared) > 0 {
		rows := make([]capabilityRow, len(declared))
		for i, d := range declared {
			rows[i] = capabilityRow{Type: string(d.Type), Name: d.Name, ServerID: c.srv.ID}
		}
		c.b.Add(c.tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING")) // a name may be declared twice
	}
	return nil
}

// latestColumns are the columns of a server that facts changes.
var latestColumns = []string{"latest_id", "latest_version", "latest_state", "latest_package_types", "latest_transports",
	"latest_runtime", "latest_tools", "latest_resources", "latest_prompts", "updated_at"}

// storeServer writes the server after apply: a new one whole, of another one the facts of its latest
// version, and the display facts when this version is that.
func (c *change) storeServer(isNew, latest bool, display *hub.Server) {
	if isNew {
		c.b.InsertFirst(c.srv) // the version's row points at it
		return
	}
	if !latest {
		display = nil
	}
	c.saveServer(display)
}

func (c *change) saveServer(display *hub.Server) {
	up := c.tx.NewUpdate().Model(c.srv).Column(latestColumns...).WherePK()
	if display != nil {
		c.srv.display(display)
		up.Column(displayColumns...)
	}
	c.b.Add(up)
}
