package export

import (
	"archive/zip"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// bundleManifest is manifest.json of an MCP bundle, version 0.3 of its format.
type bundleManifest struct {
	ManifestVersion string               `json:"manifest_version"`
	Name            string               `json:"name"`
	DisplayName     string               `json:"display_name,omitempty"`
	Version         string               `json:"version"`
	Description     string               `json:"description"`
	Author          bundleAuthor         `json:"author"`
	Homepage        string               `json:"homepage,omitempty"`
	Server          bundleServer         `json:"server"`
	Tools           []bundleTool         `json:"tools,omitempty"`
	License         string               `json:"license,omitempty"`
	UserConfig      map[string]bundleAsk `json:"user_config,omitempty"`
	Compatibility   *bundleCompatibility `json:"compatibility,omitempty"`
}

type bundleAuthor struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

type bundleServer struct {
	Type       string        `json:"type"`
	EntryPoint string        `json:"entry_point"`
	Config     bundleCommand `json:"mcp_config"`
}

type bundleCommand struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env,omitempty"`
}

type bundleTool struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// bundleAsk is a value that the host application asks for.
type bundleAsk struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
	Sensitive   bool   `json:"sensitive,omitempty"`
	Default     string `json:"default,omitempty"`
}

type bundleCompatibility struct {
	Platforms []string          `json:"platforms,omitempty"`
	Runtimes  map[string]string `json:"runtimes,omitempty"`
}

