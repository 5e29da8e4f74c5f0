// Package image finds out which bytes the name of a container image stands for.
package image

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/mcphub/mcphub/internal/hub"
)

// timeout bounds all requests for one image.
const timeout = 30 * time.Second

// Reference is a container image by name.
type Reference struct {
	Repository string // with its registry, as docker writes it: "ghcr.io/acme/db"
	Tag        string // "" when a digest is named
	Digest     string // "sha256:..." when one is named
}

// Parse reads a reference as docker does: without a registry it is of the default one, without a tag "latest". Invalid
// when it is none.
func Parse(ref string) (Reference, error) {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil || strings.HasPrefix(ref, "-") { // an option of docker
		return Reference{}, hub.Errorf(hub.Invalid, "%.120q is not the name of a container image", ref)
	}
	repository := parsed.Context().Name()
	if d, ok := parsed.(name.Digest); ok {
		return Reference{Repository: repository, Digest: d.DigestStr()}, nil
	}
	return Reference{Repository: repository, Tag: parsed.Identifier()}, nil
}

// At is the reference with the digest, which names the same bytes for ever.
func (r Reference) At(digest string) string { return r.Repository + "@" + digest }

// Registry returns the host of the registry that an image is at: "ghcr.io", "localhost:5000".
func Registry(r Reference) (string, error) {
	repository, err := name.NewRepository(r.Repository, name.WeakValidation)
	if err != nil {
		return "", hub.Errorf(hub.Invalid, "%.120q is not the name of a container image", r.Repository).WithCause(err)
	}
	return repository.RegistryStr(), nil
}

// Resolve asks the image's registry which digest its name stands for now, with what keys has for that registry, and makes
// sure that the manifest it gives has it. A reference with a digest is answered at once. NotFound when there is no such image or it is not shown to this person,
// Unavailable when the registry does not answer. rt is what requests are sent with.
func Resolve(ctx context.Context, r Reference, rt http.RoundTripper, keys authn.Keychain) (string, error) {
	if r.Digest != "" {
		return r.Digest, nil
	}
	tag, err := name.NewTag(r.Repository+":"+r.Tag, name.WeakValidation)
	if err != nil {
		return "", hub.Errorf(hub.Invalid, "%s:%s is not the name of a container image", r.Repository, r.Tag)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := remote.Get(tag, remote.WithContext(ctx), remote.WithTransport(rt), remote.WithAuthFromKeychain(keys))
	if err == nil && found.Digest.Algorithm == "sha256" {
		return found.Digest.String(), nil
	}
	if err == nil {
		return "", hub.Errorf(hub.Invalid, "the registry of %s names it by %s, which is not a sha256", tag, found.Digest)
	}
	return "", unanswered(tag, err)
}

// unanswered says why a registry did not give what was asked of it.
func unanswered(ref name.Reference, err error) error {
	var refused *transport.Error
	if errors.As(err, &refused) && (refused.StatusCode == http.StatusNotFound || refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden) {
		return hub.Errorf(hub.NotFound, "the image %s is not at its registry, or not for you (%d)", ref, refused.StatusCode).
			WithHint("if it is private: docker login %s", ref.Context().RegistryStr()).WithCause(err)
	}
	return hub.Errorf(hub.Unavailable, "the registry of the image %s does not answer: %v", ref, err).WithHint("try again").WithCause(err)
}
