// Package guarded puts the guard in front of the servers that mcpm starts, and has the verbs about it: accept and log.
package guarded

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/guard"
	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/mcphub/mcphub/internal/guard/pins"
	"github.com/mcphub/mcphub/internal/guard/policy"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// Guards makes the guards of one command. They share what secrets there are.
type Guards struct {
	*app.App
	vault guard.Vault
	log   audit.Log
	tell  sync.Mutex
}

// New makes the guards of a command.
func New(a *app.App) *Guards { return &Guards{App: a} }

// Guard is what stands in front of one server; nil when .mcpmrc leaves it out.
type Guard struct {
	config guard.Config
	vault  *guard.Vault
	hides  bool // the server was given secrets
}

// pinsDir and logDir are where the guard keeps its files under MCPM_HOME.
func pinsDir(home string) string { return filepath.Join(home, "guard") }
func logDir(home string) string  { return filepath.Join(home, "log") }

// For makes the guard of a server that is about to start: which entry of its manifest that is, and which secrets it is given.
func (gs *Guards) For(in *app.Installed, key string, spec manifest.ServerSpec, secrets map[string]string) (*Guard, error) {
	names := []hub.Name{in.Name, in.Locked.Of(in.Name)}
	p, err := policy.Load(gs.Env.UserHome, in.Project, names, gs.Getenv)
	if err != nil || p.Off {
		return nil, err
	}
	h, err := gs.Store()
	if err != nil {
		return nil, err
	}
	gs.log.Dir = logDir(h.Dir)
	gs.vault.Add(in.Name.String(), secrets)
	c := guard.Config{
		Server: in.Name.String(), Policy: p, Vault: &gs.vault, Log: &gs.log, FindSecret: bundle.FindSecret,
		Tell: gs.warn, Print: printed{gs},
	}
	if in.Locked != nil {
		c.Version, c.Accept = in.Locked.Version, "mcpm accept "+in.Name.String()
		if in.Project.Global {
			c.Accept = "mcpm accept -g " + in.Name.String()
		}
		c.Pins = pins.Open(pinsDir(h.Dir), pins.Key{
			Server: in.Name.String(), Version: in.Locked.Version, Manifest: in.Locked.Manifest, Project: in.Project.Dir, Entry: key,
		}, declared(key, spec))
	}
	return &Guard{config: c, vault: &gs.vault, hides: len(secrets) > 0}, nil
}

// declared are the tools whose definitions are in the manifest.
func declared(key string, spec manifest.ServerSpec) map[string]pins.Declared {
	out := map[string]pins.Declared{}
	for _, c := range manifest.CapabilitiesOf(&manifest.Manifest{Servers: map[string]manifest.ServerSpec{key: spec}}) {
		if c.Type == hub.Tool && len(c.Schema) > 0 {
			out[c.Name] = pins.Declared{Title: c.Title, Description: c.Description, Schema: c.Schema}
		}
	}
	return out
}

func (gs *Guards) warn(format string, args ...any) {
	gs.tell.Lock()
	defer gs.tell.Unlock()
	gs.IO.Warnf(format, args...)
}

// printed shows what a server printed, kept from moving the cursor of a terminal.
type printed struct{ *Guards }

// Write implements [io.Writer]; p is one line.
func (p printed) Write(line []byte) (int, error) {
	p.tell.Lock()
	defer p.tell.Unlock()
	_, err := io.WriteString(p.IO.Err, app.Clean(string(line[:len(line)-1]))+"\n")
	return len(line), err
}

// Conn puts the guard in front of a server that is spoken to. It ends with the server, or with ctx.
func (g *Guard) Conn(ctx context.Context, c *gateway.Conn) {
	c.In, c.Out = guard.New(g.config).Wrap(ctx, c.In, c.Out)
}

// Log returns a writer for what a server prints beside the protocol: w without the secrets.
func (g *Guard) Log(w io.Writer) io.Writer {
	if g == nil {
		return w
	}
	return g.vault.Stderr(w)
}

// drainTime is how long what a server said last may take to pass after it ended.
const drainTime = 2 * time.Second

// Files puts the guard between the files of mcpm and those that a server is given in their place. finish passes on what is
// left when the server has ended.
func (g *Guard) Files(files [3]*os.File) (server [3]*os.File, finish func(), err error) {
	var ends [6]*os.File
	for i := 0; i < len(ends) && err == nil; i += 2 {
		ends[i], ends[i+1], err = os.Pipe()
	}
	closeAll := func(list ...*os.File) {
		for _, f := range list {
			_ = f.Close() // a nil file only says that it is one
		}
	}
	if err != nil {
		closeAll(ends[:]...)
		return server, nil, hub.Errorf(hub.Unavailable, "no pipe can be made: %v", err)
	}
	in, toServer, fromServer, out, said, says := ends[0], ends[1], ends[2], ends[3], ends[4], ends[5]
	stands := guard.New(g.config)
	server = [3]*os.File{in, out, files[2]}
	var passed sync.WaitGroup
	go func() {
		_ = stands.Up(files[0], toServer) // a server that reads no more is noticed where it ends
		_ = toServer.Close()
	}()
	passed.Go(func() {
		_ = stands.Down(fromServer, files[1])
		_ = fromServer.Close() // a server that goes on without a client is told by its next write
	})
	if g.hides {
		server[2] = says
		masked := g.vault.Stderr(files[2])
		passed.Go(func() {
			_, _ = io.Copy(masked, said)
			_ = masked.Close()
		})
	}
	return server, func() {
		closeAll(in, out, says)
		done := make(chan struct{})
		go func() { passed.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(drainTime): // something that the server left behind holds the other end
		}
		stands.Close()
		closeAll(toServer, said)
	}, nil
}
