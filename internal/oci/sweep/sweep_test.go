package sweep_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/oci/layout"
	"github.com/mcphub/mcphub/internal/oci/sweep"
)

// store is a storage in a directory, whose files can be made old.
type store struct {
	t   *testing.T
	dir string
	driver.StorageDriver
	held map[string][]digest.Digest
}

func newStore(t *testing.T) *store {
	t.Helper()
	dir := t.TempDir()
	b, err := blobstore.Open(t.Context(), dir)
	must(t, err)
	t.Cleanup(func() { b.Close() })
	return &store{t: t, dir: filepath.Join(dir, "oci"), StorageDriver: b.Images(), held: map[string][]digest.Digest{}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *store) put(path, content string) {
	s.t.Helper()
	must(s.t, s.PutContent(s.t.Context(), path, []byte(content)))
}

// blob stores bytes and links them to a repository.
func (s *store) blob(repository, text string) digest.Digest {
	d := digest.FromString(text)
	s.put(layout.Blob(d), text)
	s.put(layout.Layer(repository, d), d.String())
	return d
}

// manifest stores one and links it to a repository.
func (s *store) manifest(repository, text string) digest.Digest {
	d := digest.FromString(text)
	s.put(layout.Blob(d), text)
	s.put(layout.Revision(repository, d), d.String())
	return d
}

func (s *store) image(repository, text string) (manifest, layer digest.Digest) {
	layer = s.blob(repository, text)
	return s.manifest(repository, fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q}]}`, layer)), layer
}

func (s *store) tag(repository, tag string, d digest.Digest) {
	s.put(layout.TagCurrent(repository, tag), d.String())
}

// age makes everything that is stored a week old.
func (s *store) age() {
	s.t.Helper()
	old := time.Now().Add(-7 * 24 * time.Hour)
	must(s.t, filepath.WalkDir(s.dir, func(p string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(p, old, old)
	}))
}

func (s *store) has(path string) bool {
	s.t.Helper()
	_, err := s.Stat(s.t.Context(), path)
	if err != nil && !layout.Missing(err) {
		s.t.Fatal(err)
	}
	return err == nil
}

func (s *store) sweep(change func(*sweep.Config)) *sweep.Report {
	s.t.Helper()
	c := sweep.Config{Storage: s, Now: time.Now, Grace: sweep.Grace, Settle: time.Millisecond,
		Held: func(_ context.Context, repository string) ([]digest.Digest, error) { return s.held[repository], nil }}
	if change != nil {
		change(&c)
	}
	r, err := sweep.Run(s.t.Context(), c)
	must(s.t, err)
	return r
}

func TestKeepsWhatTagsAndVersionsNeed(t *testing.T) {
	s := newStore(t)
	tagged, taggedLayer := s.image("acme/db", "tagged")
	s.tag("acme/db", "latest", tagged)
	held, heldLayer := s.image("acme/db", "held by a version")
	s.held["acme/db"] = []digest.Digest{held}
	part, partLayer := s.image("acme/db", "part of an index")
	index := s.manifest("acme/db", fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q}]}`, part))
	s.tag("acme/db", "many", index)
	signature := s.manifest("acme/db", fmt.Sprintf(`{"schemaVersion":2,"subject":{"digest":%q}}`, tagged))
	loose, looseLayer := s.image("acme/db", "loose")
	aboutLoose := s.manifest("acme/db", fmt.Sprintf(`{"schemaVersion":2,"subject":{"digest":%q}}`, loose))
	never := s.blob("acme/db", "never in a manifest")
	s.put(layout.Upload("acme/db", "01a207c2-2d9c-796a-9a90-53530b46b1f6")+"/data", "left")
	shared := s.blob("acme/db", "shared")
	other := s.manifest("io.github.acme/deep/er", fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q}]}`, shared))
	s.put(layout.Layer("io.github.acme/deep/er", shared), shared.String())
	s.tag("io.github.acme/deep/er", "1", other)
	s.age()
	young := s.blob("acme/db", "pushed just now")
	s.put(layout.Upload("acme/db", "01a207c2-2da2-7616-9f1b-eeba9b897260")+"/data", "under way")

	dry := s.sweep(func(c *sweep.Config) { c.Dry = true })
	if !s.has(layout.Blob(looseLayer)) || !s.has(layout.Revision("acme/db", loose)) {
		t.Fatal("a dry run removed something")
	}
	real := s.sweep(nil)
	want := sweep.Report{Repositories: 2, Uploads: 1, Manifests: 2, Layers: 3, Blobs: 4, Bytes: int64(len("loose") + len("never in a manifest") + size(t, loose, aboutLoose, looseLayer))}
	for what, got := range map[string]sweep.Report{"dry": *dry, "real": *real} {
		if got != want {
			t.Errorf("%s run: %+v, want %+v", what, got, want)
		}
	}
	for what, path := range map[string]string{
		"tagged": layout.Revision("acme/db", tagged), "tagged layer": layout.Layer("acme/db", taggedLayer), "its bytes": layout.Blob(taggedLayer),
		"held": layout.Revision("acme/db", held), "held layer": layout.Blob(heldLayer), "index": layout.Revision("acme/db", index),
		"part": layout.Revision("acme/db", part), "part layer": layout.Blob(partLayer), "signature": layout.Revision("acme/db", signature),
		"young": layout.Layer("acme/db", young), "young bytes": layout.Blob(young), "shared": layout.Blob(shared),
		"shared link": layout.Layer("io.github.acme/deep/er", shared), "upload": layout.Upload("acme/db", "01a207c2-2da2-7616-9f1b-eeba9b897260"),
	} {
		if !s.has(path) {
			t.Errorf("%s is gone", what)
		}
	}
	for what, path := range map[string]string{
		"loose": layout.Revision("acme/db", loose), "loose layer": layout.Layer("acme/db", looseLayer), "loose bytes": layout.Blob(looseLayer),
		"about loose": layout.Revision("acme/db", aboutLoose), "never": layout.Blob(never), "shared link of the other": layout.Layer("acme/db", shared),
		"old upload": layout.Upload("acme/db", "01a207c2-2d9c-796a-9a90-53530b46b1f6"), "trash": layout.Trashed(never),
	} {
		if s.has(path) {
			t.Errorf("%s is still there", what)
		}
	}
	if again := s.sweep(nil); *again != (sweep.Report{Repositories: 2}) {
		t.Errorf("a second run: %+v", again)
	}
}

// size is that of the two manifests in the test above, which hold a digest of the same length.
func size(t *testing.T, loose, aboutLoose, looseLayer digest.Digest) int {
	t.Helper()
	a := fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q}]}`, looseLayer)
	b := fmt.Sprintf(`{"schemaVersion":2,"subject":{"digest":%q}}`, loose)
	if digest.FromString(a) != loose || digest.FromString(b) != aboutLoose {
		t.Fatal("the manifests are other ones")
	}
	return len(a) + len(b)
}

