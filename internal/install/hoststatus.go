package install

import (
	"slices"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/hostrecord"
)

// HostFile is one file of a host application and what is in it.
type HostFile struct {
	Host    hosts.Host
	Scope   hosts.Scope
	Path    string       // "" when the host has none on this system
	Moved   bool         // a person said where it is
	Found   bool         // the application is here; of a project's file, that it exists
	Takes   bool         // it gets the servers that are installed
	Servers [][]hub.Name // of each project that was asked about, sorted
	Beyond  int          // servers that mcpm keeps there for other projects
	Others  int          // entries that are not ours
	Err     error        // why the file could not be read
}

// Files returns the user file of every known host, and those files of the project at Env.Project that exist.
// Servers counts what mcpm keeps there for projects.
func (r *Registrar) Files(projects ...Project) ([]HostFile, error) {
	rec, err := r.readRecord()
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, p := range projects {
		keys = append(keys, p.valuesKey())
	}
	var out []HostFile
	for _, h := range hosts.All() {
		f := HostFile{Host: h, Scope: hosts.User, Path: h.UserPath(r.Env), Moved: r.Env.Override[h.ID] != "", Found: r.found(h), Takes: r.takes(h)}
		f.look(rec.Files[f.Path], keys)
		out = append(out, f)
		for _, p := range h.Paths(r.Env) {
			if p.Scope != hosts.Project || !isFile(p.Path) {
				continue
			}
			own := HostFile{Host: h, Scope: hosts.Project, Path: p.Path, Found: true}
			own.look(nil, nil)
			out = append(out, own)
		}
	}
	return out, nil
}

// look reads the file. An entry that is recorded and gone from it does not count.
func (f *HostFile) look(rec *hostrecord.File, keys []string) {
	f.Servers = make([][]hub.Name, len(keys))
	if f.Path == "" {
		return
	}
	text, err := ReadFile(f.Path, MaxHostFile)
	if err != nil {
		f.Err = err
		return
	}
	have, err := f.Host.Entries(text)
	if err != nil {
		f.Err = inFile(f.Path, err)
		return
	}
	for key, value := range have {
		var e hostrecord.Entry
		if rec != nil {
			e = rec.Entries[key]
		}
		i := slices.Index(keys, e.Project)
		switch {
		case e.Server == "" || !hostrecord.Runs(f.Host, value, e.Server):
			f.Others++
		case i < 0:
			f.Beyond++
		case !slices.Contains(f.Servers[i], e.Server):
			f.Servers[i] = append(f.Servers[i], e.Server)
		}
	}
	for _, names := range f.Servers {
		slices.Sort(names)
	}
}
