package use

import (
	"encoding/json"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/learn"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/install"
)

// learning has a server tell what it tries.
type learning struct {
	*runOptions
	learn.Recorder
	in     *app.Installed
	server *gateway.Server
}

// learn begins to record what a server tries, nil when that was not asked for.
func (o *runOptions) learn(in *app.Installed, s *gateway.Server) (*learning, error) {
	if !o.confined.Learn {
		return nil, nil
	}
	if s.Sandbox == nil {
		return nil, app.Usage("%s is a remote server; what it does on its own machine cannot be learned", in.Name)
	}
	l := &learning{runOptions: o, in: in, server: s}
	l.Into(s.Sandbox, s.Reads, s.Sandbox.Container == nil)
	return l, nil
}

// end tells what was learned: on stderr, or with --learn-to in a file.
func (l *learning) end() error {
	h, err := l.Store()
	if err != nil {
		return err
	}
	at := learn.Place{Home: l.Env.UserHome, Workspace: l.Dir, Store: h.Dir, Program: l.server.Command, Own: append(l.server.Reads, l.server.Writes...)}
	if !l.in.Project.Global {
		at.Workspace = l.in.Project.Dir
	}
	if path, err := l.LookPath(at.Program); err == nil {
		at.Program = path
	}
	out := l.Learned(at, l.in.Manifest.Permissions)
	out.Name, out.Version, out.Container = l.in.Name.String(), l.in.Version(), l.server.Sandbox.Container != nil
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	switch {
	case l.confined.LearnTo != "":
		file := l.confined.LearnTo
		if !filepath.IsAbs(file) {
			file = filepath.Join(l.Dir, file)
		}
		if err := install.WriteFile(file, append(data, '\n'), 0o644); err != nil {
			return err
		}
		l.IO.Notef("mcpm: what %s tried, and the permissions for it, are in %s\n", out.Name, app.Clean(file))
	case l.JSON:
		_, err = l.IO.Err.Write(append(data, '\n')) // stdout is the server's
	default:
		out.Report(l.IO)
	}
	return err
}
