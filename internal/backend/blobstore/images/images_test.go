package images_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"gocloud.dev/blob/memblob"

	"github.com/mcphub/mcphub/internal/backend/blobstore/images"
)

// each runs a test on both drivers: what the registry stands on must not depend on where its files are.
func each(t *testing.T, test func(*testing.T, driver.StorageDriver)) {
	t.Helper()
	t.Run("directory", func(t *testing.T) { test(t, images.NewDir(filepath.Join(t.TempDir(), "oci"))) })
	t.Run("bucket", func(t *testing.T) {
		b := memblob.OpenBucket(nil)
		t.Cleanup(func() { b.Close() })
		test(t, images.NewBucket(b, images.Prefix))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func missing(err error) bool {
	var e driver.PathNotFoundError
	return errors.As(err, &e)
}

func TestContent(t *testing.T) {
	each(t, func(t *testing.T, d driver.StorageDriver) {
		ctx := t.Context()
		if _, err := d.GetContent(ctx, "/a/b"); !missing(err) {
			t.Errorf("a file that is not there: %v", err)
		}
		for _, text := range []string{"first", "second, longer", ""} {
			must(t, d.PutContent(ctx, "/a/b", []byte(text)))
			got, err := d.GetContent(ctx, "/a/b")
			must(t, err)
			if string(got) != text {
				t.Errorf("%q was stored as %q", text, got)
			}
		}
		must(t, d.PutContent(ctx, "/a/b", []byte("0123456789")))
		for offset, want := range map[int64]string{0: "0123456789", 4: "456789", 10: ""} {
			r, err := d.Reader(ctx, "/a/b", offset)
			must(t, err)
			got, err := io.ReadAll(r)
			must(t, errors.Join(err, r.Close()))
			if string(got) != want {
				t.Errorf("from %d: %q, not %q", offset, got, want)
			}
		}
		if _, err := d.Reader(ctx, "/a/b", -1); err == nil {
			t.Error("a negative offset is taken")
		}
		if _, err := d.Reader(ctx, "/a/c", 0); !missing(err) {
			t.Errorf("reading what is not there: %v", err)
		}
	})
}

func TestPathsStayInside(t *testing.T) {
	each(t, func(t *testing.T, d driver.StorageDriver) {
		for _, p := range []string{"", "/", "a", "/../x", "/a/../../x", "/a//b", "/a/./b", "/a/", "/a b", "/a\x00b", `/a\b`} {
			if err := d.PutContent(t.Context(), p, []byte("x")); err == nil {
				t.Errorf("%q was written", p)
			}
			if _, err := d.GetContent(t.Context(), p); err == nil {
				t.Errorf("%q was read", p)
			}
			if err := d.Delete(t.Context(), p); err == nil {
				t.Errorf("%q was deleted", p)
			}
		}
	})
}

func TestStatListAndDelete(t *testing.T) {
	each(t, func(t *testing.T, d driver.StorageDriver) {
		ctx := t.Context()
		if got, err := d.List(ctx, "/"); err != nil || len(got) != 0 {
			t.Errorf("an empty storage lists %v, %v", got, err)
		}
		must(t, d.PutContent(ctx, "/top/one", []byte("1")))
		must(t, d.PutContent(ctx, "/top/dir/two", []byte("22")))
		must(t, d.PutContent(ctx, "/topper", []byte("3")))
		got, err := d.List(ctx, "/top")
		must(t, err)
		slices.Sort(got)
		if want := []string{"/top/dir", "/top/one"}; !slices.Equal(got, want) {
			t.Errorf("listed %v, not %v", got, want)
		}
		info, err := d.Stat(ctx, "/top/dir/two")
		must(t, err)
		if info.IsDir() || info.Size() != 2 || info.Path() != "/top/dir/two" || time.Since(info.ModTime()) > time.Minute {
			t.Errorf("a file is %+v", info)
		}
		if info, err = d.Stat(ctx, "/top/dir"); err != nil || !info.IsDir() || info.Size() != 0 {
			t.Errorf("a folder is %+v, %v", info, err)
		}
		for _, p := range []string{"/to", "/top/on", "/top/one/x"} {
			if _, err := d.Stat(ctx, p); !missing(err) {
				t.Errorf("stat of %s: %v", p, err)
			}
			if _, err := d.List(ctx, p); !missing(err) {
				t.Errorf("list of %s: %v", p, err)
			}
			if err := d.Delete(ctx, p); !missing(err) {
				t.Errorf("delete of %s: %v", p, err)
			}
		}
		must(t, d.Delete(ctx, "/top"))
		if _, err := d.Stat(ctx, "/top/dir/two"); !missing(err) {
			t.Errorf("after its folder was deleted: %v", err)
		}
		if _, err := d.Stat(ctx, "/topper"); err != nil {
			t.Errorf("what only begins alike went too: %v", err)
		}
	})
}

func TestMoveReplaces(t *testing.T) {
	each(t, func(t *testing.T, d driver.StorageDriver) {
		ctx := t.Context()
		must(t, d.PutContent(ctx, "/from", []byte("new")))
		must(t, d.PutContent(ctx, "/to/there", []byte("old")))
		must(t, d.Move(ctx, "/from", "/to/there"))
		got, err := d.GetContent(ctx, "/to/there")
		must(t, err)
		if string(got) != "new" {
			t.Errorf("moved: %q", got)
		}
		if _, err := d.Stat(ctx, "/from"); !missing(err) {
			t.Errorf("what was moved is still there: %v", err)
		}
		if err := d.Move(ctx, "/from", "/to/there"); !missing(err) {
			t.Errorf("moving what is not there: %v", err)
		}
	})
}

// TestUploadGrows writes an upload in several requests, as docker and clients that were cut off do.
func TestUploadGrows(t *testing.T) {
	each(t, func(t *testing.T, d driver.StorageDriver) {
		ctx := t.Context()
		var want []byte
		for i := range 12 { // more than ten: parts must not be joined in the order of their names as text
			w, err := d.Writer(ctx, "/up/data", i > 0)
			must(t, err)
			if w.Size() != int64(len(want)) {
				t.Fatalf("request %d begins at %d, not %d", i, w.Size(), len(want))
			}
			part := bytes.Repeat([]byte{byte('a' + i)}, 1000*i)
			n, err := w.Write(part)
			must(t, err)
			want = append(want, part[:n]...)
			if i < 11 {
				must(t, w.Close())
				continue
			}
			must(t, w.Commit(ctx))
			must(t, w.Close())
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("a writer that was committed goes on")
			}
		}
		got, err := d.GetContent(ctx, "/up/data")
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d", len(want), len(got))
		}
		names, err := d.List(ctx, "/up")
		must(t, err)
		if !slices.Equal(names, []string{"/up/data"}) {
			t.Errorf("the upload left %v", names)
		}
	})
}

func TestUploadStartsAnewOrIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, d driver.StorageDriver) {
		ctx := t.Context()
		w, err := d.Writer(ctx, "/up/data", false)
		must(t, err)
		_, err = w.Write([]byte("thrown away"))
		must(t, errors.Join(err, w.Close()))
		w, err = d.Writer(ctx, "/up/data", false)
		must(t, err)
		if w.Size() != 0 {
			t.Errorf("a new upload begins at %d", w.Size())
		}
		_, err = w.Write([]byte("also"))
		must(t, err)
		must(t, w.Cancel(ctx))
		if _, err := d.Stat(ctx, "/up/data"); !missing(err) {
			t.Errorf("a cancelled upload: %v", err)
		}
		w, err = d.Writer(ctx, "/up/empty", false)
		must(t, err)
		must(t, errors.Join(w.Commit(ctx), w.Close()))
		if info, err := d.Stat(ctx, "/up/empty"); err != nil || info.Size() != 0 {
			t.Errorf("an empty upload: %+v, %v", info, err)
		}
	})
}

func TestDirectoryHidesUnfinishedFiles(t *testing.T) {
	root := t.TempDir()
	d := images.NewDir(root)
	must(t, d.PutContent(t.Context(), "/a/b", []byte("x")))
	must(t, os.WriteFile(filepath.Join(root, "a", ".tmp-123"), []byte("half"), 0o600))
	got, err := d.List(t.Context(), "/a")
	must(t, err)
	if !slices.Equal(got, []string{"/a/b"}) {
		t.Errorf("listed %v", got)
	}
}
