package export

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/hub"
)

// oci writes one server as an image, from the bytes that were locked, to a file.
func (o *exportOptions) oci(ctx context.Context, file string) error {
	if len(o.names) != 1 {
		return app.Usage("an image holds one server; %d are named", len(o.names)).WithHint("mcpm export NAME --format oci -o NAME.tar")
	}
	if file == "" {
		return app.Usage("an image is written to a file").WithHint("mcpm export %s --format oci -o %s.tar", o.names[0], o.names[0].Base())
	}
	in, err := o.find(o.names[0])
	if err != nil {
		return err
	}
	r, err := o.recipe(in)
	if err != nil {
		return in.Wrap(err)
	}
	access, err := o.ImageAccess()
	if err != nil {
		return err
	}
	img, err := images.Assemble(ctx, access, r)
	if err != nil {
		return in.Wrap(err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".mcpm-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	err = images.Archive(img, in.Locked.Version, temp)
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(temp.Name(), 0o644); err != nil { // an image is for everybody
		return err
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return err
	}
	if len(img.Rest) > 0 {
		o.IO.Warnf("give it these arguments when it is started: %s", app.Clean(strings.Join(img.Rest, " ")))
	}
	o.IO.Notef("Wrote %s, %s, %s.\n", file, strings.Join(img.Platforms, " and "), img.Digest)
	return nil
}

// recipe says what the image of a locked server is made from: the files of its bundle, or its packages of npm.
func (o *exportOptions) recipe(in *app.Installed) (images.Recipe, error) {
	r := images.Recipe{Base: o.base, Labels: map[string]string{
		"io.modelcontextprotocol.server.name": strings.TrimPrefix(in.Manifest.Name, "@"), "org.opencontainers.image.version": in.Locked.Version,
	}}
	for _, key := range slices.Sorted(maps.Keys(in.Manifest.Servers)) {
		spec := in.Manifest.Servers[key]
		if ref, ok, err := programs.ImageIn(in.Manifest, spec); err == nil && ok {
			return r, hub.Errorf(hub.Invalid, "it is an image already").WithHint("skopeo copy docker://%s oci-archive:%s", ref.At(programs.LockedImage(in.Locked, ref)), in.Name.Base()+".tar")
		}
	}
	if _, own, err := o.ownFiles(in); err != nil || own.Root != "" {
		r.Root, r.Command, r.Args, r.Files = own.Root, own.Command, own.Args, own.Files
		return r, err
	}
	kept, pkg, err := o.keptNPM(in)
	if hub.KindOf(err) == hub.Invalid {
		return o.python(in, r)
	}
	if err != nil {
		return r, err
	}
	if len(pkg.PackageArguments) > 0 {
		o.IO.Warnf("give it the arguments when it is started that its package takes: mcpm info %s", in.Name)
	}
	r.Root, r.Command, r.Args = kept.Dir, "node", []string{"${bundle}/" + kept.Program}
	return r, list(&r, nil)
}

// python is the recipe of a server that is a package of PyPI.
func (o *exportOptions) python(in *app.Installed, r images.Recipe) (images.Recipe, error) {
	for _, key := range slices.Sorted(maps.Keys(in.Manifest.Servers)) {
		kept, err := o.KeptPyPI(in.Locked, in.Manifest, in.Manifest.Servers[key], "${bundle}")
		if hub.KindOf(err) == hub.Invalid {
			continue
		}
		if err != nil {
			return r, err
		}
		o.IO.Warnf("its packages were installed for %s; the base has to have that Python", kept.Runtime)
		r.Root, r.Command, r.Args = kept.Dir, "python3", kept.Args
		return r, list(&r, nil)
	}
	return r, hub.Errorf(hub.Invalid, "it has no files of its own and is no package of npm or PyPI, and no other is written as an image").WithHint("mcpm run %s starts it", in.Name)
}

// list lists the files of a server in the store but those that were added since. Links in it are left out: the store makes none.
func list(r *images.Recipe, added []string) error {
	return filepath.WalkDir(r.Root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(r.Root, path)
		if slices.Contains(added, rel) {
			return nil
		}
		r.Files = append(r.Files, bundle.File{Path: filepath.ToSlash(rel), Size: info.Size(), Mode: info.Mode().Perm()})
		return err
	})
}
