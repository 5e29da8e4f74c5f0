package install

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
)

// archivesDir has what is downloaded of archives until they are unpacked.
const archivesDir = "archives"

// WithArchive downloads an archive, checks it against the SHA-256 in hex that its publisher gave, and hands it to use,
// which is called with the lock on it. A download that breaks off is kept and goes on there the next time. The file is
// gone afterwards. Integrity when the bytes are others.
func (h Home) WithArchive(sha256 string, open Download, use func(f *os.File, size int64) error) (err error) {
	defer func() { err = diskError(err) }()
	sum, err := hex.DecodeString(sha256)
	if err != nil || len(sum) != 32 {
		return hub.Errorf(hub.Invalid, "%.80q is not the SHA-256 of an archive", sha256)
	}
	unlock, err := h.lock("archive-" + sha256[:16])
	if err != nil {
		return err
	}
	defer unlock()
	path := h.path("store", archivesDir, partPrefix+sha256)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // under the lock, so nobody else writes it
	if err != nil {
		return err
	}
	defer tmp.Close()
	if err := receive(tmp, "sha256-"+base64.StdEncoding.EncodeToString(sum), bundle.ArchiveLimits.Packed, open); err != nil {
		if info, statErr := tmp.Stat(); statErr == nil && info.Size() == 0 {
			_ = os.Remove(path) // there is nothing to go on with; the first error is the one to tell
		}
		return err
	}
	info, err := tmp.Stat()
	if err != nil {
		return err
	}
	if err := use(tmp, info.Size()); err != nil {
		_ = os.Remove(path) // as above
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(path))
}

// Here reports whether the packages of an artifact are needed on a platform: an archive for other systems is locked
// there, but not kept.
func (a *Artifact) Here(platform string) bool {
	if a.Tree == nil || a.Type != "mcpb" {
		return a.Tree != nil
	}
	d, err := mcpb.ParseDocument(a.Tree.Document)
	goos, _, _ := strings.Cut(platform, "-")
	return err != nil || d.Start.Fits(goos) // a document that cannot be read is told by who opens it
}