// meddler is a storage in which somebody pushes while the trash waits.
type meddler struct {
	driver.StorageDriver
	moved func()
}

func (m *meddler) Move(ctx context.Context, from, to string) error {
	err := m.StorageDriver.Move(ctx, from, to)
	if m.moved != nil {
		fn := m.moved
		m.moved = nil
		fn()
	}
	return err
}

// TestPushInTheMeantimeIsWhole pushes an image on blobs and a manifest that were garbage a moment ago, as a client does
// that was told that they are there.
func TestPushInTheMeantimeIsWhole(t *testing.T) {
	s := newStore(t)
	part, layer := s.image("acme/db", "garbage, then wanted")
	lost := s.blob("acme/db", "garbage for good")
	s.age()
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q}]}`, part)
	plain := fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q}]}`, layer)
	if digest.FromString(plain) != part {
		t.Fatal("not the same manifest")
	}
	r := s.sweep(func(c *sweep.Config) {
		c.Storage = &meddler{StorageDriver: s, moved: func() {
			s.tag("acme/db", "new", s.manifest("acme/db", index))
		}}
	})
	if r.Restored == 0 || r.Blobs != 1 {
		t.Errorf("report %+v", r)
	}
	for what, path := range map[string]string{"image": layout.Revision("acme/db", part), "its bytes": layout.Blob(part), "link": layout.Layer("acme/db", layer), "layer": layout.Blob(layer)} {
		if !s.has(path) {
			t.Errorf("%s of what was pushed is gone", what)
		}
	}
	if s.has(layout.Blob(lost)) || s.has(layout.Trashed(lost)) || s.has(layout.Trashed(layer)) {
		t.Error("the trash is not empty")
	}
}

// TestRunThatDiedIsFinished finds what an earlier run left in the trash: what is wanted again comes back.
func TestRunThatDiedIsFinished(t *testing.T) {
	s := newStore(t)
	wanted, gone := s.blob("acme/db", "wanted"), digest.FromString("gone")
	must(t, s.Move(t.Context(), layout.Blob(wanted), layout.Trashed(wanted)))
	s.put(layout.Trashed(gone), "gone")
	s.sweep(nil)
	if !s.has(layout.Blob(wanted)) || s.has(layout.Trashed(wanted)) || s.has(layout.Trashed(gone)) || s.has(layout.Blob(gone)) {
		t.Error("the trash was not put in order")
	}
}

// TestUnreadableManifestStopsTheRun: what it names is not known, so nothing may go.
func TestUnreadableManifestStopsTheRun(t *testing.T) {
	s := newStore(t)
	s.manifest("acme/db", "{")
	layer := s.blob("acme/db", "perhaps needed")
	s.age()
	_, err := sweep.Run(t.Context(), sweep.Config{Storage: s, Now: time.Now, Grace: sweep.Grace, Settle: time.Millisecond,
		Held: func(context.Context, string) ([]digest.Digest, error) { return nil, nil }})
	if err == nil || !s.has(layout.Blob(layer)) || !s.has(layout.Layer("acme/db", layer)) {
		t.Errorf("the run went on: %v", err)
	}
}
