package registry

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// projector is the name of the search index's cursor in the event log.
const projector = "index"

// indexBatch is how many events, or servers, are indexed at once.
const indexBatch = 500

// follow notices new events and keeps the index in step with them, until ctx ends.
func (s *Service) follow(ctx context.Context) {
	tick := time.NewTicker(newsPoll)
	defer tick.Stop()
	for wait := time.Duration(0); ; wait = 0 {
		if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("search index is behind", "error", err)
			wait = 5 * time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// catchUp indexes everything that happened since the index last did.
func (s *Service) catchUp(ctx context.Context) error {
	last, err := s.store.LastEvent(ctx)
	if err != nil {
		return err
	}
	s.seen.Store(last)
	if err := s.reindexIfAsked(ctx); err != nil {
		return err
	}
	if s.indexed.Load() == last && last > 0 {
		return nil
	}
	cursor, err := s.store.Cursor(ctx, s.cursorName())
	if err != nil {
		return err
	}
	count, err := s.index.Count(ctx)
	if err != nil {
		return err
	}
	if count == 0 && cursor > 0 {
		return s.Reindex(ctx) // the index was lost or its format changed
	}
	for cursor < last {
		events, err := s.store.EventsAfter(ctx, cursor, indexBatch)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		if err := s.indexEvents(ctx, events); err != nil {
			return err
		}
		cursor = events[len(events)-1].Seq
		if err := s.store.SetCursor(ctx, s.cursorName(), cursor); err != nil {
			return err
		}
		s.local.Add(1) // search answers changed
	}
	s.indexed.Store(cursor)
	return nil
}

// cursorName tells indexes apart: an embedded one belongs to one process's data directory.
func (s *Service) cursorName() string { return projector + "." + s.worker }

// Lag is how many events the index is behind.
func (s *Service) Lag() int64 { return max(0, s.seen.Load()-s.indexed.Load()) }

// shows reports whether an event is one of a version that readers can see; the steps before are not.
func shows(action string) bool {
	state, ok := strings.CutPrefix(action, "version.")
	return ok && hub.State(state).Visible()
}

func (s *Service) indexEvents(ctx context.Context, events []hub.Event) error {
	ids := map[string]bool{}
	for _, e := range events {
		switch {
		case strings.HasPrefix(e.Action, "server."):
			ids[e.Subject] = true
		case shows(e.Action):
			v, err := s.store.VersionByID(ctx, e.Subject)
			if hub.KindOf(err) == hub.NotFound { // an import names the server: its version may be an older row
				ids[e.Subject] = true
				continue
			}
			if err != nil {
				return err
			}
			ids[v.ServerID] = true
		}
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	for len(list) > 0 {
		n := min(len(list), 100)
		if err := s.indexServers(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// indexServers puts servers into the index, or takes them out when nothing of them can be resolved.
func (s *Service) indexServers(ctx context.Context, ids []string) error {
	servers, err := s.store.ServersByID(ctx, ids)
	if err != nil {
		return err
	}
	found := make(map[string]*hub.Server, len(servers))
	for _, srv := range servers {
		found[srv.ID] = srv
	}
	var docs []hub.Document
	var gone []string
	for _, id := range ids {
		srv := found[id]
		if srv == nil || !srv.Latest.State.Resolvable() {
			gone = append(gone, id)
			continue
		}
		doc, err := s.document(ctx, srv)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	return errors.Join(s.index.Put(ctx, docs), s.index.Delete(ctx, gone))
}

func (s *Service) document(ctx context.Context, srv *hub.Server) (hub.Document, error) {
	d := hub.Document{
		ID: srv.ID, Name: srv.Name, Title: srv.Title, Description: srv.Description, Keywords: srv.Keywords,
		Categories: srv.Categories, PackageTypes: srv.Latest.PackageTypes, Transports: srv.Latest.Transports,
		Runtime: srv.Latest.Runtime, License: srv.License, Mirrored: srv.Mirrored(), Installs: srv.Installs, Score: srv.Score,
	}
	if srv.Latest.Tools+srv.Latest.Resources+srv.Latest.Prompts == 0 {
		return d, nil
	}
	v, err := s.store.VersionByID(ctx, srv.Latest.VersionID)
	if err != nil {
		return d, err
	}
	d.Capabilities = v.Capabilities
	return d, nil
}

// Reindex fills the search index anew from the store.
func (s *Service) Reindex(ctx context.Context) error {
	last, err := s.store.LastEvent(ctx) // before reading: what happens meanwhile is indexed again, not lost
	if err != nil {
		return err
	}
	if err := s.index.Reset(ctx); err != nil {
		return err
	}
	q := hub.ServerQuery{Sort: hub.SortName, Limit: 100}
	for {
		page, err := s.store.List(ctx, q)
		if err != nil {
			return err
		}
		ids := make([]string, len(page))
		for i, srv := range page {
			ids[i] = srv.ID
		}
		if err := s.indexServers(ctx, ids); err != nil {
			return err
		}
		if len(page) < q.Limit {
			break
		}
		q.After = &hub.ServerAfter{Name: page[len(page)-1].Name}
	}
	if err := s.store.SetCursor(ctx, s.cursorName(), last); err != nil {
		return err
	}
	s.indexed.Store(last)
	s.local.Add(1)
	return nil
}

// reindexKey is the setting by which a command asks the running hubs to fill their indexes anew.
const reindexKey = "index.asked"

// AskReindex makes every hub on this store fill its search index anew, now or at its next start.
func (s *Service) AskReindex(ctx context.Context) error {
	return s.store.SetSetting(ctx, reindexKey, []byte(newID()))
}

// reindexIfAsked reindexes when it was asked for since this process's index was last filled.
func (s *Service) reindexIfAsked(ctx context.Context) error {
	asked, err := s.store.Setting(ctx, reindexKey)
	if hub.KindOf(err) == hub.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	mine := reindexKey + "." + s.worker
	done, err := s.store.Setting(ctx, mine)
	if err != nil && hub.KindOf(err) != hub.NotFound {
		return err
	}
	if string(done) == string(asked) {
		return nil
	}
	s.log.Info("filling the search index anew")
	if err := s.Reindex(ctx); err != nil {
		return err
	}
	return s.store.SetSetting(ctx, mine, asked)
}
