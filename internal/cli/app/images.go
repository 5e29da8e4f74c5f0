package app

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
	"github.com/mcphub/mcphub/internal/source/image"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

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
		access, err := a.ImageAccess()
		if err != nil {
			return err
		}
		if digest, err = image.Resolve(ctx, ref, access, access); err != nil {
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

// fetchImage has the container engine fetch a locked image.
func (a *App) fetchImage(ctx context.Context, art install.Artifact) error {
	f, err := a.fetcher()
	if err != nil {
		return err
	}
	return f.Fetch(ctx, image.Reference{Repository: art.Identifier}.At(art.Integrity), art.Identifier+" "+art.Version)
}

// pull has the container engine fetch an image that a server is about to be started from.
func (a *App) pull(ctx context.Context, ref string) error {
	f, err := a.fetcher()
	if err != nil {
		return err
	}
	return f.Fetch(ctx, ref, ref)
}

func (a *App) fetcher() (images.Fetcher, error) {
	access, err := a.ImageAccess()
	if err != nil {
		return images.Fetcher{}, err
	}
	s, err := a.Settings()
	if err != nil {
		return images.Fetcher{}, err
	}
	program, _ := a.containers() // that there is none is said by the fetcher
	return images.Fetcher{Access: access, Runtime: s.DockerRuntime, Place: a.enginePlace(), Program: program, Offline: a.Offline, IO: a.IO}, nil
}

// ImageAccess is how registries of images are reached, as this person.
func (a *App) ImageAccess() (images.Access, error) {
	s, err := a.Settings()
	if err != nil {
		return images.Access{}, err
	}
	hubs := append([]string{s.Registry}, slices.Sorted(maps.Values(s.Scopes))...)
	return images.Access{Hubs: hubs, HTTP: a.transport(), Token: func(ctx context.Context, registry string) (string, error) { return a.token(ctx, registry, "") }}, nil
}

// Engine returns a client of the container engine of this machine.
func (a *App) Engine() (*engine.Client, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	return engine.Find(s.DockerRuntime, a.enginePlace())
}

func (a *App) enginePlace() engine.Place { return engine.Place{Getenv: a.Getenv, Home: a.Env.UserHome} }

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
