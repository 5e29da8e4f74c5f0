package bundle_test

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
)

type zipped struct {
	name string
	mode fs.FileMode
	text string
}

func zipOf(t testing.TB, entries ...zipped) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(e.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	raw := zipOf(t, zipped{"manifest.json", 0o644, "{}"}, zipped{"bin/", fs.ModeDir | 0o755, ""}, zipped{"bin/server", 0o644, "program"}, zipped{"bin/tool", 0o755, "tool"})
	raw = append(raw, "MCPB_SIG_V1 what a signature adds"...)
	z, err := bundle.OpenZip(bytes.NewReader(raw), int64(len(raw)), bundle.ArchiveLimits)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := z.Read("manifest.json", 2); err != nil || string(text) != "{}" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := z.Read("manifest.json", 1); hub.KindOf(err) != hub.TooLarge {
		t.Errorf("a file over its limit: %v", err)
	}
	if _, err := z.Read("bin", 9); hub.KindOf(err) != hub.NotFound || z.Has("bin") || !z.Has("bin/server") {
		t.Errorf("a directory is no file: %v", err)
	}
	dir := t.TempDir()
	if err := z.Unpack(dir, "bin/server"); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"manifest.json": 0o644, "bin/server": 0o755, "bin/tool": 0o755} {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}

func TestZipRefuses(t *testing.T) {
	small := bundle.Limits{Files: 3, Unpacked: 8 << 20, Packed: 1 << 20, Ratio: 200}
	tests := []struct {
		name    string
		raw     []byte
		kind    hub.Kind
		message string
	}{
		{"no zip", []byte("#!/bin/sh\n"), hub.Malformed, "is no zip"},
		{"nothing", nil, hub.Malformed, "is no zip"},
		{"escape", zipOf(t, zipped{"../x", 0, "x"}), hub.Invalid, `"../x" leaves the archive`},
		{"absolute", zipOf(t, zipped{"/etc/passwd", 0, "x"}), hub.Invalid, "is absolute"},
		{"drive", zipOf(t, zipped{"C:/x", 0, "x"}), hub.Invalid, "Windows cannot store"},
		{"backslash", zipOf(t, zipped{`a\..\b`, 0, "x"}), hub.Invalid, "backslash"},
		{"link", zipOf(t, zipped{"a", fs.ModeSymlink | 0o777, "/etc"}), hub.Invalid, `"a" is a link`},
		{"pipe", zipOf(t, zipped{"a", fs.ModeNamedPipe | 0o644, ""}), hub.Invalid, "device or pipe"},
		{"device", zipOf(t, zipped{"a", fs.ModeDevice | 0o644, ""}), hub.Invalid, "device or pipe"},
		{"set-user-ID", zipOf(t, zipped{"a", fs.ModeSetuid | 0o755, ""}), hub.Invalid, "set-user-ID"},
		{"case", zipOf(t, zipped{"lib/A", 0, "x"}, zipped{"Lib/b", 0, "x"}), hub.Invalid, "the same on some machines"},
		{"twice", zipOf(t, zipped{"a", 0, "x"}, zipped{"a", 0, "y"}), hub.Invalid, "is there twice"},
		{"below a file", zipOf(t, zipped{"a", 0, "x"}, zipped{"a/b", 0, "y"}), hub.Invalid, "is below the file"},
		{"both", zipOf(t, zipped{"a", fs.ModeDir | 0o755, ""}), hub.Invalid, "both a file and a directory"},
		{"many", zipOf(t, zipped{"a", 0, ""}, zipped{"b", 0, ""}, zipped{"c", 0, ""}, zipped{"d", 0, ""}), hub.TooLarge, "more than 3 entries"},
		{"large", zipOf(t, zipped{"a", 0, strings.Repeat("x", 9<<20)}), hub.TooLarge, "more than 8388608 bytes together"},
		{"bomb", zipOf(t, zipped{"a", 0, strings.Repeat("\x00", 8<<20)}), hub.TooLarge, "times its size"},
		{"packed", make([]byte, 2<<20), hub.TooLarge, "the archive has more than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bundle.OpenZip(bytes.NewReader(tt.raw), int64(len(tt.raw)), small)
			if hub.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("%v, want %s %q", err, tt.kind, tt.message)
			}
		})
	}
}

// A size in the directory that is not that of the data is found when it is unpacked, before more is written.
func TestZipLiesAboutSize(t *testing.T) {
	raw := zipOf(t, zipped{"a", 0o644, strings.Repeat("x", 1000)})
	at := bytes.Index(raw, []byte("PK\x01\x02"))
	raw[at+24], raw[at+25] = 10, 0 // uncompressed size
	z, err := bundle.OpenZip(bytes.NewReader(raw), int64(len(raw)), bundle.ArchiveLimits)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := z.Unpack(dir); hub.KindOf(err) != hub.Malformed {
		t.Errorf("unpacked: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "a")); err == nil && info.Size() > 10 {
		t.Errorf("%d bytes were written", info.Size())
	}
}

func FuzzZip(f *testing.F) {
	f.Add(zipOf(f, zipped{"manifest.json", 0o644, "{}"}, zipped{"server/index.js", 0o755, "x"}))
	f.Add(zipOf(f, zipped{"a/", fs.ModeDir | 0o755, ""}, zipped{"a/b", 0, strings.Repeat("x", 5000)}))
	f.Add([]byte("PK\x05\x06"))
	limits := bundle.Limits{Files: 50, Unpacked: 1 << 20, Packed: 1 << 20, Ratio: 200}
	f.Fuzz(func(t *testing.T, raw []byte) {
		z, err := bundle.OpenZip(bytes.NewReader(raw), int64(len(raw)), limits)
		if err == nil {
			outer := t.TempDir()
			dir := filepath.Join(outer, "in")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			err = z.Unpack(dir)
			var sum int64
			_ = filepath.WalkDir(outer, func(p string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := d.Info()
				if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(p, dir+string(filepath.Separator)) {
					t.Errorf("%s was written: %v %v", p, info, err)
					return nil
				}
				sum += info.Size()
				return nil
			})
			if sum > limits.Unpacked {
				t.Errorf("%d bytes were written", sum)
			}
		}
		if err != nil && hub.KindOf(err) == "" {
			t.Errorf("an error without a kind: %v", err)
		}
	})
}
