// Package mcphub holds no code: this file holds the architecture. It reads the sources with go/parser
// and never asks the go command, whose answer the test cache would keep.
package mcphub

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mcphub/mcphub"

// mayImport is the import table. A room that is not in it must not exist; a sub-room (manifest/jsonc)
// obeys the row of the room it is in, may import what is under and beside it there, and its own parent
// may import it.
var mayImport = map[string][]string{
	// ground
	"internal/hub":        {},
	"internal/words":      {},
	"internal/sandbox":    {},
	"internal/lazyregexp": {},
	// one up
	"internal/manifest":           {"hub"},
	"internal/resolve":            {"hub"},
	"internal/trust":              {"hub"},
	"internal/hosts":              {"hub"},
	"internal/conform":            {"hub"},
	"internal/auth":               {"hub"},
	"internal/embed":              {"hub"},
	"internal/bundle":             {"hub", "trust"},
	"internal/backend/sqlstore":   {"hub"},
	"internal/backend/blobstore":  {"hub"},
	"internal/fulltext":           {"hub", "words"},
	"internal/backend/bleveindex": {"hub", "words", "fulltext"},
	"internal/nodes":              {"hub"},
	"internal/backend/opensearch": {"hub", "words", "fulltext", "nodes"},
	"internal/backend/weaviate":   {"hub", "nodes"},
	"internal/backend/localvec":   {"hub"},
	"internal/backend/memcache":   {"hub"},
	"internal/wire":               {"hub", "manifest", "trust"},
	"internal/install":            {"hub", "manifest", "trust", "hosts", "bundle"},
	"internal/secret":             {"hub", "install"},
	"internal/source":             {"hub", "manifest", "wire", "trust"},
	"internal/gateway":            {"hub", "sandbox"},
	"internal/guard":              {"hub", "install"},
	"internal/migrate":            {"hub", "manifest", "hosts", "bundle"},
	// services
	"internal/registry":   {"hub", "manifest", "resolve", "trust", "source", "bundle"},
	"internal/search":     {"hub", "words", "manifest"},
	"internal/playground": {"hub", "manifest", "bundle", "gateway", "sandbox"},
	// doors
	"internal/api": {"hub", "auth", "registry", "search", "wire", "manifest", "trust", "hosts"},
	"internal/oci": {"hub", "auth", "registry"},
	"internal/web": {"hub", "auth", "registry", "search", "playground", "hosts", "manifest", "docs"},
	"internal/cli": {"hub", "manifest", "resolve", "trust", "hosts", "wire", "install", "secret", "source", "bundle", "gateway", "guard", "sandbox", "migrate"},
	// wiring
	"cmd/mcphub": {"hub", "manifest", "resolve", "trust", "hosts", "wire", "source", "bundle", "gateway", "auth", "registry", "search", "playground", "sandbox", "embed", "api", "oci", "web",
		"backend/sqlstore", "backend/blobstore", "backend/bleveindex", "backend/opensearch", "backend/localvec", "backend/weaviate", "backend/memcache"},
	"cmd/mcpm":       {"cli", "sandbox"},
	"docs":           {},                                                                                                                                                                          // the manual, embedded
	"docs/reference": {"cli", "manifest", "docs"},                                                                                                                                                 // makes parts of it
	"bench":          {"hub", "manifest", "wire", "registry", "trust", "search", "embed", "backend/sqlstore", "backend/bleveindex", "backend/localvec", "backend/opensearch", "backend/weaviate"}, // measures; nothing imports it
	"e2e":            {"hub", "wire"},                                                                                                                                                             // drives the built programs
}

// tests of a room may also import these: the suites, and the embedded backends, which are the fakes.
var testsMayImport = []string{"conform", "hub", "manifest", "trust", "bundle", "backend/sqlstore", "backend/blobstore", "backend/bleveindex", "backend/localvec", "backend/memcache", "wire", "source", "hosts", "embed", "search"}

// everyRoomMayImport has nothing of ours in it and stands in for a package of the standard library.
var everyRoomMayImport = []string{"lazyregexp"}

const (
	maxFile, maxTestFile = 400, 600
	maxFunc              = 80
	maxPackage           = 2500
	maxMethods           = 7
)

// exceptions are limits that are broken on purpose, each with its reason. Keys are "kind path[:name]".
var exceptions = map[string]string{}

var badNames = []string{"util", "utils", "common", "shared", "helper", "helpers", "types", "misc"}

type source struct {
	path, dir string
	test      bool
	generated bool
	lines     int
	file      *ast.File
	fset      *token.FileSet
}

var generatedRE = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func readSources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != "." || d.Name() == "testdata" || p == "data" || p == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{path: filepath.ToSlash(p), dir: path.Dir(filepath.ToSlash(p)), test: strings.HasSuffix(p, "_test.go"),
			generated: generatedRE.Match(text), lines: strings.Count(string(text), "\n"), file: f, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// broken reports a broken rule, unless it is an exception with a reason.
func broken(t *testing.T, used map[string]bool, key, format string, args ...any) {
	t.Helper()
	if exceptions[key] != "" {
		used[key] = true
		return
	}
	t.Errorf("%s: "+format, append([]any{key}, args...)...)
}

// room returns the row of the table that a directory obeys.
func room(dir string) (string, bool) {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := mayImport[d]; ok {
			return d, true
		}
	}
	return "", false
}

