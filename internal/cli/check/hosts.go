package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// maxHostFile is the largest file of a host application that is read.
const maxHostFile = 64 << 20

// place is a server of a project.
type place struct {
	project install.Project
	name    hub.Name
}

// machine is what the entries of host applications are compared with.
type machine struct {
	locks    map[string]*install.Lockfile // by directory of the project
	recorded map[place][]string           // the hosts that mcpm gave an entry
	edited   map[string]map[place]string  // by host: its entries that mcpm wrote and somebody made something else of, by their names
	global   install.Project
	home     install.Home
}

func (o *doctorOptions) machine(r *install.Registrar) (*machine, error) {
	m := &machine{locks: map[string]*install.Lockfile{}, recorded: map[place][]string{}, edited: map[string]map[place]string{}, global: r.Home.Global(), home: r.Home}
	projects, err := o.projects()
	if err != nil {
		return nil, err
	}
	look, err := o.Registrar(true)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Clone(projects) { // entries are each member's own
		dirs, _ := workspace.Members(p.Dir) // what is wrong with mcp.json is told elsewhere
		for _, dir := range dirs {
			projects = append(projects, install.Project{Dir: filepath.Join(p.Dir, filepath.FromSlash(dir)), Root: p.Dir})
		}
	}
	for _, p := range projects {
		where, err := r.Where(p)
		if err != nil {
			return nil, err
		}
		for name, ids := range where {
			m.recorded[place{p, name}] = ids
		}
		if len(where) == 0 {
			continue
		}
		changes, err := look.Register(p, slices.Collect(maps.Keys(where))) // which a dry run would not write
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			if c.Action == "kept" {
				if m.edited[c.Host.ID] == nil {
					m.edited[c.Host.ID] = map[place]string{}
				}
				m.edited[c.Host.ID][place{p, c.Server}] = c.Key
			}
		}
	}
	return m, nil
}

// locked reports whether a server is in the lockfile of a project, or in the global one, where mcpm run looks next; a
// working copy that is linked there counts too.
func (m *machine) locked(p install.Project, name hub.Name) (bool, error) {
	for _, at := range []install.Project{p, m.global} {
		links, err := m.home.Links(at)
		if err != nil {
			return false, err
		}
		if dir := links[name]; dir != "" {
			info, err := os.Stat(filepath.Join(dir, install.ManifestFile))
			return err == nil && info.Mode().IsRegular(), nil
		}
		lock := m.locks[at.Dir]
		if lock == nil {
			var err error
			if lock, err = install.ReadLock(at); err != nil {
				return false, err
			}
			m.locks[at.Dir] = lock
		}
		if lock.Servers[name] != nil {
			return true, nil
		}
	}
	return false, nil
}

// hosts reads the file of every host application on this machine.
func (o *doctorOptions) hosts(context.Context) []finding {
	r, err := o.Registrar(true)
	if err != nil {
		return []finding{{Name: "files", Status: problem, Text: err.Error()}}
	}
	m, err := o.machine(r)
	if err != nil {
		return []finding{{Name: "records", Status: problem, Text: err.Error(), Hint: "mend or move away the file it names"}}
	}
	var out []finding
	var without []string
	found := r.Found()
	for _, h := range found {
		list := o.host(h, r.Env, m)
		if len(list) == 0 {
			without = append(without, h.Name)
		}
		out = append(out, list...)
	}
	if len(found) == 0 {
		return []finding{{Name: "none", Status: absent, Text: "no host application was found here"}}
	}
	if len(without) > 0 {
		out = append(out, finding{Name: "others", Status: absent, Text: app.AndList(without) + ": no server of mcpm"})
	}
	return out
}

