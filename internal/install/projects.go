package install

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/tree"
)

func (h Home) projectsPath() string { return h.path("projects.json") }

// Remember notes that a project has a lockfile, so that what it needs is kept.
func (h Home) Remember(p Project) error {
	if p.Global {
		return nil // it is always known
	}
	unlock, err := h.lock("projects")
	if err != nil {
		return err
	}
	defer unlock()
	var dirs []string
	if err := readJSON(h.projectsPath(), &dirs); err != nil || slices.Contains(dirs, p.Owner().Dir) {
		return err
	}
	return writeJSON(h.projectsPath(), append(dirs, p.Owner().Dir), 0o600)
}

// Projects returns the projects that have a lockfile, the global one first; those whose lockfile is gone are left out.
func (h Home) Projects() ([]Project, error) {
	var dirs []string
	if err := readJSON(h.projectsPath(), &dirs); err != nil {
		return nil, err
	}
	all := []Project{h.Global()}
	for _, dir := range dirs {
		all = append(all, Project{Dir: dir})
	}
	return slices.DeleteFunc(all, func(p Project) bool { return !isFile(p.Lock()) }), nil
}

// GC takes away what no known lockfile needs, or all, and returns how much that was; with dry it only counts. Other programs
// wait meanwhile for the trees they make.
func (h Home) GC(platform string, all, dry bool) (tree.Freed, error) {
	unlock, err := h.lock("projects")
	if err != nil {
		return tree.Freed{}, err
	}
	defer unlock()
	wanted, err := h.wanted(platform)
	if err != nil {
		return tree.Freed{}, err
	}
	freed, err := h.Trees().GC(func(id string) bool { return !all && wanted[id] }, dry)
	if err != nil {
		return freed, diskError(err)
	}
	for _, dir := range []string{"sha256", "sha512", archivesDir} {
		if err := h.sweep(&freed, dir, func(id string) bool { return !all && wanted[id] }, dry); err != nil {
			return freed, diskError(err)
		}
	}
	return freed, nil
}

// wanted returns the names of everything in the store that a lockfile needs.
func (h Home) wanted(platform string) (map[string]bool, error) {
	out := map[string]bool{}
	projects, err := h.Projects()
	if err != nil {
		return nil, err
	}
	for _, p := range projects {
		lock, err := ReadLockfile(p.Lock())
		if err != nil {
			return nil, hub.Errorf(hub.KindOf(err), "%s", err.Error()).WithHint("nothing was removed: what %s needs is not known", p.Dir)
		}
		for _, e := range lock.Servers {
			out[strings.TrimPrefix(e.Manifest, "sha256:")] = true
			for _, a := range e.Artifacts {
				if a.Tree != nil {
					out[a.Tree.ID(platform)] = true
				}
				if path, err := h.bundlePath(a.Integrity); a.Type == "bundle" && err == nil {
					out[filepath.Base(path)] = true
				}
			}
		}
	}
	return out, nil
}

// sweep takes away the manifests, bundles or downloads that keep does not want.
func (h Home) sweep(freed *tree.Freed, dir string, keep func(id string) bool, dry bool) error {
	entries, err := os.ReadDir(h.path("store", dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		id, _, _ := strings.Cut(e.Name(), ".")
		if id == "" && !abandoned(e) || keep(id) { // a name that begins with a dot is being made
			continue
		}
		path := h.path("store", dir, e.Name())
		freed.Files++
		freed.Bytes += tree.SizeOf(path)
		if dry {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return err
}

// abandoned reports whether a download has not gone on for a day.
func abandoned(e fs.DirEntry) bool {
	info, err := e.Info()
	return err == nil && strings.HasPrefix(e.Name(), partPrefix) && time.Since(info.ModTime()) > 24*time.Hour
}
