package author

import (
	"context"
	"path"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source"
	"github.com/mcphub/mcphub/internal/source/image"
)

// describe reads what an image says of itself. It is named by its digest from here on: what was described is what is started.
func (o *initOptions) describe(ctx context.Context) error {
	if len(o.env) > 0 || o.transport != "" {
		return app.Usage("--env and --transport do not go with --from-image, which reads both in the labels of the image").WithHint("leave them out, and edit mcp.json afterwards")
	}
	bar := o.IO.Progress("reading "+o.fromImage, 0)
	defer bar.Done()
	ref, digest, access, err := locate(ctx, o.App, o.fromImage)
	if err != nil {
		return err
	}
	labels, err := image.Labels(ctx, ref, digest, access, access)
	if err != nil {
		return err
	}
	bar.Done()
	m, warnings, err := source.FromLabels(ref.At(digest), labels)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		o.IO.Warnf("%s", app.Clean(w))
	}
	if labels[source.ToolkitLabel] == "" {
		o.IO.Warnf("%s has no label %s: what it wants to know and which hosts it asks for is for you to write", ref.Repository, source.ToolkitLabel)
	}
	if m.Name == "" {
		m.Name = path.Base(ref.Repository)
	}
	o.described = m
	return nil
}

// guess is what an image says of itself, else the directory.
func (o *initOptions) guess() guessed {
	if o.described == nil {
		return guess(o.Dir)
	}
	return guessed{Name: o.described.Name, Version: o.described.Version, Description: o.described.Description, License: o.described.License}
}

// image is the manifest of a described image, with what was said or asked about it.
func (o *initOptions) image(said *manifest.Manifest) *manifest.Manifest {
	m := *o.described
	m.Name, m.Version, m.Description, m.License = said.Name, said.Version, said.Description, said.License
	if said.Title != "" {
		m.Title = said.Title
	}
	return &m
}
