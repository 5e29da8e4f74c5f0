package app

import (
	"os"
	"path"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Kept is a package of npm in the store, with all it depends on.
type Kept struct {
	Dir     string // holds node_modules
	Program string // what node starts, below Dir, with slashes

	Args    []string // of a package of PyPI: for the interpreter
	Runtime string   // that it was installed for
}

// KeptNPM returns the package that an entry of a server starts, after every file of it was read and compared with what
// was locked. Invalid when the entry starts no package of npm, or one that node does not start; NotFound when it was not
// fetched here.
func (a *App) KeptNPM(e *install.Locked, m *manifest.Manifest, spec manifest.ServerSpec) (*Kept, error) {
	r, ok, err := manifest.RunnerIn(m, spec)
	if err != nil {
		return nil, err
	}
	if !ok || r.Type != model.RegistryTypeNPM {
		return nil, hub.Errorf(hub.Invalid, "it is no package of npm")
	}
	tree, doc, err := a.openPinned(e, packageOf(r), true)
	if err != nil {
		return nil, err
	}
	root := path.Join("node_modules", doc.Name)
	raw, err := os.ReadFile(filepath.Join(tree.Dir, filepath.FromSlash(root), "package.json"))
	if err != nil {
		return nil, err
	}
	program, err := programs.Bin(raw, doc.Name, r.Command)
	if err != nil {
		return nil, err
	}
	program = path.Join(root, program)
	if !programs.IsScript(filepath.Join(tree.Dir, filepath.FromSlash(program))) {
		return nil, hub.Errorf(hub.Invalid, "its program %s is not for node", Clean(program))
	}
	return &Kept{Dir: tree.Dir, Program: program}, nil
}

// KeptPyPI is KeptNPM for a package of PyPI. Args start its program with an interpreter that finds the packages at the given
// place; Runtime is the one they were installed for, such as "linux-amd64-cpython-311".
func (a *App) KeptPyPI(e *install.Locked, m *manifest.Manifest, spec manifest.ServerSpec, at string) (*Kept, error) {
	r, ok, err := manifest.RunnerIn(m, spec)
	if err != nil {
		return nil, err
	}
	if !ok || r.Type != model.RegistryTypePyPI {
		return nil, hub.Errorf(hub.Invalid, "it is no package of PyPI")
	}
	tree, _, err := a.openPinned(e, packageOf(r), true)
	if err != nil {
		return nil, err
	}
	args, err := programs.Python(tree.Dir, at, r)
	return &Kept{Dir: tree.Dir, Args: args, Runtime: TreeNoteOf(tree.Note).Platform}, err
}
