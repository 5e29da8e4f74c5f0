package images

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// maxBuilt is how large an image may be that an engine built, in bytes on disk.
const maxBuilt = 16 << 30

// Build has an engine build the Dockerfile among the files of a recipe, for the platform of the engine. What it builds is kept in a
// file until close is called. Invalid when the Dockerfile cannot be built, or starts nothing.
func Build(ctx context.Context, client *engine.Client, r Recipe, told func(string)) (img *Image, done func(), err error) {
	called := "mcpm-build:" + strings.ToLower(rand.Text())
	in, out := io.Pipe()
	defer in.Close()
	go func() { out.CloseWithError(bundle.WriteTar(out, r.Root, "", r.Files)) }()
	if err := client.Build(ctx, in, called, told); err != nil {
		return nil, nil, hub.Errorf(hub.Invalid, "its Dockerfile cannot be built: %s", term.Clean(err.Error())).
			WithHint("--assemble makes the image without it").WithCause(err)
	}
	defer func() { _ = client.RemoveImage(context.WithoutCancel(ctx), called) }()
	file, err := os.CreateTemp("", "mcpm-image-*.tar")
	if err != nil {
		return nil, nil, err
	}
	done = func() { file.Close(); os.Remove(file.Name()) }
	if img, err = saved(ctx, client, called, file, r); err != nil {
		done()
		return nil, nil, err
	}
	return img, done, nil
}

// saved reads an image that an engine built.
func saved(ctx context.Context, client *engine.Client, called string, file *os.File, r Recipe) (*Image, error) {
	if err := client.Save(ctx, called, file, maxBuilt); err != nil {
		return nil, hub.Errorf(hub.Unavailable, "the image that was built cannot be had from the engine: %v", err).WithCause(err)
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	tag, err := name.NewTag(called)
	if err != nil {
		return nil, err
	}
	built, err := tarball.ImageFromPath(file.Name(), &tag)
	if err != nil { // Podman writes the name with a registry of its own
		if built, err = tarball.ImageFromPath(file.Name(), nil); err != nil {
			return nil, err
		}
	}
	conf, err := built.ConfigFile()
	if err != nil {
		return nil, err
	}
	if len(conf.Config.Entrypoint) == 0 && len(conf.Config.Cmd) == 0 {
		return nil, hub.Errorf(hub.Invalid, "the Dockerfile does not say what is started").WithHint(`add a line such as ENTRYPOINT ["/weather"]`)
	}
	conf = conf.DeepCopy()
	conf.Config.Labels = with(conf.Config.Labels, r.Labels)
	labelled, err := mutate.ConfigFile(built, conf)
	if err != nil {
		return nil, err
	}
	return single(labelled, conf, r)
}

// single makes an index of one image.
func single(img v1.Image, conf *v1.ConfigFile, r Recipe) (*Image, error) {
	index, err := add(empty.Index, img, conf.Architecture)
	if err != nil {
		return nil, err
	}
	d, err := index.Digest()
	if err != nil {
		return nil, err
	}
	_, rest := Split(r.Args)
	return &Image{Index: index, Digest: d.String(), Platforms: []string{"linux/" + conf.Architecture}, Rest: rest}, nil
}
