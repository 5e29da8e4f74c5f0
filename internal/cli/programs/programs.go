// Package programs says how the program of an installed package is started: with node, or with Python, from the files that
// were locked and nothing else.
package programs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/pin"
)

// NPM starts a package's program with node, as npx does: with the other packages' programs on PATH.
func NPM(doc *pin.Document, r manifest.Runner, s *gateway.Server, k Kept) error {
	dir := k.Tree
	root := filepath.Join(dir, "node_modules", filepath.FromSlash(doc.Name))
	raw, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		return err
	}
	program, err := Bin(raw, doc.Name, r.Command)
	if err != nil {
		return err
	}
	file := filepath.Join(root, filepath.FromSlash(program))
	s.Args, s.Reads = r.Args, append(s.Reads, dir)
	if s.Command = file; IsScript(file) {
		s.Command, s.Args = "node", append([]string{file}, r.Args...)
	}
	s.Env = withPath(s.Env, filepath.Join(dir, "node_modules", ".bin"))
	k.Node(s)
	return nil
}

// Bin returns the file of a package's program, by the rule of npx: the one that is asked for, the only one, or the
// one that has the package's name.
func Bin(manifest []byte, name, asked string) (string, error) {
	var m struct {
		Bin json.RawMessage `json:"bin"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return "", hub.Errorf(hub.Invalid, "package.json of %s is not readable: %v", name, err)
	}
	base := path.Base(name)
	bins := map[string]string{}
	var one string
	if json.Unmarshal(m.Bin, &one) == nil {
		bins[base] = one
	} else if err := json.Unmarshal(m.Bin, &bins); err != nil || len(bins) == 0 {
		return "", hub.Errorf(hub.Invalid, "the package %s has no program to start", name)
	}
	if asked == "" {
		asked = base
		if len(bins) == 1 {
			for only := range bins {
				asked = only
			}
		}
	}
	file := path.Clean(bins[asked])
	if bins[asked] == "" || !filepath.IsLocal(filepath.FromSlash(file)) {
		return "", hub.Errorf(hub.NotFound, "the package %s has no program %q", name, term.Clean(asked))
	}
	return file, nil
}

// IsScript reports whether a file is for node: it says so in its first line, or says nothing and is not binary.
func IsScript(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return true // node says what is wrong
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	first, _, _ := bytes.Cut(head[:n], []byte{'\n'})
	if bytes.HasPrefix(first, []byte("#!")) {
		return bytes.Contains(first, []byte("node"))
	}
	return slices.Contains([]string{".js", ".mjs", ".cjs"}, path.Ext(filepath.ToSlash(file))) || !bytes.Contains(head[:n], []byte{0})
}

// withPath puts a directory in front of PATH.
func withPath(env []string, dir string) []string {
	out := slices.Clone(env)
	for i, kv := range out {
		if rest, ok := strings.CutPrefix(kv, "PATH="); ok {
			out[i] = "PATH=" + dir + string(filepath.ListSeparator) + rest
			return out
		}
	}
	return append(out, "PATH="+dir)
}

var entryPoint = lazyregexp.New(`^\s*([A-Za-z0-9._-]+)\s*=\s*([A-Za-z_][\w.]*)\s*:\s*([A-Za-z_][\w.]*)\s*(?:\[.*\])?\s*$`)

// PyPI starts a package's program with the interpreter it was installed for. Only the interpreter's own library
// and what was locked can be imported.
func PyPI(r manifest.Runner, s *gateway.Server, k Kept) error {
	args, err := Python(k.Tree, k.Tree, r)
	if err != nil {
		return err
	}
	s.Args = append(args, r.Args...)
	env := slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return name == "PYTHONPATH" || name == "PYTHONHOME" || name == "PYTHONDONTWRITEBYTECODE" || name == "PYTHONSTARTUP"
	})
	s.Env = append(env, "PYTHONPATH="+k.Tree) // also for what it starts itself
	s.Reads = append(s.Reads, k.Tree)
	k.Python(s)
	return nil
}

// Python returns the arguments with which an interpreter starts the program of a package: the packages are in dir now, and at
// another place, perhaps, when it starts.
func Python(dir, at string, r manifest.Runner) ([]string, error) {
	program := r.Command
	if program == "" {
		program = r.Name
	}
	module, function, err := entryOf(dir, program)
	if err != nil {
		return nil, err
	}
	literal := func(v string) string {
		b, _ := json.Marshal(v) // strings always marshal, and are Python's too
		return string(b)
	}
	code := fmt.Sprintf("import sys, site, importlib, functools; sys.path[:] = [p for p in sys.path if p]; site.setquit(); site.addsitedir(%s); sys.argv[0] = %s; "+
		"sys.exit(functools.reduce(getattr, %s.split('.'), importlib.import_module(%s))())", literal(at), literal(program), literal(function), literal(module))
	return []string{"-S", "-s", "-c", code}, nil
}

// entryOf looks a program up among the entry points of all packages of a tree.
func entryOf(dir, program string) (module, function string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.dist-info", "entry_points.txt"))
	if err != nil {
		return "", "", err
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", "", err
		}
		section := ""
		for line := range strings.Lines(string(raw)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "[") {
				section = line
				continue
			}
			m := entryPoint.FindStringSubmatch(line)
			if m != nil && (section == "[console_scripts]" || section == "[gui_scripts]") && pin.SameProject(m[1], program) {
				return m[2], m[3], nil
			}
		}
	}
	return "", "", hub.Errorf(hub.NotFound, "none of its packages has a program %q", term.Clean(program))
}
