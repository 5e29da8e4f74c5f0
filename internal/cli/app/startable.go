package app

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/archives"
	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/archive"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// archives returns the keeper of this machine's archives.
func (a *App) archives(ctx context.Context) (archives.Keeper, error) {
	h, err := a.Store()
	if err != nil {
		return archives.Keeper{}, err
	}
	s, err := a.Settings()
	return archives.Keeper{
		Home: h, Platform: Platform, OS: goos, UserHome: a.Env.UserHome, Offline: a.Offline,
		Client: func() *http.Client { return archive.NewClient(a.UserAgent(), err == nil && s.PrivateDownloads) },
		Begin:  func(label string) func() { return a.IO.Progress(label, 0).Done }, Warnf: a.IO.Warnf,
		Engine: func(name string) string { return a.engine(ctx, name) },
	}, err
}

// Ready returns a server's manifest as it is started here, see archives.Keeper.Ready.
func (a *App) Ready(m *manifest.Manifest, e *install.Locked) (*manifest.Manifest, error) {
	k, err := a.archives(context.Background())
	if err != nil {
		return nil, err
	}
	m, err = k.Ready(m, e)
	return m, refusal(err)
}

// Startable says why an entry of a server cannot be started here: of RefusedKind when its kind of package never is, or
// not on this machine. nil when it can, as far as that is known before it was fetched.
func (a *App) Startable(spec manifest.ServerSpec, e *install.Locked) error {
	return refusal(archives.Startable(spec, e, goos))
}

// StartableIn says why no entry of a server that is not installed can be started here, nil when one can.
func (a *App) StartableIn(m *manifest.Manifest) error {
	return refusal(archives.StartableIn(m, goos))
}

// refusal turns what is forbidden about an archive into what mcpm refuses.
func refusal(err error) error {
	var e *hub.Error
	if hub.KindOf(err) != hub.Forbidden || !errors.As(err, &e) {
		return err
	}
	return Refused("%s", e.Message).WithHint("%s", e.Hint).WithCause(err)
}

func (a *App) fetchArchive(ctx context.Context, art *install.Artifact) error {
	k, err := a.archives(ctx)
	if err != nil {
		return err
	}
	return refusal(k.Fetch(ctx, art))
}

// startArchive makes a server start from the files of its archive, each compared with what was locked.
func (a *App) startArchive(e *install.Locked, p *model.Package, s *gateway.Server, confined bool) error {
	d, art, err := archives.Locked(e, p)
	if err != nil {
		return err
	}
	if d == nil {
		return hub.Errorf(hub.NotFound, "its archive %s is not locked", Clean(p.Identifier))
	}
	_, program, err := d.Start.Program(goos)
	if err != nil {
		return refusal(err)
	}
	t, err := a.openTree(art, false)
	if err != nil {
		return err
	}
	s.Reads = append(s.Reads, t.Dir)
	h, err := a.Store()
	if err != nil {
		return err
	}
	kept := programs.Kept{Home: h.Dir, Tree: t.Dir, Confined: confined}
	switch {
	case program == "node":
		kept.Node(s)
	case strings.HasPrefix(program, "python"):
		if _, err := a.LookPath(program); err != nil { // it has one of two names
			other := map[string]string{"python": "python3", "python3": "python"}[program]
			if _, err := a.LookPath(other); other != "" && err == nil {
				s.Command = other
			}
		}
		kept.Python(s)
	}
	return nil
}
