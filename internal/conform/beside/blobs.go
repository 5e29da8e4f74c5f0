package beside

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mcphub/mcphub/internal/hub"
)

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// blobFix is a store for blobs and what the tests do with it again and again.
type blobFix struct {
	*testing.T
	hub.Blobs
	ctx context.Context
}

func (f *blobFix) put(s string) string {
	f.Helper()
	digest, size, err := f.Write(f.ctx, strings.NewReader(s), 1<<20)
	if err != nil || size != int64(len(s)) || digest != digestOf(s) {
		f.Fatalf("Write: %s %d %v", digest, size, err)
	}
	return digest
}

func (f *blobFix) part(digest string, offset, length int64) string {
	f.Helper()
	r, err := f.Open(f.ctx, digest, offset, length)
	if err != nil {
		f.Fatalf("Open(%d, %d): %v", offset, length, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		f.Fatal(err)
	}
	return string(b)
}

func (f *blobFix) listed() []string {
	f.Helper()
	var got []string
	if err := f.List(f.ctx, func(d string) error { got = append(got, d); return nil }); err != nil {
		f.Fatal(err)
	}
	return got
}

// Blobs runs the suite of hub.Blobs.
func Blobs(t *testing.T, open func(t *testing.T) hub.Blobs) {
	run := func(promise string, test func(f *blobFix)) {
		t.Run(promise, func(t *testing.T) { test(&blobFix{T: t, Blobs: open(t), ctx: context.Background()}) })
	}
	run("Write returns digest and size; Open and Size find the content", func(f *blobFix) {
		for _, s := range []string{"", "hello", strings.Repeat("x", 300_000)} {
			d := f.put(s)
			if got := f.part(d, 0, -1); got != s {
				f.Fatalf("%d bytes came back as %d", len(s), len(got))
			}
			if n, err := f.Size(f.ctx, d); err != nil || n != int64(len(s)) {
				f.Fatalf("Size: %d %v", n, err)
			}
		}
	})
	run("Write: the same content again is no error, also at once", func(f *blobFix) {
		got := Together(8, func(int) error {
			_, _, err := f.Write(f.ctx, strings.NewReader("same"), 10)
			return err
		})
		if got[""] != 8 || len(f.listed()) != 1 {
			f.Fatalf("%v, %v", got, f.listed())
		}
	})
	run("Write: TooLarge when there are more than max bytes, and nothing is kept", func(f *blobFix) {
		_, _, err := f.Write(f.ctx, strings.NewReader("12345"), 4)
		if hub.KindOf(err) != hub.TooLarge || len(f.listed()) != 0 {
			f.Fatalf("%v, %v", err, f.listed())
		}
		if _, n, err := f.Write(f.ctx, strings.NewReader("1234"), 4); err != nil || n != 4 {
			f.Fatalf("exactly max: %d %v", n, err)
		}
	})
	run("Write: a blob is there whole or not at all", func(f *blobFix) {
		broken := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("broken")))
		if _, _, err := f.Write(f.ctx, broken, 100); err == nil || len(f.listed()) != 0 {
			f.Fatalf("%v, %v", err, f.listed())
		}
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		if _, _, err := f.Write(ctx, strings.NewReader("x"), 100); !errors.Is(err, context.Canceled) || len(f.listed()) != 0 {
			f.Fatalf("cancelled: %v, %v", err, f.listed())
		}
	})
	run("Open reads length bytes from offset", func(f *blobFix) {
		d := f.put("0123456789")
		for _, c := range []struct {
			offset, length int64
			want           string
		}{{0, 4, "0123"}, {3, 4, "3456"}, {8, 10, "89"}, {5, -1, "56789"}, {10, -1, ""}, {0, 0, ""}, {4, 0, ""}} {
			if got := f.part(d, c.offset, c.length); got != c.want {
				f.Errorf("Open(%d, %d) = %q, want %q", c.offset, c.length, got, c.want)
			}
		}
	})
	blobErrors(run)
}

func blobErrors(run func(string, func(f *blobFix))) {
	run("Open and Size: NotFound when there is no such blob", func(f *blobFix) {
		if _, err := f.Open(f.ctx, digestOf("none"), 0, -1); hub.KindOf(err) != hub.NotFound {
			f.Errorf("Open: %v", err)
		}
		if _, err := f.Size(f.ctx, digestOf("none")); hub.KindOf(err) != hub.NotFound {
			f.Errorf("Size: %v", err)
		}
	})
	run("Open: Invalid when digest is not sha256: and 64 hex digits", func(f *blobFix) {
		hex := strings.Repeat("a", 64)
		for _, d := range []string{"", hex, "sha512:" + hex, "sha256:" + hex[1:], "sha256:" + strings.ToUpper(hex), "sha256:../../" + hex[6:], "sha256:" + hex + "a"} {
			if _, err := f.Open(f.ctx, d, 0, -1); hub.KindOf(err) != hub.Invalid {
				f.Errorf("%q: %v", d, err)
			}
		}
	})
	run("Remove deletes a blob; a missing one is no error", func(f *blobFix) {
		d := f.put("x")
		for range 2 {
			if err := f.Remove(f.ctx, d); err != nil {
				f.Fatal(err)
			}
		}
		if _, err := f.Size(f.ctx, d); hub.KindOf(err) != hub.NotFound {
			f.Fatal(err)
		}
	})
	run("List calls fn for each digest, in order, until it fails", func(f *blobFix) {
		var want []string
		for i := range 40 {
			want = append(want, f.put(fmt.Sprint(i)))
		}
		slices.Sort(want)
		if got := f.listed(); !slices.Equal(got, want) {
			f.Fatalf("got %v, want %v", got, want)
		}
		n, stop := 0, errors.New("stop")
		if err := f.List(f.ctx, func(string) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
			f.Fatalf("%d calls, %v", n, err)
		}
	})
	run("Check passes when blobs can be read and written, and leaves nothing", func(f *blobFix) {
		if err := f.Check(f.ctx); err != nil || len(f.listed()) != 0 {
			f.Fatalf("%v, %v", err, f.listed())
		}
	})
	run("a reader goes on while the blob is written again", func(f *blobFix) {
		s := strings.Repeat("0123456789", 50_000)
		d := f.put(s)
		r, err := f.Open(f.ctx, d, 0, -1)
		if err != nil {
			f.Fatal(err)
		}
		defer r.Close()
		half := make([]byte, len(s)/2)
		if _, err := io.ReadFull(r, half); err != nil {
			f.Fatal(err)
		}
		f.put(s)
		rest, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(append(half, rest...), []byte(s)) {
			f.Fatalf("%d bytes, %v", len(half)+len(rest), err)
		}
	})
}
