package api

import (
	"context"

	"github.com/mcphub/mcphub/internal/wire"
)

func (s *server) quality(ctx context.Context, in *ServerRef) (*jsonOut[wire.Quality], error) {
	srv, q, err := s.Registry.Quality(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.Quality]{Body: wire.Quality{Name: srv.Name.String(), Total: q.Total}}
	for _, p := range q.Parts {
		w := wire.QualityPart{Name: p.Name}
		if p.Known {
			w.Points = &p.Points
		}
		for _, e := range p.Evidence {
			w.Evidence = append(w.Evidence, wire.Evidence{Fact: e.Fact, Points: e.Points, Of: e.Of})
		}
		out.Body.Parts = append(out.Body.Parts, w)
	}
	return out, nil
}

type installsIn struct {
	ServerRef
	Days int `query:"days" minimum:"1" maximum:"730" default:"90"`
}

func (s *server) installs(ctx context.Context, in *installsIn) (*jsonOut[wire.Installs], error) {
	srv, err := s.Registry.Server(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	days, err := s.Registry.InstallsByDay(ctx, srv.ID, in.Days)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.Installs]{Body: wire.Installs{Name: srv.Name.String(), Total: srv.Installs, Days: make([]wire.InstallDay, len(days))}}
	for i, d := range days {
		out.Body.Days[i] = wire.InstallDay{Day: d.Day.Format("2006-01-02"), Installs: d.Count}
	}
	return out, nil
}
