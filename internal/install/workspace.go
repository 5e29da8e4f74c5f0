package install

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// RootMember is how a lockfile names the mcp.json beside it among the members of a workspace.
const RootMember = "."

// FindProject returns the project that dir is in: the nearest directory upwards with an mcp.json, or dir itself when there
// is none. Where a file above it cannot be read, it belongs to no workspace; OpenProject says why.
func FindProject(dir string) Project {
	p, _ := OpenProject(dir)
	return p
}

// OpenProject is FindProject that fails where a broken mcp.json above may be the one of a workspace that the project is a
// member of: nobody can tell then which lockfile is its own.
func OpenProject(dir string) (Project, error) {
	for d := dir; ; {
		if info, err := os.Stat(filepath.Join(d, ManifestFile)); err == nil && info.Mode().IsRegular() {
			return projectAt(d)
		}
		parent := filepath.Dir(d)
		if parent == d {
			return Project{Dir: dir}, nil
		}
		d = parent
	}
}

// ProjectAt returns the project of exactly this directory, whether or not it has an mcp.json.
func ProjectAt(dir string) Project {
	p, _ := projectAt(dir)
	return p
}

func projectAt(dir string) (Project, error) {
	root, err := workspace.RootOf(dir)
	return Project{Dir: dir, Root: root}, err
}

// Owner is the project that has the lockfile: the root of a member's workspace, or the project itself.
func (p Project) Owner() Project {
	if p.Root == "" {
		return p
	}
	return Project{Dir: p.Root}
}

// Member is how the lockfile names a member of a workspace: its directory below the root, with slashes; "" of one that is
// in none.
func (p Project) Member() string {
	if p.Root == "" {
		return ""
	}
	rel, _ := filepath.Rel(p.Root, p.Dir) // one is above the other
	return filepath.ToSlash(rel)
}

// OwnLock is the lockfile beside the project's mcp.json, which a member of a workspace has only from before it was one.
func (p Project) OwnLock() string { return filepath.Join(p.Dir, LockFile) }

// ReadLock reads what is locked for a project: of a member, what it asks for and what that needs. A member whose workspace
// has no lockfile yet still has its own.
func ReadLock(p Project) (*Lockfile, error) {
	if p.Root == "" {
		return ReadLockfile(p.Lock())
	}
	if !isFile(p.Lock()) && isFile(p.OwnLock()) {
		return ReadLockfile(p.OwnLock())
	}
	l, err := ReadLockfile(p.Lock())
	if err != nil {
		return nil, err
	}
	return l.For(p.Member()), nil
}

// For returns the lockfile with nothing but what some members ask for and what that needs.
func (l *Lockfile) For(members ...string) *Lockfile {
	out := l.Derive()
	var todo []hub.Name
	for n, e := range l.Servers {
		if slices.ContainsFunc(e.Members, func(m string) bool { return slices.Contains(members, m) }) {
			todo = append(todo, n)
		}
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		e := l.Servers[n]
		if e == nil || out.Servers[n] != nil {
			continue
		}
		out.Servers[n] = e
		deps, _ := hub.ParseSpecs(e.Dependencies) // what is none cannot be locked
		for id := range deps {
			todo = append(todo, id)
		}
	}
	return out
}
