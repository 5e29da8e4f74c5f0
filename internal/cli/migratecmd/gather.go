package migratecmd

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/migrate"
)

// source is one file that was read.
type source struct {
	Tool string
	Path string

	host    *hosts.Host // of a host application
	scope   hosts.Scope
	stays   string                     // why its entries stay; "" when mcpm may replace them
	raw     map[string]json.RawMessage // its entries
	why     string                     // why it could not be read
	servers []server
	ours    []hub.Name // that mcpm runs already
}

// server is what a file says of one.
type server struct{ migrate.Server }

// maxRuns is how many run configurations of ToolHive are read.
const maxRuns = 500

// gather reads what --from names, or else everything there is.
func (o *options) gather(reg *install.Registrar) ([]*source, error) {
	if len(o.from) == 0 {
		all := o.ofHosts(reg, "")
		return append(all, o.ofTools(reg, "")...), nil
	}
	var all []*source
	for _, from := range o.from {
		found, err := o.named(reg, from)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// named reads one --from: a host application, a tool, or a file.
func (o *options) named(reg *install.Registrar, from string) ([]*source, error) {
	if h, err := app.FindHost(from); err == nil {
		found := o.ofHosts(reg, h.ID)
		if len(found) == 0 {
			return nil, hub.Errorf(hub.NotFound, "%s has no file here", h.Name).WithHint("mcpm hosts path %s tells where it is looked for", h.ID)
		}
		return found, nil
	}
	for _, p := range migrate.Places(reg.Env) {
		if !strings.EqualFold(p.Tool, from) {
			continue
		}
		found := o.ofTools(reg, p.Tool)
		if len(found) == 0 {
			return nil, hub.Errorf(hub.NotFound, "%s has nothing here: there is no %s", p.Tool, p.Path).WithHint("--from FILE reads a file elsewhere")
		}
		return found, nil
	}
	return o.file(from)
}

// file reads a file that a person named: one of another tool by what is in it, else as most host applications
// write theirs.
func (o *options) file(from string) ([]*source, error) {
	path := from
	if rest, ok := strings.CutPrefix(path, "~/"); ok && o.Env.UserHome != "" {
		path = filepath.Join(o.Env.UserHome, rest)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Dir, path)
	}
	text, err := install.ReadFile(path, migrate.MaxFile)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return nil, hub.Errorf(hub.NotFound, "--from %s is no host application, no tool and no file", from).
			WithHint("mcpm hosts list names the applications; the tools are mcpm.sh, getmcpm, Docker and ToolHive")
	}
	s := &source{Tool: filepath.Base(path), Path: path}
	if format := migrate.Detect(text); format != "" {
		found, err := migrate.Read(format, text)
		if err != nil {
			return nil, hub.Errorf(hub.KindOf(err), "%s: %s", path, err.Error())
		}
		s.take(found)
		return []*source{s}, nil
	}
	for _, id := range []string{"cursor", "vscode", "zed", "opencode", "amp", "codex", "mistral-vibe", "continue", "goose"} { // one of each form
		h, _ := hosts.ByID(id)
		entries, err := h.Entries(text)
		if err != nil || len(entries) == 0 {
			continue
		}
		found, err := migrate.FromHost(h, text)
		if err != nil {
			return nil, hub.Errorf(hub.KindOf(err), "%s: %s", path, err.Error())
		}
		s.take(found)
		return []*source{s}, nil
	}
	return nil, hub.Errorf(hub.Invalid, "%s holds no servers in a form that is known", path).
		WithHint("the file of a host application, servers.json of mcpm.sh, mcpm.yaml, a Docker profile, or a ToolHive run configuration")
}

// take keeps what is not mcpm's already.
func (s *source) take(found []migrate.Server) {
	for _, f := range found {
		if n, err := hub.ParseMirrorName(f.Identifier); f.Ours {
			if err == nil {
				s.ours = append(s.ours, n)
			}
		} else {
			s.servers = append(s.servers, server{f})
		}
	}
}

// ofHosts reads the files of host applications that exist; only those of one when id names it.
func (o *options) ofHosts(reg *install.Registrar, id string) []*source {
	var all []*source
	seen := map[string]bool{}
	taking := reg.Taking()
	for _, h := range hosts.All() {
		if id != "" && h.ID != id {
			continue
		}
		for _, p := range h.Paths(reg.Env) {
			text, err := install.ReadFile(p.Path, install.MaxHostFile)
			if text == nil && err == nil || seen[p.Path] {
				continue
			}
			seen[p.Path] = true
			s := &source{Tool: h.Name, Path: p.Path, host: &h, scope: p.Scope}
			switch {
			case p.Scope == hosts.Project:
				s.stays = "mcpm does not write a project's files"
			case !slices.ContainsFunc(taking, func(t hosts.Host) bool { return t.ID == h.ID }):
				s.stays = h.Name + " is left out by your .mcpmrc"
			}
			all = append(all, s)
			if err == nil {
				s.raw, err = h.Entries(text)
			}
			var found []migrate.Server
			if err == nil {
				found, err = migrate.FromHost(h, text)
			}
			if err != nil {
				s.why = app.Clean(err.Error())
				continue
			}
			s.take(found)
		}
	}
	return all
}

// ofTools reads the lists of the other tools that exist; only those of one when tool names it.
func (o *options) ofTools(reg *install.Registrar, tool string) []*source {
	var all []*source
	for _, p := range migrate.Places(reg.Env) {
		if tool != "" && p.Tool != tool {
			continue
		}
		if p.Why != "" {
			if exists(p.Path) {
				all = append(all, &source{Tool: p.Tool, Path: p.Path, why: p.Why})
			}
			continue
		}
		files := []string{p.Path}
		if p.Pattern != "" {
			files, _ = filepath.Glob(filepath.Join(p.Path, p.Pattern)) // the pattern is a good one
		}
		var s *source
		for i, file := range files {
			text, err := install.ReadFile(file, migrate.MaxFile)
			if text == nil && err == nil {
				continue
			}
			if s == nil {
				s = &source{Tool: p.Tool, Path: p.Path}
				all = append(all, s)
			}
			if i >= maxRuns {
				s.why = "only the first 500 files are read"
				break
			}
			var found []migrate.Server
			if err == nil {
				found, err = migrate.Read(p.Format, text)
			}
			if err != nil {
				s.why = app.Clean(filepath.Base(file) + ": " + err.Error())
				continue
			}
			s.take(found)
		}
	}
	return all
}
