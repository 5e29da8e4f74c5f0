package images

import (
	"context"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
)

// Home is where the files of a server are in an image that was assembled.
const Home = "/app"

// nobody is the user that assembled images start as: one that no system has a name for.
const nobody = "65532:65532"

// Recipe is what an image is assembled from, without an engine: the files of a server on a base image, or on nothing when it
// is a program that needs nothing.
type Recipe struct {
	Root    string // directory of the files
	Files   []bundle.File
	Command string   // as in mcp.json: a file, as a relative path or below ${bundle}, or a program of the base
	Args    []string // ${bundle} stands for the directory of the files
	Base    string   // image by digest, "" for none
	Labels  map[string]string
}

// Image is one that is ready to be pushed.
type Image struct {
	Index     v1.ImageIndex
	Digest    string   // of the index
	Platforms []string // "linux/amd64"
	Rest      []string // arguments that are given when it is started, because values go into them
}

// Assemble makes an index with an image for each platform that the program, or else the base, is for. The same recipe makes the same bytes.
// Invalid when what is started needs a base that is not named, or one by digest, or is for another system.
func Assemble(ctx context.Context, a Access, r Recipe) (*Image, error) {
	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file := ProjectFile(r.Command)
	builds, err := r.builds(root, file)
	if err != nil {
		return nil, err
	}
	bases, err := basesFor(ctx, a, r.Base)
	if err != nil {
		return nil, err
	}
	out := &Image{}
	entry := []string{r.Command}
	if file != "" {
		entry[0] = path.Join(Home, file)
	}
	fixed, rest := Split(r.Args)
	entry, out.Rest = append(entry, fixed...), rest
	out.Index = empty.Index
	for _, arch := range slices.Sorted(maps.Values(machines)) {
		base, files := bases[arch], r.Files
		if r.Base == "" {
			base = empty.Image
		}
		if builds != nil {
			files = builds[arch]
		}
		if base == nil || files == nil || !fits(root, files, arch) {
			continue
		}
		img, err := r.image(base, arch, files, entry)
		if err != nil {
			return nil, err
		}
		if out.Index, err = add(out.Index, img, arch); err != nil {
			return nil, err
		}
		out.Platforms = append(out.Platforms, "linux/"+arch)
	}
	if len(out.Platforms) == 0 {
		return nil, hub.Errorf(hub.Invalid, "base, program and files are for no platform in common").
			WithHint("the base, %s, and every compiled file have to be for linux/amd64 or linux/arm64", r.Base)
	}
	d, err := out.Index.Digest()
	out.Digest = d.String()
	return out, err
}

// ProjectFile returns the file of a project that a command starts, "" when it starts a program of the system.
func ProjectFile(command string) string {
	if rest, ok := strings.CutPrefix(command, "${bundle}/"); ok {
		return path.Clean(rest)
	}
	if strings.Contains(command, "/") && !path.IsAbs(command) && !strings.HasPrefix(command, "~") && !strings.HasPrefix(command, "${") {
		return path.Clean(command)
	}
	return ""
}

// Split cuts arguments in two at the first that a value goes into, which an image cannot hold, and says where the files of the
// server are.
func Split(args []string) (fixed, rest []string) {
	for _, arg := range args {
		arg = Inside(arg)
		if rest != nil || strings.Contains(arg, "${") {
			rest = append(rest, arg)
			continue
		}
		fixed = append(fixed, arg)
	}
	return fixed, rest
}

// Inside says where in an image a text of mcp.json means.
func Inside(text string) string { return strings.ReplaceAll(text, "${bundle}", Home) }

