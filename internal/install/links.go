package install

import (
	"maps"

	"github.com/mcphub/mcphub/internal/hub"
)

// links is links.json: by project's directory, the working copies that stand for servers there.
type links map[string]map[hub.Name]string

func (h Home) linksPath() string { return h.path("links.json") }

// Links returns the directories of the working copies that stand for servers in a project, by name. They are this
// machine's and this person's: no file of a project can make one.
func (h Home) Links(p Project) (map[hub.Name]string, error) {
	all := links{}
	err := readJSON(h.linksPath(), &all)
	return all[p.Dir], err
}

// Link lets the working copy in dir stand for a server in a project; dir "" ends that. It reports whether anything
// changed.
func (h Home) Link(p Project, name hub.Name, dir string) (bool, error) {
	unlock, err := h.lock("links")
	if err != nil {
		return false, err
	}
	defer unlock()
	all := links{}
	if err := readJSON(h.linksPath(), &all); err != nil || all[p.Dir][name] == dir {
		return false, err
	}
	of := maps.Clone(all[p.Dir])
	if of == nil {
		of = map[hub.Name]string{}
	}
	if of[name] = dir; dir == "" {
		delete(of, name)
	}
	if all[p.Dir] = of; len(of) == 0 {
		delete(all, p.Dir)
	}
	return true, writeJSON(h.linksPath(), all, 0o600)
}
