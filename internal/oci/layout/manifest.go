package layout

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"
)

// MaxManifest is the largest manifest, in bytes; the specification asks registries for 4 MiB.
const MaxManifest = 4 << 20

// References is what a manifest names: an index its manifests, an image its configuration and layers.
type References struct {
	Manifests []digest.Digest
	Blobs     []digest.Digest
	Subject   digest.Digest // what the manifest is about, "" for none; a signature names its image
}

type descriptor struct {
	Digest digest.Digest `json:"digest"`
	URLs   []string      `json:"urls"`
}

// ReadReferences reads a manifest of either kind, in the form of OCI or of Docker. It fails when it is not JSON, or
// when one of its digests is not a SHA-256.
func ReadReferences(manifest []byte) (*References, error) {
	var m struct {
		Schema    int          `json:"schemaVersion"`
		Manifests []descriptor `json:"manifests"`
		Config    *descriptor  `json:"config"`
		Layers    []descriptor `json:"layers"`
		Blobs     []descriptor `json:"blobs"`
		Subject   *descriptor  `json:"subject"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if m.Schema != 2 {
		return nil, fmt.Errorf("manifest: its schemaVersion is %d, and only 2 is known", m.Schema)
	}
	r := &References{}
	blobs := append(m.Layers, m.Blobs...)
	if m.Config != nil {
		blobs = append(blobs, *m.Config)
	}
	for _, d := range m.Manifests {
		if d.Digest.Validate() != nil || d.Digest.Algorithm() != digest.SHA256 {
			return nil, fmt.Errorf("manifest: %q is no SHA-256 digest", d.Digest)
		}
		r.Manifests = append(r.Manifests, d.Digest)
	}
	for _, d := range blobs {
		if len(d.URLs) > 0 {
			return nil, fmt.Errorf("manifest: the bytes of %s are somewhere else (%q); they must be pushed here", d.Digest, d.URLs[0])
		}
		if d.Digest.Validate() != nil || d.Digest.Algorithm() != digest.SHA256 {
			return nil, fmt.Errorf("manifest: %q is no SHA-256 digest", d.Digest)
		}
		r.Blobs = append(r.Blobs, d.Digest)
	}
	if m.Subject != nil {
		r.Subject = m.Subject.Digest
	}
	return r, nil
}

// LoadReferences reads the manifest of a digest; Missing when its bytes are not there.
func LoadReferences(ctx context.Context, d driver.StorageDriver, dgst digest.Digest) (*References, error) {
	b, err := d.GetContent(ctx, Blob(dgst))
	if err != nil {
		return nil, err
	}
	return ReadReferences(b)
}
