package install

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
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
	p := Project{Dir: dir}
	if own, err := workspacesOf(dir); err != nil || len(own) > 0 {
		return p, nil // it is a root itself, or whoever reads it says what is wrong with it
	}
	for d := filepath.Dir(dir); ; d = filepath.Dir(d) {
		patterns, err := workspacesOf(d)
		if err != nil {
			return p, err
		}
		if rel, err := filepath.Rel(d, dir); err == nil && len(patterns) > 0 && workspace.Matches(patterns, filepath.ToSlash(rel)) {
			p.Root = d
			return p, nil
		}
		if d == filepath.Dir(d) {
			return p, nil
		}
	}
}

// workspacesOf returns the patterns that the mcp.json of a directory has for members, nil without one. One that cannot be
// read is an error only if it speaks of workspaces.
func workspacesOf(dir string) ([]string, error) {
	path := filepath.Join(dir, ManifestFile)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	text, err := ReadFile(path, jsonc.MaxBytes)
	if err != nil || !bytes.Contains(text, []byte(`"workspaces"`)) {
		return nil, nil
	}
	m, _, err := manifest.Parse(text)
	if err == nil {
		err = workspace.Check(m.Workspaces)
	}
	if err != nil {
		return nil, hub.Errorf(hub.KindOf(err), "%s: %s", path, err.Error()).WithHint("mend the file: it may be the root of the workspace that this is in")
	}
	return m.Workspaces, nil
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
	rel, err := filepath.Rel(p.Root, p.Dir)
	if err != nil {
		return ""
	}
	return filepath.ToSlash(rel)
}

// OwnLock is the lockfile beside the project's mcp.json, which a member of a workspace has only from before it was one.
func (p Project) OwnLock() string { return filepath.Join(p.Dir, LockFile) }

// Members returns the directories of a workspace's members below its root, with slashes, sorted; nil where the project is
// the root of none. Links are not followed. Invalid for bad patterns, TooLarge beyond the limits of package workspace.
func (p Project) Members() ([]string, error) {
	patterns, err := workspacesOf(p.Dir)
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	root, err := os.OpenRoot(p.Dir) // no link leads out of it
	if err != nil {
		return nil, hub.Errorf(hub.NotFound, "%v", err)
	}
	defer root.Close()
	return workspace.Find(root.FS(), patterns, ManifestFile)
}

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

// checkMembers says what is wrong with the members that ask for a locked server.
func checkMembers(members []string) error {
	if len(members) > workspace.MaxMembers+1 {
		return hub.Errorf(hub.Invalid, "members has %d entries; a workspace has at most %d", len(members), workspace.MaxMembers+1)
	}
	for i, m := range members {
		if len(m) > maxMember || !fs.ValidPath(m) {
			return hub.Errorf(hub.Invalid, "members[%d] %.80q is no directory of a workspace", i, m)
		}
		if i > 0 && members[i-1] >= m {
			return hub.Errorf(hub.Invalid, "members[%d] %.80q is not in order, or there twice", i, m)
		}
	}
	return nil
}

// maxMember is how long the directory of a member may be, in bytes.
const maxMember = 1024
