// Package grants keeps what a person allows servers beside what they declare, in grants.json under MCPM_HOME. It is this
// machine's and this person's: no file of a project can grant anything.
package grants

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// maxFile is how large grants.json may be, in bytes.
const maxFile = 4 << 20

// Decision is what a person decided of one server.
type Decision struct {
	Of         string   `json:"of"`                   // the very server: a lockfile that comes with a repository may give its name to another one
	Allow      []string `json:"allow,omitempty"`      // "KIND=VALUE" or "subprocess", in the order they were given
	Everything bool     `json:"everything,omitempty"` // it runs without a sandbox, with the person's rights
	Wide       bool     `json:"-"`                    // Everything was decided for all projects, and not here
}

// Empty reports whether nothing was decided.
func (d Decision) Empty() bool { return len(d.Allow) == 0 && !d.Everything }

// all is grants.json: by the directory of a project, "" for all projects, and by server.
type all map[string]map[hub.Name]Decision

func path(h install.Home) string { return filepath.Join(h.Dir, "grants.json") }

func key(p install.Project) string {
	if p.Global {
		return ""
	}
	return p.Dir
}

func read(h install.Home) (all, error) {
	data, err := install.ReadFile(path(h), maxFile)
	if err != nil || data == nil {
		return all{}, err
	}
	out := all{}
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s is damaged: %v", path(h), err).WithHint("remove it; servers are then confined to what they declare")
	}
	return out, nil
}

// Of returns what was decided of a server in a project. What was decided for all projects counts there, too; what was decided
// of another server that had the name does not. of says which server it is, such as by its hub.
func Of(h install.Home, p install.Project, name hub.Name, of string) (Decision, error) {
	f, err := read(h)
	if err != nil {
		return Decision{}, err
	}
	d := f[""][name].about(of)
	if p.Global {
		return d, nil
	}
	own := f[key(p)][name].about(of)
	for _, g := range own.Allow {
		if !slices.Contains(d.Allow, g) {
			d.Allow = append(d.Allow, g)
		}
	}
	d.Wide = d.Everything && !own.Everything
	d.Everything = d.Everything || own.Everything
	return d, nil
}

// about is a copy of the decision when it is about a server, and none when it is about another one.
func (d Decision) about(of string) Decision {
	if d.Of != of {
		return Decision{Of: of}
	}
	d.Allow = slices.Clone(d.Allow)
	return d
}

// Change lets fn change what was decided of a server in a project, or, of the global one, for all projects. The file is
// readable by its owner only.
func Change(h install.Home, p install.Project, name hub.Name, of string, fn func(*Decision)) error {
	locks := filepath.Join(h.Dir, "locks")
	if err := os.MkdirAll(locks, 0o700); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(locks, "grants.lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	f, err := read(h)
	if err != nil {
		return err
	}
	here := f[key(p)]
	if here == nil {
		here = map[hub.Name]Decision{}
	}
	d := here[name].about(of)
	fn(&d)
	if here[name] = d; d.Empty() {
		delete(here, name)
	}
	if f[key(p)] = here; len(here) == 0 {
		delete(f, key(p))
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return install.WriteFile(path(h), append(data, '\n'), 0o600)
}
