package app

import (
	"bytes"
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/source/image"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// engineAnswers is how long a container engine may take to say what it has.
const engineAnswers = 20 * time.Second

// pinImage locks the image of an entry to the bytes its name stands for: those that old has for it, else what its registry
// has now.
func (a *App) pinImage(ctx context.Context, ref image.Reference, e, old *install.Locked) error {
	if programs.LockedImage(e, ref) != "" {
		return nil
	}
	digest := ""
	if old != nil && old.Version == e.Version {
		digest = programs.LockedImage(old, ref)
	}
	if digest == "" {
		if a.Offline && ref.Digest == "" {
			return hub.Errorf(hub.Unavailable, "which bytes %s:%s stands for is not known here, and --offline was given", ref.Repository, ref.Tag).
				WithHint("run it once without --offline")
		}
		bar := a.IO.Progress("locking the image "+ref.Repository, 0)
		defer bar.Done()
		var err error
		if digest, err = image.Resolve(ctx, ref, a.transport()); err != nil {
			return err
		}
	}
	e.Artifacts = slices.DeleteFunc(e.Artifacts, func(x install.Artifact) bool { return x.Type == model.RegistryTypeOCI && x.Integrity == "" })
	e.Artifacts = append(e.Artifacts, install.Artifact{Type: model.RegistryTypeOCI, Identifier: ref.Repository, Version: ref.Tag, Integrity: digest})
	return nil
}

// transport sends requests to registries of images as requests to hubs are sent: through the proxies and with the
// certificates of the environment.
func (a *App) transport() http.RoundTripper {
	if a.HTTP != nil && a.HTTP.Transport != nil {
		return a.HTTP.Transport
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = 20*time.Second, 256<<10
	return t
}

// fetchImage lets the container engine fetch a locked image, unless it has it. Without an engine, or one that answers, the image stays locked,
// and is fetched by the one that first runs it.
func (a *App) fetchImage(ctx context.Context, art install.Artifact) error {
	engine, err := a.containers()
	if err != nil {
		a.IO.Warnf("%s is locked but not fetched: no container engine is on this machine", art.Identifier)
		return nil
	}
	return a.pullWith(ctx, engine, image.Reference{Repository: art.Identifier}.At(art.Integrity), art.Identifier+" "+art.Version)
}

// pull lets the container engine fetch an image that a server is about to be started from.
func (a *App) pull(ctx context.Context, ref string) error {
	engine, err := a.containers()
	if err != nil {
		return nil // that it is not there is said by who needs it
	}
	return a.pullWith(ctx, engine, ref, ref)
}

func (a *App) pullWith(ctx context.Context, engine, ref, label string) error {
	ask, cancel := context.WithTimeout(ctx, engineAnswers)
	defer cancel()
	if exec.CommandContext(ask, engine, "image", "inspect", ref).Run() == nil {
		return nil
	}
	if !a.Offline && exec.CommandContext(ask, engine, "version").Run() != nil && ctx.Err() == nil {
		a.IO.Warnf("%s is not fetched: %s does not answer", label, filepath.Base(engine))
		return nil
	}
	if a.Offline {
		return hub.Errorf(hub.NotFound, "its image %s is not on this machine, and --offline was given", ref)
	}
	bar := a.IO.Progress("fetching "+label, 0)
	defer bar.Done()
	var said bytes.Buffer
	pull := exec.CommandContext(ctx, engine, "pull", "--quiet", ref)
	pull.Stderr = &said
	if err := pull.Run(); err != nil {
		return hub.Errorf(hub.Unavailable, "its image %s could not be fetched: %.300s", ref, Clean(said.String())).WithHint("see whether %s pull works", engine).WithCause(err)
	}
	return nil
}

// containers returns the path of the container engine: the configured one, else docker, else podman.
func (a *App) containers() (string, error) {
	s, err := a.Settings()
	if err != nil {
		return "", err
	}
	if s.DockerRuntime != "" {
		return a.LookPath(s.DockerRuntime)
	}
	if path, err := a.LookPath("docker"); err == nil {
		return path, nil
	}
	return a.LookPath("podman")
}