// mcpb writes one server with the files of its bundle, or with the packages of npm that were locked, each file read and
// compared. The same lockfile gives the same bytes.
func (o *exportOptions) mcpb(out io.Writer) error {
	if len(o.names) != 1 {
		return app.Usage("mcpb holds one server; %d are named", len(o.names)).WithHint("mcpm export NAME --format mcpb -o NAME.mcpb")
	}
	if (o.file == "" || o.file == "-") && o.IO.OutTTY {
		return app.Usage("mcpb is no text for a terminal").WithHint("mcpm export %s --format mcpb -o %s.mcpb", o.names[0], o.names[0].Base())
	}
	in, err := o.find(o.names[0])
	if err != nil {
		return err
	}
	m, dir, files, native, err := o.bundled(in)
	if err != nil {
		return in.Wrap(err)
	}
	if native { // it holds programs for this system
		m.Compatibility.Platforms = []string{map[string]string{"windows": "win32"}[o.OS]}
		if o.OS != "windows" {
			m.Compatibility.Platforms[0] = o.OS
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return pack(out, dir, append(text, '\n'), files)
}

// bundled describes a server as an MCP bundle, with the files that go into it and where they are. native says that some of
// them are programs of one system.
func (o *exportOptions) bundled(in *app.Installed) (m *bundleManifest, dir string, files []bundle.File, native bool, err error) {
	spec, own, err := o.ownFiles(in)
	if err != nil {
		return nil, "", nil, false, err
	}
	if own.Root != "" {
		files = o.withoutManifest(own.Files)
		m, err = o.ownManifest(in, spec, files)
		return m, own.Root, files, slices.ContainsFunc(files, func(f bundle.File) bool { return isProgram(own.Root, f) }), err
	}
	kept, pkg, err := o.keptNPM(in)
	if err != nil {
		return nil, "", nil, false, err
	}
	files, native, err = filesOf(kept.Dir)
	return o.bundleManifest(in, kept, pkg), kept.Dir, files, native, err
}

// keptNPM returns the first entry of a server that starts a package of npm.
func (o *exportOptions) keptNPM(in *app.Installed) (*app.Kept, *model.Package, error) {
	for _, key := range slices.Sorted(maps.Keys(in.Manifest.Servers)) {
		spec := in.Manifest.Servers[key]
		r, ok, err := manifest.RunnerIn(in.Manifest, spec)
		if err != nil || !ok || r.Type != model.RegistryTypeNPM {
			continue
		}
		kept, err := o.KeptNPM(in.Locked, in.Manifest, spec)
		if err != nil {
			return nil, nil, err
		}
		one := *in.Manifest // an entry with a command of npx has its arguments only as a package of server.json
		one.Servers = map[string]manifest.ServerSpec{key: spec}
		if sj, _ := one.ServerJSON(); len(sj.Packages) == 1 {
			return kept, &sj.Packages[0], nil
		}
	}
	return nil, nil, hub.Errorf(hub.Invalid, "%s %s has no files of its own and is no package of npm, and no other is written as mcpb", in.Name, in.Locked.Version).
		WithHint("mcpm run %s starts it", in.Name)
}

// aboutBundle is the manifest of an MCP bundle without what starts it.
func aboutBundle(in *app.Installed) *bundleManifest {
	about := in.Manifest
	b := &bundleManifest{
		ManifestVersion: "0.3", Name: in.Name.Base(), DisplayName: about.Title, Version: in.Locked.Version, Description: app.First(about.Description, in.Name.String()),
		Author: bundleAuthor{Name: in.Locked.Of(in.Name).Scope()}, Homepage: webURL(about.Homepage), License: licenseOf(about.License), UserConfig: map[string]bundleAsk{},
		Compatibility: &bundleCompatibility{},
	}
	if a := about.Author; a != nil && a.Name != "" {
		b.Author = bundleAuthor{a.Name, a.Email, webURL(a.URL)}
	}
	if node := about.Engines["node"]; node != "" {
		b.Compatibility.Runtimes = map[string]string{"node": node}
	}
	for _, c := range manifest.CapabilitiesOf(about) {
		if c.Type == hub.Tool {
			b.Tools = append(b.Tools, bundleTool{c.Name, c.Description})
		}
	}
	return b
}

func (o *exportOptions) bundleManifest(in *app.Installed, kept *app.Kept, pkg *model.Package) *bundleManifest {
	b := aboutBundle(in)
	b.Server = bundleServer{Type: "node", EntryPoint: kept.Program, Config: bundleCommand{Command: "node", Args: []string{"${__dirname}/" + kept.Program}, Env: map[string]string{}}}
	for _, e := range pkg.EnvironmentVariables {
		if text, ok := b.fill(e.Name, e.InputWithVariables, true); ok {
			b.Server.Config.Env[e.Name] = text
		}
	}
	for _, a := range pkg.PackageArguments {
		text, ok := b.fill(app.First(a.ValueHint, strings.TrimLeft(a.Name, "-")), a.InputWithVariables, false)
		switch {
		case ok && a.Type == model.ArgumentTypeNamed:
			b.Server.Config.Args = append(b.Server.Config.Args, a.Name, text)
		case ok:
			b.Server.Config.Args = append(b.Server.Config.Args, text)
		case isFlag(a):
			b.Server.Config.Args = append(b.Server.Config.Args, a.Name)
		default:
			o.IO.Warnf("the argument %s is left out: it may be missing, which mcpb cannot say", app.First(a.Name, a.ValueHint))
		}
	}
	return b
}

// fill writes an input as the host application fills it in, and notes what is to be asked for. A value that may be
// missing is only written where optional is true.
func (b *bundleManifest) fill(name string, in model.InputWithVariables, optional bool) (string, bool) {
	if in.Value == "" {
		return b.ask(name, in.Input, optional)
	}
	whole := true
	text := templateRE.ReplaceAllStringFunc(in.Value, func(s string) string {
		key := s[1 : len(s)-1]
		v, ok := in.Variables[key]
		if !ok {
			return s
		}
		filled, ok := b.ask(key, v, optional)
		whole = whole && ok
		return filled
	})
	return text, whole
}

func (b *bundleManifest) ask(name string, in model.Input, optional bool) (string, bool) {
	if in.Value != "" {
		return in.Value, true
	}
	if !in.IsRequired && in.Default == "" && !optional {
		return "", false
	}
	key := strings.ToLower(variableName(name))
	ask := bundleAsk{Type: "string", Title: name, Description: app.First(in.Description, name), Required: in.IsRequired && in.Default == "", Sensitive: in.IsSecret, Default: in.Default}
	if in.Format == model.FormatFilePath {
		ask.Type = "file"
	}
	b.UserConfig[key] = ask
	return "${user_config." + key + "}", true
}

// filesOf returns the files of a tree, sorted, with slashes; native says that some of them are programs of one system.
// What starts a package by its name is left out: an archive for every system holds no links.
func filesOf(dir string) (files []bundle.File, native bool, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".bin" && path.Base(filepath.ToSlash(filepath.Dir(p))) == "node_modules":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		native = native || slices.Contains([]string{".node", ".so", ".dylib", ".dll", ".exe"}, strings.ToLower(filepath.Ext(p)))
		files = append(files, bundle.File{Path: filepath.ToSlash(rel), Mode: 0o644})
		return nil
	})
	slices.SortFunc(files, func(a, b bundle.File) int { return strings.Compare(a.Path, b.Path) })
	return files, native, err
}

// pack writes the archive. Times are those of nobody, so that the same files are the same bytes.
func pack(out io.Writer, dir string, text []byte, files []bundle.File) error {
	z := zip.NewWriter(out)
	add := func(name string, mode fs.FileMode, r io.Reader) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return err
	}
	if err := add(mcpbManifest, 0o644, strings.NewReader(string(text))); err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(file.Path)))
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if file.Mode&0o111 != 0 {
			mode = 0o755
		}
		err = add(file.Path, mode, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return z.Close()
}
