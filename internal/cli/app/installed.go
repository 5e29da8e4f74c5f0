package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/capability"
)

// Installed is a server as it is locked on this machine.
type Installed struct {
	Name     hub.Name
	Project  install.Project
	Locked   *install.Locked    // nil for a working copy
	Manifest *manifest.Manifest // as it is started here, see Ready
	Bundle   string             // directory of its files

	Published *manifest.Manifest // as it is on the hub; nil for a working copy
}

// Version is the one that is locked, or says that it is a working copy.
func (in *Installed) Version() string {
	if in.Locked == nil {
		return "(linked)"
	}
	return in.Locked.Version
}

// Find looks a server up in the project's lockfile, then in the global one, and opens what the store has
// of it. It uses no network, and it never fetches: a lockfile that came with somebody's repository cannot
// start what was not installed on this machine.
func (a *App) Find(name hub.Name, global bool) (*Installed, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	places := []install.Project{h.Global()}
	if !global {
		places = []install.Project{install.FindProject(a.Dir), h.Global()}
	}
	var near string
	for _, p := range places {
		if in, err := a.Linked(h, p, name); in != nil || err != nil {
			return in, err
		}
		lock, err := install.ReadLock(p)
		if err != nil {
			return nil, err
		}
		e := lock.Servers[name]
		if e == nil {
			if near == "" {
				near = Closest(lock, name)
			}
			continue
		}
		in := &Installed{Name: name, Project: p, Locked: e}
		if in.Manifest, err = h.Manifest(e.Manifest); err != nil {
			return nil, in.Wrap(err)
		}
		if err := ToolsLocked(in.Manifest, e); err != nil {
			return nil, in.Wrap(err)
		}
		in.Published = in.Manifest
		if in.Manifest, err = a.Ready(in.Published, e); err != nil {
			return nil, in.Wrap(err)
		}
		if b := e.Bundle(); b != nil {
			dir, added, err := h.OpenBundle(*b)
			if err != nil {
				return nil, in.Wrap(err)
			}
			in.Bundle = dir
			for _, f := range added {
				a.IO.Debugf("mcpm: %s is in the directory of %s, but not in its bundle\n", f, name)
			}
		}
		return in, nil
	}
	e := hub.Errorf(hub.NotFound, "%s is not installed", name)
	if here := install.FindProject(a.Dir); !global && here.Root != "" {
		if all, err := install.ReadLockfile(here.Lock()); err == nil && all.Servers[name] != nil {
			return nil, hub.Errorf(hub.NotFound, "%s is locked in the workspace, and %s does not ask for it", name, here.Member()).WithHint("mcpm install -w %s %s", here.Member(), name)
		}
	}
	if near != "" {
		return nil, e.WithHint("did you mean %s?", near)
	}
	if global {
		return nil, e.WithHint("mcpm install -g %s, or leave -g out for the one of this project", name)
	}
	return nil, e.WithHint("mcpm install %s", name)
}

// Linked returns the working copy that stands for a server in a project, nil when there is none.
func (a *App) Linked(h install.Home, p install.Project, name hub.Name) (*Installed, error) {
	links, err := h.Links(p)
	if err != nil || links[name] == "" {
		return nil, err
	}
	dir := links[name]
	m, _, err := ReadManifest(install.Project{Dir: dir})
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, hub.Errorf(hub.NotFound, "%s is linked to %s, where there is no mcp.json", name, dir).WithHint("mcpm unlink %s", name)
	}
	return &Installed{Name: name, Project: p, Manifest: m, Bundle: dir}, nil
}

// Own is the manifest of a server, nil when there is no server.
func (in *Installed) Own() *manifest.Manifest {
	if in == nil {
		return nil
	}
	return in.Manifest
}

// Wrap names the server in an error about what is locked.
func (in *Installed) Wrap(err error) error {
	k := hub.KindOf(err)
	var values *valuesError
	if errors.As(err, &values) || in.Locked == nil || k != hub.Integrity && k != hub.NotFound {
		return err
	}
	text := fmt.Sprintf("%s %s: %s", in.Name, in.Locked.Version, err.Error())
	if k == hub.Integrity {
		text = fmt.Sprintf("%s %s is not what was locked (exit %d)", in.Name, in.Locked.Version, exitIntegrity)
	}
	e := hub.Errorf(k, "%s", text)
	if he, ok := err.(*hub.Error); ok {
		e.Issues, e.Hint = he.Issues, he.Hint
		if k == hub.Integrity && len(e.Issues) == 0 {
			e.Issues = []hub.Issue{{Message: he.Message}} // what differs
		}
	}
	if k == hub.NotFound {
		g := ""
		if in.Project.Global {
			g = " -g"
		}
		e.Hint = "mcpm install" + g + " fetches it, for which it needs the network"
	}
	return e
}

// ToolsLocked compares the tools that a locked manifest declares with what the lockfile says of them. Integrity when somebody
// changed it.
func ToolsLocked(m *manifest.Manifest, e *install.Locked) error {
	got := capability.Fingerprint(manifest.CapabilitiesOf(m))
	if got == e.Tools {
		return nil
	}
	return hub.Errorf(hub.Integrity, "its tools are not those that the lockfile names").
		WithIssues([]hub.Issue{{Message: "its tools are not those that the lockfile names"}, {Message: "locked    " + Clean(e.Tools)}, {Message: "manifest  " + got}}).WithHint("restore mcpm-lock.json from version control")
}

// Lost is the error about something locked that is not in the store, where --offline forbids to fetch it.
func Lost(name hub.Name, version, what string) error {
	return hub.Errorf(hub.Unavailable, "%s %s: %s is not in the store of this machine, and --offline forbids to fetch it", name, version, Clean(what)).
		WithHint("run it once without --offline, with the network")
}

// Needs makes the error about values a server lacks. A remote one takes none from the environment.
func (in *Installed) Needs(missing []manifest.Missing, spec manifest.ServerSpec) error {
	var names []string
	var issues []hub.Issue
	for _, m := range missing {
		names = append(names, m.Name)
		if m.Description != "" {
			issues = append(issues, hub.Issue{Message: m.Name + ": " + m.Description})
		}
	}
	hint := HowToGive(in.Project, in.Name, in.Manifest, spec, names)
	if i := slices.IndexFunc(InputsOf(in.Manifest, spec), func(x Input) bool { return x.Name == names[0] && x.FromEnv }); i >= 0 {
		it := "it"
		if len(names) > 1 {
			it = "them"
		}
		hint += "   or set " + it + " in the environment"
	}
	return Usage("%s needs %s", in.Name, AndList(names)).WithIssues(issues).WithHint("%s", hint)
}