func TestImports(t *testing.T) {
	for _, s := range readSources(t) {
		if s.dir == "." {
			continue
		}
		row, ok := room(s.dir)
		if !ok {
			t.Errorf("%s: this room is not in the import table", s.dir)
			continue
		}
		allowed := mayImport[row]
		if s.test {
			allowed = append(slices.Clone(allowed), testsMayImport...)
		}
		for _, imp := range s.file.Imports {
			target := strings.Trim(imp.Path.Value, `"`)
			ours, found := strings.CutPrefix(target, module+"/")
			if !found {
				continue
			}
			to, ok := room(ours)
			if ours == s.dir || to == row {
				continue
			}
			name := strings.TrimPrefix(to, "internal/")
			if !ok || !slices.Contains(allowed, name) && !slices.Contains(everyRoomMayImport, name) {
				t.Errorf("%s imports %s, which %s may not", s.path, ours, row)
			}
		}
	}
}

func TestSizes(t *testing.T) {
	used := map[string]bool{}
	packages := map[string]int{}
	for _, s := range readSources(t) {
		if s.generated {
			continue
		}
		limit := maxFile
		if s.test {
			limit = maxTestFile
		} else {
			packages[s.dir] += codeLines(s)
		}
		if s.lines > limit {
			broken(t, used, "file "+s.path, "%d lines, at most %d", s.lines, limit)
		}
		for _, decl := range s.file.Decls {
			checkDecl(t, used, s, decl)
		}
	}
	for dir, lines := range packages {
		if lines > maxPackage {
			broken(t, used, "package "+dir, "%d lines of code, at most %d", lines, maxPackage)
		}
	}
	for key := range exceptions {
		if !used[key] {
			t.Errorf("exception %q is not needed any more", key)
		}
	}
}

// codeLines counts the lines of a file that hold code: no blank ones, no comments.
func codeLines(s source) int {
	lines := map[int]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		if _, ok := n.(*ast.CommentGroup); ok {
			return false
		}
		lines[s.fset.Position(n.Pos()).Line] = true
		lines[s.fset.Position(n.End()).Line] = true
		return true
	})
	return len(lines)
}

func checkDecl(t *testing.T, used map[string]bool, s source, decl ast.Decl) {
	t.Helper()
	switch d := decl.(type) {
	case *ast.FuncDecl:
		n := s.fset.Position(d.End()).Line - s.fset.Position(d.Pos()).Line + 1
		if n > maxFunc {
			broken(t, used, "func "+s.path+":"+d.Name.Name, "%d lines, at most %d", n, maxFunc)
		}
		if d.Name.Name == "init" && d.Recv == nil {
			broken(t, used, "init "+s.path, "init functions register things behind the reader's back")
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			ts, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			it, ok := ts.Type.(*ast.InterfaceType)
			if !ok {
				continue
			}
			methods := 0
			for _, f := range it.Methods.List {
				methods += len(f.Names) // embedded interfaces have no names: composing is free
			}
			if methods > maxMethods {
				broken(t, used, "interface "+s.path+":"+ts.Name.Name, "%d methods, at most %d", methods, maxMethods)
			}
		}
	}
}

func TestNamesAndComments(t *testing.T) {
	documented := map[string]bool{}
	dirs := map[string]bool{}
	for _, s := range readSources(t) {
		if slices.Contains(badNames, path.Base(s.dir)) || slices.Contains(badNames, s.file.Name.Name) {
			t.Errorf("%s: a package named %q says nothing", s.path, s.file.Name.Name)
		}
		if s.test && s.dir != "e2e" && s.dir != "." {
			continue
		}
		dirs[s.dir] = true
		if s.file.Doc != nil && len(s.file.Doc.Text()) > 40 {
			documented[s.dir] = true
		}
	}
	for dir := range dirs {
		if !documented[dir] {
			t.Errorf("%s has no package comment", dir)
		}
	}
	for dir := range mayImport {
		if !dirs[dir] {
			t.Errorf("the import table has a row for %s, which does not exist", dir)
		}
	}
}

// TestArchitectureNamesRooms keeps docs/ARCHITECTURE.md true: every room is in it, and no room that is gone.
func TestArchitectureNamesRooms(t *testing.T) {
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:internal|cmd|bench|e2e|docs)[a-z0-9/]*)/?`").FindAllStringSubmatch(string(text), -1) {
		named[strings.TrimSuffix(m[1], "/")] = true
	}
	for dir := range mayImport {
		if !named[dir] {
			t.Errorf("docs/ARCHITECTURE.md does not name `%s`", dir)
		}
	}
	for dir := range named {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("docs/ARCHITECTURE.md names `%s`, which does not exist", dir)
		}
	}
}
