package oci_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/oci"
	"github.com/mcphub/mcphub/internal/oci/layout"
	"github.com/mcphub/mcphub/internal/oci/sweep"
)

// TestSweepKeepsWhatVersionsName: an image that a version names by digest has no tag that holds it. It stays whatever
// the address of the hub was at the time.
func TestSweepKeepsWhatVersionsName(t *testing.T) {
	blobs := t.TempDir()
	f := newFixture(t, "file://"+filepath.ToSlash(blobs), nil)
	token := f.publisher("acme/db")
	named := f.pushImage("acme/db", "one", token, "one")
	moved := f.pushImage("acme/db", "two", token, "two")
	loose := f.pushImage("acme/db", "three", token, "three")
	f.publish("acme", "acme/db", "1.0.0", f.host+"/acme/db@"+named.String())
	f.publish("acme", "acme/db", "2.0.0", "old-name.example.com/acme/db@"+moved.String())
	for _, tag := range []string{"one", "two", "three"} {
		f.want("untag", f.do(http.MethodDelete, "/v2/acme/db/manifests/"+tag, token, nil), http.StatusAccepted, "")
	}
	old := time.Now().Add(-2 * sweep.Grace)
	must(t, filepath.WalkDir(filepath.Join(blobs, "oci"), func(p string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(p, old, old)
	}))
	r, err := f.oci.Sweep(t.Context(), oci.SweepOptions{Dry: true})
	must(t, err)
	if r.Manifests != 1 || r.Layers != 1 || r.Blobs != 2 {
		t.Errorf("%+v would go", r)
	}
	// what is younger than the grace is left
	if r, err = f.oci.Sweep(t.Context(), oci.SweepOptions{Dry: true, Grace: 3 * sweep.Grace}); err != nil || r.Manifests+r.Layers+r.Blobs != 0 {
		t.Errorf("of the young %+v would go, %v", r, err)
	}
	for d, want := range map[digest.Digest]int{named: http.StatusOK, moved: http.StatusOK, loose: http.StatusOK} {
		f.want("after a dry run", f.do(http.MethodGet, "/v2/acme/db/manifests/"+d.String(), token, nil), want, "")
	}
}

// TestAskingForABlobKeepsIt: a client that is told that a blob is here sends the manifest later, and not the blob.
func TestAskingForABlobKeepsIt(t *testing.T) {
	blobs := t.TempDir()
	f := newFixture(t, "file://"+filepath.ToSlash(blobs), nil)
	token := f.publisher("acme/db")
	d := f.pushBlob("acme/db", token, []byte("pushed long ago"))
	link := filepath.Join(blobs, "oci", filepath.FromSlash(layout.Layer("acme/db", d)))
	old := time.Now().Add(-2 * sweep.Grace)
	for _, c := range []struct {
		what, method string
		young        bool
	}{{"reading", http.MethodGet, false}, {"asking whether it is there", http.MethodHead, true}} {
		must(t, os.Chtimes(link, old, old))
		f.want(c.what, f.do(c.method, "/v2/acme/db/blobs/"+d.String(), token, nil), http.StatusOK, "")
		info, err := os.Stat(link)
		must(t, err)
		if young := time.Since(info.ModTime()) < time.Minute; young != c.young {
			t.Errorf("after %s the link is young: %t", c.what, young)
		}
	}
}
