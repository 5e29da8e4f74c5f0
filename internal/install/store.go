package install

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
)

// The store keeps what was fetched under the digest of its bytes: manifests as
// store/sha256/<hex>.json, bundles unpacked as store/sha512/<hex>/. Nothing in it is ever changed.

func (h Home) manifestPath(digest string) string {
	return h.path("store", "sha256", strings.TrimPrefix(digest, "sha256:")+".json")
}

// SaveManifest keeps the canonical manifest of a version. Integrity when its digest is another.
func (h Home) SaveManifest(digest string, data []byte) error {
	if got := trust.SHA256(data); got != digest {
		return hub.Errorf(hub.Integrity, "the manifest is not the one that was promised: expected %s, got %s", digest, got).
			WithHint("try again; if this comes back, tell the operator of the hub")
	}
	if have, err := ReadFile(h.manifestPath(digest), MaxLock); err == nil && have != nil && trust.SHA256(have) == digest {
		return nil
	}
	return WriteFile(h.manifestPath(digest), data, 0o644)
}

// Manifest returns a kept manifest, checked against its digest. NotFound when it was never fetched here;
// Integrity when the file was changed.
func (h Home) Manifest(digest string) (*manifest.Manifest, error) {
	if !trust.IsDigest(digest) {
		return nil, hub.Errorf(hub.Invalid, "%.80q is not a digest", digest)
	}
	path := h.manifestPath(digest)
	data, err := ReadFile(path, MaxLock)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, hub.Errorf(hub.NotFound, "its manifest is not in the store of this machine").WithHint("mcpm install")
	}
	if got := trust.SHA256(data); got != digest {
		return nil, hub.Errorf(hub.Integrity, "its manifest is not what was locked").WithIssues([]hub.Issue{
			{Message: "file      " + path}, {Message: "locked    " + digest}, {Message: "on disk   " + got},
		}).WithHint("remove that file and run mcpm install, which fetches the locked one again")
	}
	m, _, err := manifest.Parse(data)
	return m, err
}

// bundlePath returns the directory of an unpacked bundle, by its integrity "sha512-<base64>".
func (h Home) bundlePath(integrity string) (string, error) {
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(integrity, "sha512-"))
	if err != nil || len(sum) != 64 || !strings.HasPrefix(integrity, "sha512-") {
		return "", hub.Errorf(hub.Invalid, "%.120q is not the integrity of a bundle", integrity)
	}
	return h.path("store", "sha512", hex.EncodeToString(sum)), nil
}

// Complete reports whether all that is needed to run a locked server on a platform is in the store.
func (h Home) Complete(l *Locked, platform string) bool { return h.Lacking(l, platform) == "" }

// Lacking says what of a locked server is not in the store for a platform, in words such as "its bundle"; "" when it is whole.
func (h Home) Lacking(l *Locked, platform string) string {
	if b := l.Bundle(); b != nil && !h.HasBundle(*b) {
		return "its bundle"
	}
	for _, a := range l.Artifacts {
		switch {
		case a.Here(platform) && !h.Trees().Has(a.Tree.ID(platform)), a.Tree == nil && (a.Type == "npm" || a.Type == "pypi"):
			return "its package " + a.Identifier
		case a.Type == "oci" && a.Integrity == "":
			return "the digest of its image " + a.Identifier
		}
	}
	if _, err := h.Manifest(l.Manifest); err != nil {
		return "its manifest"
	}
	return ""
}

// RemoveManifest takes a manifest away; it is fetched again when it is needed.
func (h Home) RemoveManifest(digest string) error {
	if !trust.IsDigest(digest) {
		return hub.Errorf(hub.Invalid, "%.80q is not a digest", digest)
	}
	return diskError(os.RemoveAll(h.manifestPath(digest)))
}

// RemoveBundle takes a bundle away.
func (h Home) RemoveBundle(a Artifact) error {
	dir, err := h.bundlePath(a.Integrity)
	if err != nil {
		return err
	}
	return diskError(errors.Join(os.RemoveAll(dir+".tgz"), os.RemoveAll(dir)))
}
