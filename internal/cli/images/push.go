package images

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source/image"
)

// atOnce is how many layers are sent side by side.
const atOnce = 3

func (a Access) options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithTransport(a), remote.WithAuthFromKeychain(a), remote.WithJobs(atOnce)}
}

// basesFor returns the images of a base by architecture, nil when ref is "".
func basesFor(ctx context.Context, a Access, ref string) (map[string]v1.Image, error) {
	if ref == "" {
		return nil, nil
	}
	parsed, err := image.Parse(ref)
	if err != nil {
		return nil, err
	}
	if parsed.Digest == "" {
		e := hub.Errorf(hub.Invalid, "the base image %s is not named by its digest, and may be another tomorrow", ref)
		if d, err := image.Resolve(ctx, parsed, a, a); err == nil {
			return nil, e.WithHint("--base %s", parsed.At(d))
		}
		return nil, e.WithHint("--base %s@sha256:...", parsed.Repository)
	}
	at, err := name.NewDigest(parsed.At(parsed.Digest), name.WeakValidation)
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "%.120q is not the name of a container image", ref).WithCause(err)
	}
	got, err := remote.Get(at, a.options(ctx)...)
	if err != nil {
		return nil, refused(err, "the base image "+ref+" cannot be had")
	}
	if !got.MediaType.IsIndex() {
		img, err := got.Image()
		if err != nil {
			return nil, err
		}
		conf, err := img.ConfigFile()
		if err != nil {
			return nil, refused(err, "the base image "+ref+" cannot be read")
		}
		return map[string]v1.Image{conf.Architecture: img}, nil
	}
	index, err := got.ImageIndex()
	if err != nil {
		return nil, err
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	out := map[string]v1.Image{}
	for _, m := range list.Manifests {
		if m.Platform == nil || m.Platform.OS != "linux" || !slices.Contains(slices.Collect(maps.Values(machines)), m.Platform.Architecture) {
			continue
		}
		if out[m.Platform.Architecture], err = index.Image(m.Digest); err != nil {
			return nil, refused(err, "the base image "+ref+" cannot be read")
		}
	}
	return out, nil
}

// Push sends an image to a repository under a tag. progress is told how many bytes are there of how many. Errors: Forbidden and Unauthenticated
// in the registry's words, Conflict when the tag has to stay what it is, Unavailable.
func Push(ctx context.Context, a Access, repository, tag string, img *Image, progress func(done, of int64)) error {
	to, err := name.NewTag(repository+":"+tag, name.WeakValidation)
	if err != nil {
		return hub.Errorf(hub.Invalid, "an image cannot be called %s:%s", repository, tag).WithCause(err)
	}
	updates := make(chan v1.Update, 64)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for u := range updates {
			if u.Error == nil {
				progress(u.Complete, u.Total)
			}
		}
	}()
	err = remote.WriteIndex(to, img.Index, append(a.options(ctx), remote.WithProgress(updates))...)
	<-told
	if err != nil {
		return refused(err, "the image "+to.String()+" was not pushed")
	}
	return nil
}

// refused tells why a registry did not do what it was asked to.
func refused(err error, what string) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return hub.Errorf(hub.Unavailable, "%s: %s", what, term.Clean(err.Error())).WithHint("try again").WithCause(err)
	}
	why := http.StatusText(t.StatusCode)
	if len(t.Errors) > 0 && t.Errors[0].Message != "" {
		why = term.Clean(t.Errors[0].Message)
	}
	kind, hint := hub.Unavailable, "try again"
	switch t.StatusCode {
	case http.StatusUnauthorized:
		kind, hint = hub.Unauthenticated, "mcpm login, for your hub; docker login, for another registry"
	case http.StatusForbidden, http.StatusMethodNotAllowed:
		kind, hint = hub.Forbidden, "mcpm whoami --images shows your namespaces, and what they may hold"
	case http.StatusNotFound:
		kind, hint = hub.NotFound, "see whether its name is right, and whether it is for you"
	case http.StatusConflict:
		kind, hint = hub.Conflict, "publish a new version"
	}
	return hub.Errorf(kind, "%s: %s", what, why).WithHint("%s", hint).WithCause(err)
}
