package oci

import (
	"context"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/sweep"
)

// How often garbage is taken away, and how often it is asked whether it is time.
const (
	sweepEvery = 24 * time.Hour
	sweepAsk   = 10 * time.Minute
)

// sweptAt is the hub.Settings entry with the time of the last sweep that began; hubs on one database share it.
const sweptAt = "images.swept_at"

// Run takes garbage away once a day, until ctx ends. Of several hubs on one database one does it.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sweepAsk)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due, err := s.sweepDue(ctx)
		if err == nil && due {
			var r *sweep.Report
			if r, err = s.Sweep(ctx, SweepOptions{}); err == nil {
				s.Log.InfoContext(ctx, "images swept", "repositories", r.Repositories, "uploads", r.Uploads, "manifests", r.Manifests, "blobs", r.Blobs, "bytes", r.Bytes)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "images could not be swept; the next try is in a while", "error", err)
		}
	}
}

// sweepDue reports whether the last sweep is long enough ago, and takes the turn. A new hub has nothing to sweep.
func (s *Service) sweepDue(ctx context.Context) (bool, error) {
	now := s.Now().UTC()
	text := []byte(now.Format(time.RFC3339))
	last, err := s.Settings.SetSettingOnce(ctx, sweptAt, text)
	if err != nil {
		return false, err
	}
	at, err := time.Parse(time.RFC3339, string(last))
	if err != nil {
		return false, hub.Errorf(hub.Integrity, "the setting %s is %q, which is no time", sweptAt, short(string(last))).WithCause(err)
	}
	if now.Sub(at) < sweepEvery {
		return false, nil
	}
	return s.Settings.SwapSetting(ctx, sweptAt, last, text)
}

// SweepOptions are how garbage is taken away.
type SweepOptions struct {
	Dry   bool          // count, and leave everything
	Grace time.Duration // youngest age of what goes; 0: sweep.Grace
}

// Sweep takes away what neither a tag nor a version needs, and what was uploaded and never finished.
func (s *Service) Sweep(ctx context.Context, o SweepOptions) (*sweep.Report, error) {
	if o.Grace == 0 {
		o.Grace = sweep.Grace
	}
	known := map[string]*uses{}
	held := func(ctx context.Context, repository string) ([]digest.Digest, error) {
		namespace, _, _ := strings.Cut(repository, "/")
		u := known[namespace]
		if u == nil {
			images, err := s.Catalogue.ImagesOf(ctx, namespace)
			if err != nil {
				return nil, err
			}
			// Whatever its host: the address of the hub may have been another one when the version was published, and a
			// command on the server may not be told it.
			u = usesOf(images, namespace, func(string) bool { return true })
			known[namespace] = u
		}
		all, err := s.held(ctx, u, repository, nil)
		var out []digest.Digest
		for d := range all {
			out = append(out, d)
		}
		return out, err
	}
	return sweep.Run(ctx, sweep.Config{Storage: s.Storage, Held: held, Now: time.Now, Grace: o.Grace, Settle: sweep.Settle, Dry: o.Dry})
}
