package app

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/wire"
)

const goos = runtime.GOOS

// App is one invocation: the Env, the global flags, and things made when they are first needed, so that
// a command touches no disk or network it does not use.
type App struct {
	*Env
	JSON     bool
	Registry string // --registry
	Offline  bool
	DirFlag  string // -C
	Quiet    bool
	Verbose  int
	OnHub    func(registry string) // called when a hub is about to be asked, nil for nobody

	Settings func() (*install.Settings, error)
	Store    func() (install.Home, error)

	mu      sync.Mutex
	clients map[string]*wire.Client
	engines map[string]string // versions of programs that were asked for theirs
}

// NewApp makes an invocation in a world. Nothing is read yet.
func NewApp(env *Env) *App {
	a := &App{Env: env, clients: map[string]*wire.Client{}, engines: map[string]string{}}
	a.Settings = sync.OnceValues(func() (*install.Settings, error) {
		s, err := a.loadSettings()
		for i := 0; err == nil && i < len(s.Unknown); i++ {
			a.IO.Warnf("%s", Clean(s.Unknown[i]))
		}
		return s, err
	})
	a.Store = sync.OnceValues(func() (install.Home, error) { return install.OpenHome(a.Getenv, a.Env.UserHome) })
	return a
}

// Begin puts the global flags into force.
func (a *App) Begin() error {
	a.IO.Verbosity = a.Verbose
	if a.Quiet {
		a.IO.Verbosity = -1
	}
	if a.DirFlag != "" {
		dir := a.DirFlag
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(a.Dir, dir)
		}
		if !isDir(dir) {
			return hub.Errorf(hub.NotFound, "-C %s is not a directory", a.DirFlag)
		}
		a.Dir = filepath.Clean(dir)
	}
	if a.Dir == "" {
		return hub.Errorf(hub.NotFound, "the working directory is gone").WithHint("cd to one that exists, or use -C DIR")
	}
	return nil
}

func (a *App) loadSettings() (*install.Settings, error) {
	get := a.Getenv
	if a.Registry != "" {
		if _, err := install.ParseRegistry(a.Registry, "--registry"); err != nil {
			return nil, err
		}
		get = func(key string) string {
			if key == "MCPM_REGISTRY" {
				return a.Registry
			}
			return a.Getenv(key)
		}
	}
	return install.LoadSettings(a.Env.UserHome, install.FindProject(a.Dir).Dir, get)
}

// Reload forgets what .mcpmrc said, after a command changed it.
func (a *App) Reload() { a.Settings = sync.OnceValues(a.loadSettings) }

// Project returns the project the command works on.
func (a *App) Project(global bool) (install.Project, error) {
	if global {
		h, err := a.Store()
		return h.Global(), err
	}
	return install.OpenProject(a.Dir)
}

// Guarded is Project with the store, and the lock on the project's files, which the caller gives back with unlock.
func (a *App) Guarded(global bool) (p install.Project, h install.Home, unlock func(), err error) {
	if p, err = a.Project(global); err != nil {
		return p, h, nil, err
	}
	if h, err = a.Store(); err != nil {
		return p, h, nil, err
	}
	unlock, err = h.Guard(p)
	return p, h, unlock, err
}

// Client returns the client of the configured hub.
func (a *App) Client() (*wire.Client, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	return a.ClientAt(s.Registry)
}

// ClientFor returns the client of the hub that a server is looked up at.
func (a *App) ClientFor(name hub.Name) (*wire.Client, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	return a.ClientAt(s.RegistryFor(name))
}

// ClientAt returns the client of a hub, the same one each time. Unavailable with --offline.
func (a *App) ClientAt(registry string) (*wire.Client, error) {
	if a.Offline {
		return nil, hub.Errorf(hub.Unavailable, "this needs the hub at %s, and --offline was given", registry).
			WithHint("run it once without --offline")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.clients[registry]; c != nil {
		return c, nil
	}
	c, err := wire.NewClient(registry, wire.ClientOptions{
		UserAgent: a.UserAgent(),
		HTTP:      a.HTTP,
		Trace:     a.IO.Request,
		Token:     func(ctx context.Context, rejected string) (string, error) { return a.token(ctx, registry, rejected) },
	})
	if err == nil {
		a.clients[registry] = c
		if a.OnHub != nil {
			a.OnHub(registry)
		}
	}
	return c, err
}

// UserAgent is what mcpm calls itself when it asks a hub.
func (a *App) UserAgent() string {
	return "mcpm/" + Version + " (" + goos + "; " + runtime.GOARCH + ")"
}

// token returns the credential for a registry: MCPM_TOKEN or authToken for the configured one, otherwise
// what mcpm login stored.
func (a *App) token(ctx context.Context, registry, rejected string) (string, error) {
	s, err := a.Settings()
	if err != nil {
		return "", err
	}
	if t := s.TokenFor(registry); t != "" {
		return t, nil
	}
	h, err := a.Store()
	if err != nil {
		return "", err
	}
	return h.AccessToken(ctx, registry, rejected, a.Now(), func(ctx context.Context, refresh string) (install.Credential, error) {
		c, err := wire.NewClient(registry, wire.ClientOptions{HTTP: a.HTTP, UserAgent: "mcpm/" + Version})
		if err != nil {
			return install.Credential{}, err
		}
		session, err := c.Refresh(ctx, refresh)
		if err != nil {
			return install.Credential{}, err
		}
		return CredentialOf(session), nil
	})
}

// CredentialOf is what is kept of a session.
func CredentialOf(s *wire.Session) install.Credential {
	return install.Credential{
		Account: s.Account.Name, AccessToken: s.AccessToken, RefreshToken: s.RefreshToken, ExpiresAt: s.ExpiresAt,
	}
}

// Registrar returns the keeper of the host applications' files.
func (a *App) Registrar(dryRun bool) (*install.Registrar, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	r := &install.Registrar{
		Home: h, Command: a.Exe, DryRun: dryRun, Takes: s.TakesHost, Now: a.Now,
		Env: hosts.Env{OS: a.OS, Home: a.Env.UserHome, Getenv: a.Getenv, Override: s.HostPaths},
	}
	if a.Getenv("MCPM_HOME") != "" { // the host application does not have the variable
		r.EnvVars = map[string]string{"MCPM_HOME": h.Dir}
	}
	return r, nil
}
