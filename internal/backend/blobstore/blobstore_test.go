package blobstore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/conform"
	"github.com/mcphub/mcphub/internal/hub"
)

func open(t *testing.T, url string) *blobstore.Store {
	t.Helper()
	s, err := blobstore.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestDirectory(t *testing.T) {
	conform.Blobs(t, func(t *testing.T) hub.Blobs { return open(t, filepath.Join(t.TempDir(), "new", "blobs")) })
}

func TestFileURL(t *testing.T) {
	conform.Blobs(t, func(t *testing.T) hub.Blobs { return open(t, "file://"+filepath.ToSlash(t.TempDir())) })
}

func TestMemory(t *testing.T) {
	conform.Blobs(t, func(t *testing.T) hub.Blobs { return open(t, "mem://") })
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]hub.Kind{"s3://secret:key@bucket": hub.Invalid, "": hub.Invalid, "file://": hub.Invalid, file: hub.Unavailable} {
		_, err := blobstore.Open(context.Background(), url)
		if hub.KindOf(err) != want {
			t.Errorf("%q: %v, want %s", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the message shows a secret: %v", err)
		}
	}
}

// A blob's file is where a person finds it by its digest, is its owner's alone, and staging is empty.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	digest, _, err := s.Write(context.Background(), strings.NewReader("hello"), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Write(context.Background(), strings.NewReader("too long"), 3); err == nil {
		t.Fatal("no error")
	}
	hex := strings.TrimPrefix(digest, "sha256:")
	info, err := os.Stat(filepath.Join(dir, "sha256", hex[:2], hex))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "staging"))
	if err != nil || len(left) != 0 {
		t.Fatalf("staging holds %v, %v", left, err)
	}
}

func TestOpenSweepsWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	old, young := filepath.Join(dir, "staging", "blob-1"), filepath.Join(dir, "staging", "blob-2")
	for _, f := range []string{old, young} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old one is left: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("another process may still write the young one: %v", err)
	}
}

func TestCheckFailsWhenTheDirectoryIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(context.Background()); hub.KindOf(err) != hub.Unavailable {
		t.Errorf("Check: %v", err)
	}
	if _, _, err := s.Write(context.Background(), strings.NewReader("x"), 3); hub.KindOf(err) != hub.Unavailable {
		t.Errorf("Write: %v", err)
	}
}
