package programs

import (
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/image"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// ImageIn returns the container image that an entry of a server starts, whatever values are still missing.
func ImageIn(m *manifest.Manifest, spec manifest.ServerSpec) (image.Reference, bool, error) {
	l, _, err := manifest.Launch(m, spec, map[string]string{"workspace": ".", "HOME": ".", "bundle": "."})
	if err != nil {
		return image.Reference{}, false, err
	}
	at, ok := image.In(l.Command, l.Args)
	if !ok {
		return image.Reference{}, false, nil
	}
	ref, err := image.Parse(l.Args[at])
	return ref, true, err
}

// LockedImage returns the digest that an image is locked to, "" when it is not.
func LockedImage(e *install.Locked, ref image.Reference) string {
	for _, art := range e.Artifacts {
		if art.Type == model.RegistryTypeOCI && art.Identifier == ref.Repository && art.Version == ref.Tag && (ref.Digest == "" || ref.Digest == art.Integrity) {
			return art.Integrity
		}
	}
	return ""
}

// Image makes a container start from the bytes that were locked. NotFound when its image is not.
func Image(e *install.Locked, s *gateway.Server) error {
	at, ok := image.In(s.Command, s.Args)
	if !ok {
		return nil
	}
	ref, err := image.Parse(s.Args[at])
	if err != nil {
		return err
	}
	digest := LockedImage(e, ref)
	if digest == "" {
		return hub.Errorf(hub.NotFound, "its image %s is not locked", term.Clean(s.Args[at]))
	}
	s.Args[at] = ref.At(digest)
	return nil
}