// host compares the entries of one host application with what is installed; nothing when there are none.
func (o *doctorOptions) host(h hosts.Host, env hosts.Env, m *machine) []finding {
	path := h.UserPath(env)
	if path == "" {
		return nil
	}
	say := func(s status, fix, hint, format string, args ...any) finding {
		return finding{Name: h.Name, Status: s, Text: fmt.Sprintf(format, args...), Hint: hint, Fix: fix}
	}
	text, err := install.ReadFile(path, maxHostFile)
	if err != nil {
		return []finding{say(problem, "", "see who may read it", "%v", err)}
	}
	entries, err := h.Entries(text)
	if err != nil {
		hint := "mend the file"
		if e := (*hub.Error)(nil); errors.As(err, &e) && e.Hint != "" {
			hint = e.Hint
		}
		return []finding{say(problem, "", hint, "%s cannot be read: %v", path, err)}
	}
	var out []finding
	seen := map[place]bool{}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		at, command, ok := o.entry(h, entries[key], m)
		if !ok {
			continue
		}
		seen[at] = true
		fix := ""
		if slices.Contains(m.recorded[at], h.ID) {
			fix = fixHosts
		}
		if why := o.broken(command); why != "" {
			hint := "put the path of mcpm into the entry"
			if fix != "" {
				hint = "mcpm doctor --fix writes it again"
			}
			out = append(out, say(problem, fix, hint, "%q starts %s, %s", app.Short(key), app.Short(command), why))
			continue
		}
		switch have, err := m.locked(at.project, at.name); {
		case err != nil:
			out = append(out, say(problem, "", "restore the lockfile from version control", "%q: %v", app.Short(key), err))
		case !have:
			out = append(out, say(problem, "", "mcpm install "+o.flags(at.project)+at.name.String()+", or take the entry out", "%q starts %s, which is not installed%s", app.Short(key), at.name, strings.TrimSuffix(where(at.project), everywhere)))
		}
	}
	for at, ids := range m.recorded {
		have, err := m.locked(at.project, at.name)
		if !slices.Contains(ids, h.ID) || seen[at] || err != nil || !have {
			continue
		}
		if key, ok := m.edited[h.ID][at]; ok {
			out = append(out, say(notice, "", "mcpm hosts sync --force"+o.sync(at.project)+" writes it again", "%q was edited by hand and does not run %s%s any more", app.Short(key), at.name, where(at.project)))
		} else {
			out = append(out, say(notice, fixHosts, "mcpm doctor --fix writes it again", "the entry of %s%s is gone", at.name, where(at.project)))
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int { return strings.Compare(a.Text, b.Text) })
	if len(out) == 0 && len(seen) > 0 {
		out = append(out, say(fine, "", "", "%s, in step", app.Plural(len(seen), "server")))
	}
	return out
}

// entry reads an entry that runs a server through mcpm: which server of which project, and by which program.
func (o *doctorOptions) entry(h hosts.Host, value json.RawMessage, m *machine) (at place, command string, ok bool) {
	line := hosts.Runs(h, value)
	if len(line) < 3 || line[1] != "run" {
		return at, "", false
	}
	base := strings.TrimSuffix(strings.ToLower(filepath.Base(filepath.FromSlash(line[0]))), ".exe")
	name, err := hub.ParseLocalName(line[2])
	if err != nil || base != "mcpm" && line[0] != o.Exe {
		return at, "", false
	}
	at = place{m.global, name}
	if i := slices.Index(line, "-C"); i > 0 && i+1 < len(line) {
		at.project = install.ProjectAt(filepath.Clean(line[i+1]))
	}
	return at, line[0], true
}

// broken says why a command of an entry cannot be started, "" when it can.
func (o *doctorOptions) broken(command string) string {
	if !strings.ContainsAny(command, `/\`) {
		if _, err := o.LookPath(command); err != nil {
			return "which is not on PATH"
		}
		return ""
	}
	info, err := os.Stat(command)
	switch {
	case err != nil:
		return "which is not there"
	case info.IsDir() || o.OS != "windows" && info.Mode()&0o111 == 0:
		return "which is not a program"
	}
	return ""
}

const everywhere = " for all projects"

// where names a project behind a sentence about a server.
func where(p install.Project) string {
	if p.Global {
		return everywhere
	}
	return " in " + p.Dir
}

// sync is what mcpm hosts sync needs besides to work on a project.
func (o *doctorOptions) sync(p install.Project) string {
	return strings.TrimSuffix(" "+o.flags(p), " ")
}

// flags are what mcpm needs before a name to work on a project.
func (o *doctorOptions) flags(p install.Project) string {
	switch {
	case p.Global:
		return "-g "
	case p.Dir != install.FindProject(o.Dir).Dir:
		return "-C " + p.Dir + " "
	}
	return ""
}
