package install

import (
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/hostrecord"
)

// Want is which servers of a project host applications are to have.
type Want struct {
	Project Project
	Servers []hub.Name
}

// Sync brings the files of host applications in step with what is wanted: servers that are missing come in,
// those of the same projects that nobody wants any more, or not in this host, go. Servers of projects that
// are not among wants stay as they are. Working copies that are linked into a project are wanted, too.
func (r *Registrar) Sync(wants ...Want) ([]Change, error) {
	wants = slices.Clone(wants)
	for i, w := range wants {
		links, err := r.Home.Links(w.Project)
		if err != nil {
			return nil, err
		}
		for name := range links {
			if !slices.Contains(w.Servers, name) {
				wants[i].Servers = append(slices.Clone(wants[i].Servers), name)
			}
		}
		slices.Sort(wants[i].Servers)
	}
	return r.edit(func(rec *hostrecord.Record, h hosts.Host, path string, f *hostrecord.File) ([]Change, error) {
		var all []Change
		for _, w := range wants {
			rec.Forget(w.Project.valuesKey(), w.Servers)
			names, err := r.wanted(rec, h, path, w)
			if err != nil {
				return all, err
			}
			var gone []hub.Name
			for _, e := range f.Entries {
				if e.Project == w.Project.valuesKey() && !e.Left && !slices.Contains(names, e.Server) {
					gone = append(gone, e.Server)
				}
			}
			done, err := r.unregisterIn(h, path, f, w.Project, gone)
			if err != nil {
				return all, err
			}
			all = append(all, done...)
			if len(names) == 0 {
				continue
			}
			if done, err = r.registerIn(h, path, f, w.Project, names); err != nil {
				return all, err
			}
			all = append(all, done...)
		}
		return all, nil
	})
}

// Recorded returns what is in files of host applications by the record, each project once, the global one first.
func (r *Registrar) Recorded() ([]Want, error) {
	rec, err := r.readRecord()
	if err != nil {
		return nil, err
	}
	servers := map[string]map[hub.Name]bool{}
	for _, f := range rec.Files {
		for _, e := range f.Entries {
			if e.Left {
				continue
			}
			if servers[e.Project] == nil {
				servers[e.Project] = map[hub.Name]bool{}
			}
			servers[e.Project][e.Server] = true
		}
	}
	var out []Want
	for _, dir := range slices.Sorted(maps.Keys(servers)) {
		w := Want{ProjectAt(dir), slices.Sorted(maps.Keys(servers[dir]))}
		if dir == "" {
			w.Project = r.Home.Global()
		}
		out = append(out, w)
	}
	return out, nil
}

// Narrow notes that servers of a project are for some host applications only; without hosts, that they are
// for all again. It takes effect with the next Sync or Register.
func (r *Registrar) Narrow(p Project, servers []hub.Name, hosts []string) {
	if r.narrowed.Only == nil {
		r.narrowed.Only = map[string]map[hub.Name][]string{}
	}
	key := p.valuesKey()
	if r.narrowed.Only[key] == nil {
		r.narrowed.Only[key] = map[hub.Name][]string{}
	}
	for _, n := range servers {
		r.narrowed.Only[key][n] = slices.Clone(hosts)
	}
}

// wanted returns the servers that belong into a file: none when the host is left out, or when a person moved
// its file elsewhere.
func (r *Registrar) wanted(rec *hostrecord.Record, h hosts.Host, path string, w Want) ([]hub.Name, error) {
	if !r.takes(h) || r.Env.Override[h.ID] != "" && path != h.UserPath(r.Env) {
		return nil, nil
	}
	choice, err := r.choiceOf(w.Project)
	if err != nil || leavesOut(choice, h.ID) {
		return nil, err
	}
	only := rec.Only[w.Project.valuesKey()]
	return slices.DeleteFunc(slices.Clone(w.Servers), func(n hub.Name) bool {
		return len(only[n]) > 0 && !slices.Contains(only[n], h.ID)
	}), nil
}

// choiceOf returns which hosts a project leaves out, read once.
func (r *Registrar) choiceOf(p Project) (map[string]bool, error) {
	if choice, ok := r.choices[p.Dir]; ok {
		return choice, nil
	}
	choice, err := projectHosts(p, r.Env.Home)
	if err == nil {
		r.Suppose(p, choice)
	}
	return choice, err
}

// Suppose makes the registrar work as if the "hosts" of a project's .mcpmrc were these.
func (r *Registrar) Suppose(p Project, hosts map[string]bool) {
	if r.choices == nil {
		r.choices = map[string]map[string]bool{}
	}
	r.choices[p.Dir] = hosts
}

func (r *Registrar) takes(h hosts.Host) bool {
	found := r.found(h)
	if r.Takes == nil {
		return found
	}
	return r.Takes(h.ID, found)
}

// Where returns the host applications that have an entry for each server of a project, as recorded.
func (r *Registrar) Where(p Project) (map[hub.Name][]string, error) {
	rec, err := r.readRecord()
	if err != nil {
		return nil, err
	}
	out := map[hub.Name][]string{}
	for _, h := range hosts.All() { // their order
		for _, f := range rec.Files {
			if f.Host != h.ID {
				continue
			}
			for _, e := range f.Entries {
				if e.Project == p.valuesKey() && !e.Left && !slices.Contains(out[e.Server], h.ID) {
					out[e.Server] = append(out[e.Server], h.ID)
				}
			}
		}
	}
	return out, nil
}
