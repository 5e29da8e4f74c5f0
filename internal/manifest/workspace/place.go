package workspace

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// manifestFile is what makes a directory below the root a member.
const manifestFile = "mcp.json"

// maxDir is how long the directory of a member may be, in bytes.
const maxDir = 1024

// RootOf returns the directory of the workspace that a directory is a member of, "" when it is of none or is a root itself.
// What a stranger wrote above it makes no workspace of it.
// It fails where a broken mcp.json above speaks of workspaces: nobody can tell then.
func RootOf(dir string) (string, error) {
	if own, err := patternsOf(dir); err != nil || len(own) > 0 {
		return "", nil // whoever reads it says what is wrong with it
	}
	for d, at := filepath.Dir(dir), dir; d != at; d, at = filepath.Dir(d), d {
		info, err := os.Stat(filepath.Join(d, manifestFile))
		if err != nil || !trusts(info, dir) {
			continue
		}
		patterns, err := patternsOf(d)
		if err != nil {
			return "", err
		}
		if rel, err := filepath.Rel(d, dir); err == nil && Matches(patterns, filepath.ToSlash(rel)) {
			return d, nil
		}
	}
	return "", nil
}

// Members returns the directories of a workspace's members below its root, with slashes, sorted; nil where the directory
// is the root of none. One that is a workspace itself, and what is in that, is no member here. It fails as Find does.
func Members(dir string) ([]string, error) {
	patterns, err := patternsOf(dir)
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	root, err := os.OpenRoot(dir) // no link leads out of it
	if err != nil {
		return nil, hub.Errorf(hub.NotFound, "%v", err)
	}
	defer root.Close()
	dirs, err := Find(root.FS(), patterns, manifestFile)
	if err != nil {
		return nil, err
	}
	own := dirs[:0]
	for _, rel := range dirs {
		of, err := RootOf(filepath.Join(dir, filepath.FromSlash(rel)))
		if err != nil {
			return nil, err
		}
		if of == dir {
			own = append(own, rel)
		}
	}
	return own, nil
}

// patternsOf returns what the mcp.json of a directory has under workspaces, nil without one. One that cannot be read is an
// error only if it speaks of workspaces.
func patternsOf(dir string) ([]string, error) {
	path := filepath.Join(dir, manifestFile)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, jsonc.MaxBytes+1))
	if err != nil || !bytes.Contains(text, []byte(`"workspaces"`)) {
		return nil, nil
	}
	m, _, err := manifest.Parse(text)
	if err == nil {
		err = Check(m.Workspaces)
	}
	if err != nil {
		return nil, hub.Errorf(hub.KindOf(err), "%s: %s", path, err.Error()).WithHint("mend the file: it may be the root of the workspace that this is in")
	}
	return m.Workspaces, nil
}

// CheckDirs says what is wrong with the members that a lockfile names: directories below the root, "." for its own, in order.
func CheckDirs(dirs []string) error {
	if len(dirs) > MaxMembers+1 {
		return hub.Errorf(hub.Invalid, "members has %d entries; a workspace has at most %d", len(dirs), MaxMembers+1)
	}
	for i, dir := range dirs {
		if len(dir) > maxDir || !fs.ValidPath(dir) {
			return hub.Errorf(hub.Invalid, "members[%d] %.80q is no directory of a workspace", i, dir)
		}
		if i > 0 && dirs[i-1] >= dir {
			return hub.Errorf(hub.Invalid, "members[%d] %.80q is not in order, or there twice", i, dir)
		}
	}
	return nil
}
