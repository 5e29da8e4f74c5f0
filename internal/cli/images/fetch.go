package images

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
	"github.com/mcphub/mcphub/internal/source/image"
)

// answers is how long a container engine may take to say what it has.
const answers = 20 * time.Second

// Fetcher brings images to the container engine of this machine.
type Fetcher struct {
	Access  Access
	Runtime string // the engine that was chosen, "" for the one that is there
	Place   engine.Place
	Program string // path of the engine's program, "" when there is none
	Offline bool
	IO      *term.IO
}

// Fetch has the engine fetch an image unless it has it: over its socket, signed in at a hub as mcpm is; by its program where
// mcpm does not know its socket. An engine that is not there or does not answer is said, and no error: the image
// stays locked, and is fetched by the one that first runs it. label is how people know the image. NotFound when it is not
// here and Offline is set, Unavailable when it cannot be fetched.
func (f Fetcher) Fetch(ctx context.Context, ref, label string) error {
	parsed, err := image.Parse(ref)
	if err != nil {
		return err
	}
	if client, err := engine.Find(f.Runtime, f.Place); err == nil {
		defer client.Close()
		return f.over(ctx, client, parsed, ref, label)
	}
	if f.Program == "" {
		f.IO.Warnf("%s is locked but not fetched: no container engine is on this machine", parsed.Repository)
		return nil
	}
	return f.by(ctx, ref, label)
}

// over fetches over the engine's socket.
func (f Fetcher) over(ctx context.Context, client *engine.Client, r image.Reference, ref, label string) error {
	ask, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	_, err := client.Image(ask, ref)
	switch {
	case err == nil:
		return nil
	case f.Offline:
		return notHere(ref)
	case !errors.Is(err, engine.ErrNotFound):
		f.IO.Warnf("%s is not fetched: %v", label, err)
		return nil
	}
	host, err := image.Registry(r)
	if err != nil {
		return err
	}
	var login *engine.Login
	if secret := f.Access.Password(ctx, host); secret != "" {
		login = &engine.Login{Username: user, Password: secret, ServerAddress: host}
	}
	bar := &Meter{IO: f.IO, Label: "fetching " + label}
	defer bar.Done()
	version := r.Digest
	if version == "" {
		version = r.Tag
	}
	if err := client.Pull(ctx, r.Repository, version, login, bar.Set); err != nil {
		return hub.Errorf(hub.Unavailable, "its image %s could not be fetched: %s", ref, term.Clean(err.Error())).
			WithHint("mcpm login, if it is your hub's and private; docker login %s, if it is another's", host).WithCause(err)
	}
	again, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	if _, err = client.Image(again, ref); err != nil {
		return hub.Errorf(hub.Unavailable, "its image %s was fetched, and the engine does not have it: %v", ref, err).WithCause(err)
	}
	return nil
}

func notHere(ref string) error {
	return hub.Errorf(hub.NotFound, "its image %s is not on this machine, and --offline was given", ref)
}

// by fetches with the engine's program, which signs in with what docker login left.
func (f Fetcher) by(ctx context.Context, ref, label string) error {
	ask, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	if exec.CommandContext(ask, f.Program, "image", "inspect", ref).Run() == nil {
		return nil
	}
	if !f.Offline && exec.CommandContext(ask, f.Program, "version").Run() != nil && ctx.Err() == nil {
		f.IO.Warnf("%s is not fetched: %s does not answer", label, filepath.Base(f.Program))
		return nil
	}
	if f.Offline {
		return notHere(ref)
	}
	bar := f.IO.Progress("fetching "+label, 0)
	defer bar.Done()
	var said bytes.Buffer
	pull := exec.CommandContext(ctx, f.Program, "pull", "--quiet", ref)
	pull.Stderr = &said
	if err := pull.Run(); err != nil {
		return hub.Errorf(hub.Unavailable, "its image %s could not be fetched: %.300s", ref, term.Clean(said.String())).
			WithHint("see whether %s pull works", f.Program).WithCause(err)
	}
	return nil
}

// Meter is a bar whose end moves while more becomes known of what there is.
type Meter struct {
	IO    *term.IO
	Label string
	bar   *term.Progress
	of    int64
}

// Set moves it to done bytes of so many that are known of.
func (m *Meter) Set(done, of int64) {
	if m.bar == nil || of != m.of {
		m.Done()
		m.bar, m.of = m.IO.Progress(m.Label, of), of
	}
	m.bar.Set(done)
}

// Done takes it away.
func (m *Meter) Done() {
	if m.bar != nil {
		m.bar.Done()
		m.bar = nil
	}
}
