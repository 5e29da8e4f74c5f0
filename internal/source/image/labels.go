package image

import (
	"context"
	"net/http"
	"runtime"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/mcphub/mcphub/internal/hub"
)

// maxConfig is the size in bytes of the largest image configuration that is read.
const maxConfig = 1 << 20

// Labels asks the image's registry for the labels of the image with a digest. Of an image for several platforms they are
// those of this machine's processor, else of amd64. NotFound and Unavailable as of Resolve; Invalid when the image is
// not one that runs, or says of itself more than 1 MiB.
func Labels(ctx context.Context, r Reference, digest string, rt http.RoundTripper, keys authn.Keychain) (map[string]string, error) {
	at, err := name.NewDigest(r.At(digest), name.WeakValidation)
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "%.200q is not the name of a container image", r.At(digest)).WithCause(err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := remote.Get(at, remote.WithContext(ctx), remote.WithTransport(rt), remote.WithAuthFromKeychain(keys))
	if err != nil {
		return nil, unanswered(at, err)
	}
	img, err := found.Image()
	if found.MediaType.IsIndex() {
		img, err = platform(found)
	}
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s is no image of a program for Linux: %v", at, err).WithCause(err)
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, unanswered(at, err)
	}
	if m.Config.Size > maxConfig || !m.Config.MediaType.IsConfig() {
		return nil, hub.Errorf(hub.Invalid, "%s has a configuration of %d bytes and the type %.80q; an image that can be started has one of at most %d bytes", at, m.Config.Size, string(m.Config.MediaType), maxConfig)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, unanswered(at, err)
	}
	return config.Config.Labels, nil
}

// platform chooses one of an image for several.
func platform(found *remote.Descriptor) (v1.Image, error) {
	index, err := found.ImageIndex()
	if err != nil {
		return nil, err
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, arch := range []string{runtime.GOARCH, "amd64"} {
		for _, one := range list.Manifests {
			if one.MediaType.IsImage() && one.Platform != nil && one.Platform.OS == "linux" && one.Platform.Architecture == arch {
				return index.Image(one.Digest)
			}
		}
	}
	return nil, hub.Errorf(hub.Invalid, "it has none for %s or amd64", runtime.GOARCH)
}