// builds finds the program of each platform, with all files that go with it: file itself, and what is beside it as "NAME-linux-arm64".
// Nil when file is no compiled program, and so the same for all.
func (r Recipe) builds(root *os.Root, file string) (map[string][]bundle.File, error) {
	programs := map[string]bundle.File{}
	var others []bundle.File
	for _, f := range r.Files {
		is := file != "" && f.Path == file
		arch := ""
		for _, m := range machines {
			for _, suffix := range []string{"-linux-" + m, "_linux_" + m} {
				if file != "" && f.Path == file+suffix {
					is, arch = true, m
				}
			}
		}
		if !is {
			others = append(others, f)
			continue
		}
		p, compiled := readELF(root, f.Path)
		switch {
		case !compiled && arch == "" && r.Base != "":
			return nil, nil // a script, for all platforms of the base
		case !compiled || p.arch == "":
			return nil, hub.Errorf(hub.Invalid, "%s is no program for Linux on amd64 or arm64", f.Path).
				WithHint("build it with GOOS=linux, or name with --base the image that starts it")
		case arch != "" && arch != p.arch:
			return nil, hub.Errorf(hub.Invalid, "%s is a program for %s", f.Path, p.arch).WithHint("build it with GOARCH=%s", arch)
		case p.loader && r.Base == "":
			return nil, hub.Errorf(hub.Invalid, "%s needs libraries of the system, and its image has none", f.Path).
				WithHint("build it with CGO_ENABLED=0, or name with --base an image that has them")
		}
		if _, taken := programs[p.arch]; !taken || arch != "" {
			programs[p.arch] = f
		}
	}
	if len(programs) == 0 {
		if r.Base != "" {
			return nil, nil
		}
		return nil, hub.Errorf(hub.Invalid, "it is started with %q, which is not among its files, and no base image is named that has it", r.Command).
			WithHint("--base IMAGE@sha256:..., for example of node or python")
	}
	out := map[string][]bundle.File{}
	for arch, f := range programs {
		renamed := bundle.File{Path: file, Size: f.Size, Mode: 0o755}
		if f.Path == file {
			out[arch] = append(slices.Clone(others), renamed)
			continue
		}
		in, err := root.ReadFile(f.Path)
		if err != nil {
			return nil, err
		}
		renamed.Content, renamed.Size = in, int64(len(in))
		out[arch] = append(slices.Clone(others), renamed)
	}
	return out, nil
}

// fits reports whether no compiled file is for another platform: packages of npm and PyPI bring such.
func fits(root *os.Root, files []bundle.File, arch string) bool {
	for _, f := range files {
		if f.Content != nil {
			continue // looked at before
		}
		if p, compiled := readELF(root, f.Path); compiled && p.arch != arch {
			return false
		}
	}
	return true
}

func (r Recipe) image(base v1.Image, arch string, files []bundle.File, entry []string) (v1.Image, error) {
	kind, err := base.MediaType()
	if err != nil {
		return nil, err
	}
	layerType := types.DockerLayer
	if r.Base == "" {
		base = mutate.ConfigMediaType(mutate.MediaType(base, types.OCIManifestSchema1), types.OCIConfigJSON)
		kind = types.OCIManifestSchema1
	}
	if kind == types.OCIManifestSchema1 {
		layerType = types.OCILayer
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		in, out := io.Pipe()
		go func() { out.CloseWithError(bundle.WriteTar(out, r.Root, strings.TrimPrefix(Home, "/")+"/", files)) }()
		return in, nil
	}, tarball.WithMediaType(layerType))
	if err != nil {
		return nil, err
	}
	beginning := v1.Time{Time: time.Unix(0, 0).UTC()}
	img, err := mutate.Append(base, mutate.Addendum{Layer: layer, MediaType: layerType, History: v1.History{Created: beginning, CreatedBy: "mcpm"}})
	if err != nil {
		return nil, err
	}
	old, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	conf := old.DeepCopy()
	conf.OS, conf.Architecture, conf.Created, conf.Author, conf.Container = "linux", arch, beginning, "", ""
	conf.Config.Entrypoint, conf.Config.Cmd, conf.Config.WorkingDir, conf.Config.User = entry, nil, Home, nobody
	conf.Config.Labels = with(conf.Config.Labels, r.Labels)
	return mutate.ConfigFile(img, conf)
}

func with(all, more map[string]string) map[string]string {
	out := maps.Clone(all)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, more)
	return out
}

// add puts an image into an index.
func add(index v1.ImageIndex, img v1.Image, arch string) (v1.ImageIndex, error) {
	kind, err := img.MediaType()
	if err != nil {
		return nil, err
	}
	return mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{MediaType: kind, Platform: &v1.Platform{OS: "linux", Architecture: arch}}}), nil
}
