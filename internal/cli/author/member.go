package author

import (
	"os"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// member lets init work in the directory of -w, below the root of the workspace, if its patterns take that. The directory
// is made with the mcp.json, and not before.
func (o *initOptions) member() error {
	if o.dir == "" {
		return nil
	}
	w, err := members.Find(o.App)
	if err != nil {
		return err
	}
	if w == nil {
		return app.Usage("%s is in no workspace, and -w makes a member of one", o.Dir).
			WithHint(`write "workspaces": ["servers/*"] into the mcp.json above your servers`)
	}
	dir := o.dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(o.Dir, dir)
	}
	rel, err := filepath.Rel(w.Root.Dir, dir)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return app.Usage("-w %s is not below the workspace in %s", o.dir, w.Root.Dir).WithHint("write a path below it, such as servers/new")
	}
	m, _, err := app.ReadManifest(w.Root)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	if m == nil || !workspace.Matches(m.Workspaces, rel) {
		return hub.Errorf(hub.Invalid, "%s is no member: the workspaces of %s do not take it", rel, w.Root.Manifest()).
			WithHint("choose a directory that they take, or add %q to them", rel)
	}
	root, err := os.OpenRoot(w.Root.Dir) // no link on the way leads out of it
	if err != nil {
		return hub.Errorf(hub.NotFound, "%v", err)
	}
	defer root.Close()
	if info, err := root.Stat(rel); err == nil && !info.IsDir() {
		return hub.Errorf(hub.Exists, "%s is a file", rel).WithHint("choose another directory")
	} else if err != nil && !os.IsNotExist(err) {
		return hub.Errorf(hub.Invalid, "%s cannot be used: %v", rel, err)
	}
	o.Dir = filepath.Join(w.Root.Dir, filepath.FromSlash(rel))
	return nil
}
