package author

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/image"
)

// imageEntry returns the key of the entry that is published as a container image; false when mcp.json does not ask for one,
// or starts one that is there already.
func imageEntry(m *manifest.Manifest) (string, bool, error) {
	if m.Runtime != "docker" {
		return "", false, nil
	}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		if c := filepath.Base(m.Servers[key].Command); c != "." && c != "docker" && c != "podman" {
			keys = append(keys, key)
		}
	}
	if len(keys) > 1 {
		return "", false, app.Usage("\"runtime\": \"docker\" makes one image, and mcp.json starts %s by command", app.AndList(keys)).
			WithHint("leave one of them in it")
	}
	return strings.Join(keys, ""), len(keys) == 1, nil
}

// image makes the image of a server and puts it in place of the command that mcp.json has, where it asks for one.
func (o *publishOptions) image(ctx context.Context, p *parcel) error {
	key, wanted, err := imageEntry(p.manifest)
	if o.fromImage != "" {
		return o.existing(ctx, p, key)
	}
	if err != nil || !wanted {
		if err == nil && (o.base != "" || o.assemble) {
			err = app.Usage("--base and --assemble are for a project with \"runtime\": \"docker\" and a command")
		}
		return err
	}
	files, err := o.choose(p)
	if err != nil {
		return err
	}
	p.files = files
	spec := p.manifest.Servers[key]
	r := images.Recipe{Root: p.project.Dir, Files: files, Command: spec.Command, Args: spec.Args, Base: o.base, Labels: labels(p.manifest)}
	if err := o.make(ctx, p, r); err != nil {
		return err
	}
	s, err := o.Settings()
	if err != nil {
		return err
	}
	p.repository = images.HostOf(s.RegistryFor(p.name)) + "/" + string(p.name)
	p.started(key, image.Reference{Repository: p.repository}.At(p.image.Digest), p.image.Rest)
	return nil
}

// make builds the Dockerfile where there is one, and else assembles the image.
func (o *publishOptions) make(ctx context.Context, p *parcel, r images.Recipe) (err error) {
	dockerfile := func(f bundle.File) bool { return f.Path == "Dockerfile" }
	if o.assemble || !slices.ContainsFunc(r.Files, dockerfile) {
		access, err := o.ImageAccess()
		if err != nil {
			return err
		}
		r.Files = slices.DeleteFunc(slices.Clone(r.Files), dockerfile)
		p.image, err = images.Assemble(ctx, access, r)
		return err
	}
	if o.base != "" {
		return app.Usage("--base has no meaning beside a Dockerfile, which names its own").WithHint("add --assemble to make the image without the Dockerfile")
	}
	client, err := o.Engine()
	if err != nil {
		return hub.Errorf(hub.Unavailable, "its Dockerfile needs a container engine: %v", err).
			WithHint("start Docker or Podman, or make the image without it: mcpm publish --assemble").WithCause(err)
	}
	defer client.Close()
	bar := o.IO.Progress("building", 0)
	defer bar.Done()
	p.image, p.unbuild, err = images.Build(ctx, client, r, func(said string) { o.IO.Debugf("%s\n", app.Clean(said)) })
	return err
}

// locate finds out which bytes the name of an image stands for, and how they are had.
func locate(ctx context.Context, a *app.App, name string) (ref image.Reference, digest string, access images.Access, err error) {
	if ref, err = image.Parse(name); err != nil {
		return ref, "", access, err
	}
	if access, err = a.ImageAccess(); err != nil {
		return ref, "", access, err
	}
	digest, err = image.Resolve(ctx, ref, access, access)
	return ref, digest, access, err
}

// existing publishes an image that is in a registry already.
func (o *publishOptions) existing(ctx context.Context, p *parcel, key string) error {
	ref, digest, _, err := locate(ctx, o.App, o.fromImage)
	if err != nil {
		return err
	}
	if key == "" {
		if len(p.manifest.Servers) > 1 {
			return app.Usage("--from-image is for a server with one entry; mcp.json has %d", len(p.manifest.Servers)).WithHint("leave one of them in it")
		}
		for key = range p.manifest.Servers { //nolint:revive // there is one at the most
		}
		key = app.First(key, "default")
	}
	spec := p.manifest.Servers[key]
	args := spec.Args
	if at, ok := image.In(spec.Command, args); ok { // it is started from an image already: this one takes its place
		args = args[at+1:]
	} else {
		_, args = images.Split(args)
	}
	p.started(key, ref.At(digest), args)
	return nil
}

// started has an entry start an image with these arguments.
func (p *parcel) started(key, ref string, args []string) {
	m := *p.manifest
	m.Servers = maps.Clone(m.Servers)
	if m.Servers == nil {
		m.Servers = map[string]manifest.ServerSpec{}
	}
	spec := m.Servers[key]
	spec.Env = maps.Clone(spec.Env)
	run := []string{"run", "-i", "--rm"}
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		spec.Env[name] = images.Inside(spec.Env[name])
		run = append(run, "-e", name)
	}
	spec.Command, spec.Package, spec.Args = "docker", nil, append(append(run, ref), args...)
	m.Servers[key] = spec
	p.manifest, p.canonical, p.reference = &m, m.Canonical(), ref
}

// labels say in an image what it is.
func labels(m *manifest.Manifest) map[string]string {
	out := map[string]string{
		"io.modelcontextprotocol.server.name": strings.TrimPrefix(m.Name, "@"), // the official registry asks for it
		"org.opencontainers.image.version":    m.Version,
	}
	put := func(name, value string) {
		if value != "" {
			out["org.opencontainers.image."+name] = value
		}
	}
	put("title", m.Title)
	put("description", m.Description)
	put("licenses", m.License)
	put("url", m.Homepage)
	if m.Repository != nil {
		put("source", m.Repository.URL)
	}
	return out
}

// pushImage sends the image to the hub, which keeps what it has.
func (o *publishOptions) pushImage(ctx context.Context, p *parcel) error {
	if p.image == nil {
		return nil
	}
	access, err := o.ImageAccess()
	if err != nil {
		return err
	}
	m := images.Meter{IO: o.IO, Label: "pushing"}
	defer m.Done()
	if err := images.Push(ctx, access, p.repository, strings.ReplaceAll(p.manifest.Version, "+", "-"), p.image, m.Set); err != nil {
		return err
	}
	m.Done()
	o.step("pushed", "%s:%s", p.repository, strings.ReplaceAll(p.manifest.Version, "+", "-"))
	return nil
}
