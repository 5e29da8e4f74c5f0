package export

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// mcpbManifest is where an MCP bundle says what it is.
const mcpbManifest = "manifest.json"

// ownFiles returns the first entry of a server that starts files of its own bundle, and the list of them; none of that
// where no entry does.
func (o *exportOptions) ownFiles(in *app.Installed) (spec manifest.ServerSpec, r images.Recipe, err error) {
	for _, key := range slices.Sorted(maps.Keys(in.Manifest.Servers)) {
		spec := in.Manifest.Servers[key]
		if in.Bundle == "" || !spec.NeedsBundle() {
			continue
		}
		h, err := o.Store()
		if err != nil {
			return spec, r, err
		}
		_, added, err := h.OpenBundle(*in.Locked.Bundle())
		if err != nil {
			return spec, r, err
		}
		r.Root, r.Command, r.Args = in.Bundle, spec.Command, spec.Args
		return spec, r, list(&r, added)
	}
	return spec, r, nil
}

// ownManifest describes a server that is started from the files of its own bundle. Invalid where nothing starts it that
// the format knows.
func (o *exportOptions) ownManifest(in *app.Installed, spec manifest.ServerSpec, files []bundle.File) (*bundleManifest, error) {
	b := aboutBundle(in)
	f := &ownFiller{b: b, in: in, inputs: app.Needed(in.Manifest, spec, ".", "."), files: files}
	args, err := f.args(spec.Args)
	if err != nil {
		return nil, err
	}
	for _, arg := range f.left {
		o.IO.Warnf("the argument %s is left out: it may be missing, which mcpb cannot say", app.Clean(arg))
	}
	b.Server.Config = bundleCommand{Command: spec.Command, Args: args, Env: map[string]string{}}
	program := strings.TrimSuffix(path.Base(spec.Command), ".exe")
	switch file := f.file(spec.Command); {
	case file != "":
		b.Server.Type, b.Server.EntryPoint, b.Server.Config.Command = "binary", file, "${__dirname}/"+file
	case program == "node":
		b.Server.Type, b.Server.EntryPoint = "node", f.firstFile(spec.Args)
	case strings.HasPrefix(program, "python"):
		b.Server.Type, b.Server.EntryPoint = "python", f.firstFile(spec.Args)
	}
	if b.Server.EntryPoint == "" {
		return nil, hub.Errorf(hub.Invalid, "%s %s is started by %q, and mcpb knows programs of the bundle, node and Python with a file of it", in.Name, in.Locked.Version, app.Short(spec.Command)).
			WithHint("mcpm run %s starts it", in.Name)
	}
	for name, text := range spec.Env {
		if b.Server.Config.Env[name], _, err = f.fill(text, true); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// ownFiller writes the words of a command as a host application fills them in.
type ownFiller struct {
	b      *bundleManifest
	in     *app.Installed
	inputs []app.Input
	files  []bundle.File
	left   []string // arguments that may be missing
}

// file returns the file of the bundle that a word names, "" when it names none.
func (f *ownFiller) file(word string) string {
	word = path.Clean(strings.TrimPrefix(word, "${bundle}/"))
	if slices.ContainsFunc(f.files, func(x bundle.File) bool { return x.Path == word }) {
		return word
	}
	return ""
}

func (f *ownFiller) firstFile(args []string) string {
	for _, a := range args {
		if name := f.file(a); name != "" {
			return name
		}
	}
	return ""
}

func (f *ownFiller) args(words []string) ([]string, error) {
	out := []string{}
	for _, word := range words {
		if name := f.file(word); name != "" { // nobody sets the directory that a host application starts it in
			out = append(out, "${__dirname}/"+name)
			continue
		}
		text, whole, err := f.fill(word, false)
		switch {
		case err != nil:
			return nil, err
		case !whole:
			f.left = append(f.left, word)
		default:
			out = append(out, text)
		}
	}
	return out, nil
}

// fill puts the words of the format in place of ours. whole is false when a value is part of it that may be missing,
// unless optional allows that.
func (f *ownFiller) fill(text string, optional bool) (filled string, whole bool, err error) {
	whole = true
	filled = manifest.Expand(text, func(name string) string {
		i := slices.IndexFunc(f.inputs, func(in app.Input) bool { return in.Name == name })
		switch {
		case name == "bundle":
			return "${__dirname}"
		case name == "HOME":
			return "${HOME}"
		case name == "name":
			return f.in.Manifest.Name
		case name == "version":
			return f.in.Manifest.Version
		case i < 0 && manifest.KnownVariable(name):
			err = hub.Errorf(hub.Invalid, "%s %s wants ${%s}, which mcpb does not have", f.in.Name, f.in.Locked.Version, name).WithHint("mcpm run %s starts it", f.in.Name)
			return ""
		case i < 0:
			return f.b.want(app.Input{Name: name, Input: manifest.Input{Required: true}})
		case !f.inputs[i].Required && f.inputs[i].Default == "" && !optional:
			whole = false
			return ""
		}
		return f.b.want(f.inputs[i])
	})
	return filled, whole, err
}

// want notes a value that the host application asks for, and returns what it puts in its place.
func (b *bundleManifest) want(in app.Input) string {
	key := strings.ToLower(variableName(in.Name))
	ask := bundleAsk{Type: "string", Title: in.Name, Description: app.First(in.Description, in.Name), Required: in.Required && in.Default == "", Sensitive: in.Secret, Default: in.Default}
	switch in.Type { // the default of the others would have to be no string
	case "filepath":
		ask.Type = "file"
	}
	b.UserConfig[key] = ask
	return "${user_config." + key + "}"
}

// withoutManifest leaves out a manifest.json of the server's own, whose place is taken.
func (o *exportOptions) withoutManifest(files []bundle.File) []bundle.File {
	return slices.DeleteFunc(files, func(f bundle.File) bool {
		if f.Path == mcpbManifest {
			o.IO.Warnf("its own %s is left out: the one of the bundle takes its place", mcpbManifest)
		}
		return f.Path == mcpbManifest
	})
}

// isProgram reports whether a file begins as programs of Linux, macOS or Windows do.
func isProgram(dir string, f bundle.File) bool {
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, 4)
	n, _ := file.Read(head) // what is shorter is none
	for _, magic := range []string{"\x7fELF", "MZ", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xca\xfe\xba\xbe"} {
		if strings.HasPrefix(string(head[:n]), magic) {
			return true
		}
	}
	return false
}
