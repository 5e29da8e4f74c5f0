package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/trust"
)

// entry is one tar entry; a zero Typeflag is a plain file.
type entry struct {
	tar.Header
	body string
}

func file(name, body string) entry {
	return entry{Header: tar.Header{Name: name, Mode: 0o644}, body: body}
}

func targz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	for _, e := range entries {
		if e.Size = int64(len(e.body)); e.Typeflag == 0 {
			e.Typeflag = tar.TypeReg
		}
		if err := tw.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	if _, err := gz.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestCheck(t *testing.T) {
	data := targz(t,
		entry{Header: tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}},
		file("./README", "plain"), file("README.md", "# Title"), file("docs/README.md", "other"), file("readme.markdown", "x"),
		entry{Header: tar.Header{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755}},
		entry{Header: tar.Header{Name: "bin/server", Mode: 0o777}, body: "#!"}, file("mcp.json", `{"name":"x"}`))
	info, err := bundle.Check(bytes.NewReader(data), bundle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if string(info.Manifest) != `{"name":"x"}` || string(info.Readme) != "# Title" {
		t.Errorf("manifest %q, readme %q", info.Manifest, info.Readme)
	}
	if info.Files != 6 || info.Unpacked != 5+7+5+1+2+12 || info.Size != int64(len(data)) || info.Digest != trust.SHA256(data) || info.Integrity != trust.SRI512(data) {
		t.Errorf("%+v", info)
	}
}

// badArchives are archives that no honest client makes, and what is said about each.
func badArchives(t testing.TB) []struct {
	name, message string
	data          []byte
	kind          hub.Kind
} {
	typed := func(flag byte, name, link string) entry {
		return entry{Header: tar.Header{Name: name, Linkname: link, Typeflag: flag, Mode: 0o644}}
	}
	good := targz(t, file("mcp.json", "{}"))
	return []struct {
		name, message string
		data          []byte
		kind          hub.Kind
	}{
		{"empty", "the archive is not gzipped", nil, hub.Malformed},
		{"not gzip", "the archive is not gzipped", []byte("PK\x03\x04"), hub.Malformed},
		{"not tar", "the archive is damaged: archive/tar: invalid tar header", gzipped(t, bytes.Repeat([]byte("x"), 2048)), hub.Malformed},
		{"cut short", "the archive is damaged: unexpected EOF", good[:len(good)-12], hub.Malformed},
		{"absolute", `the path "/etc/passwd" is absolute`, targz(t, file("/etc/passwd", "")), hub.Invalid},
		{"parent", `the path "../x" leaves the archive`, targz(t, file("../x", "")), hub.Invalid},
		{"parent inside", `the path "a/../../x" leaves the archive`, targz(t, file("a/../../x", "")), hub.Invalid},
		{"not clean", `the path "a//b" is not clean`, targz(t, file("a//b", "")), hub.Invalid},
		{"backslash", `the path "a\\..\\b" has a backslash`, targz(t, file(`a\..\b`, "")), hub.Invalid},
		{"drive", `the path "C:/x" has the character ":", which Windows cannot store`, targz(t, file("C:/x", "")), hub.Invalid},
		{"stream", `the path "a:b" has the character ":", which Windows cannot store`, targz(t, file("a:b", "")), hub.Invalid},
		{"device name", `the path "lib/NUL.txt" uses the name "NUL.txt", which Windows reserves`, targz(t, file("lib/NUL.txt", "")), hub.Invalid},
		{"com port", `the path "com1" uses the name "com1", which Windows reserves`, targz(t, file("com1", "")), hub.Invalid},
		{"dot at the end", `the path "a./b" has a name that ends in a dot or a space, which Windows cannot store`, targz(t, file("a./b", "")), hub.Invalid},
		{"control", `the path "a\nb" has a control character`, targz(t, file("a\nb", "")), hub.Invalid},
		{"right to left", `the path "a\u202etxt.exe" has a control character`, targz(t, file("a\u202etxt.exe", "")), hub.Invalid},
		{"long name", "the path \"" + strings.Repeat("x", 120) + "...\" has a name longer than 255 bytes", targz(t, file(strings.Repeat("x", 300), "")), hub.Invalid},
		{"long path", "the path \"" + strings.Repeat("x/", 60) + "...\" is longer than 1024 bytes", targz(t, file(strings.Repeat("x/", 600)+"y", "")), hub.Invalid},
		{"symbolic link", `"a" is a link to "/etc/passwd"; a bundle has no links`, targz(t, typed(tar.TypeSymlink, "a", "/etc/passwd")), hub.Invalid},
		{"hard link", `"a" is a link to "b"; a bundle has no links`, targz(t, file("b", ""), typed(tar.TypeLink, "a", "b")), hub.Invalid},
		{"device", `"a" is a device or pipe; a bundle has only files`, targz(t, typed(tar.TypeChar, "a", "")), hub.Invalid},
		{"pipe", `"a" is a device or pipe; a bundle has only files`, targz(t, typed(tar.TypeFifo, "a", "")), hub.Invalid},
		{"set-user-ID", `"a" has a set-user-ID, set-group-ID or sticky bit`, targz(t, entry{Header: tar.Header{Name: "a", Mode: 0o4755}}), hub.Invalid},
		{"twice", `the path "a" is there twice`, targz(t, file("a", ""), file("a", "")), hub.Invalid},
		{"case", `the paths "a/B" and "a/b" are the same file on some machines`, targz(t, file("a/B", ""), file("a/b", "")), hub.Invalid},
		{"case of a directory", `the paths "A/" and "a/" are the same on some machines`, targz(t, file("A/x", ""), file("a/y", "")), hub.Invalid},
		{"composition", "the paths \"\u00e9\" and \"e\u0301\" are the same file on some machines", targz(t, file("\u00e9", ""), file("e\u0301", "")), hub.Invalid},
		{"below a file", `the path "a/b" is below the file "a"`, targz(t, file("a", ""), file("a/b", "")), hub.Invalid},
		{"file over a directory", `the paths "a/" and "a" are the same on some machines`, targz(t, file("a/b", ""), file("a", "")), hub.Invalid},
		{"bytes after the tar", "there are bytes after the end of the archive", gzipped(t, append(gunzip(t, good), "evil"...)), hub.Invalid},
		{"bytes after the gzip", "there are bytes after the end of the compressed data", append(bytes.Clone(good), "evil"...), hub.Invalid},
		{"a second gzip member", "there are bytes after the end of the compressed data", append(bytes.Clone(good), good...), hub.Invalid},
		{"too many entries", "the archive has more than 5 entries", targz(t, file("1", ""), file("2", ""), file("3", ""), file("4", ""), file("5", ""), file("6", "")), hub.TooLarge},
		{"too much inside", "the files of the archive have more than 4194304 bytes together", targz(t, file("1", strings.Repeat("ab", 2<<20)+"c")), hub.TooLarge},
		{"bomb", "the archive unpacks to more than 200 times its size", targz(t, file("1", strings.Repeat("\x00", 4<<20))), hub.TooLarge},
		{"bomb in the padding", "the archive unpacks to more than 200 times its size", gzipped(t, make([]byte, 3<<20)), hub.TooLarge},
		{"huge manifest", "mcp.json has 1048577 bytes; at most 1048576 are allowed", targz(t, file("mcp.json", strings.Repeat(" ", 1<<20+1))), hub.TooLarge},
	}
}

func gunzip(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var small = bundle.Limits{Files: 5, Unpacked: 4 << 20, Packed: 1 << 20, Ratio: 200}

func TestBadArchives(t *testing.T) {
	for _, tt := range badArchives(t) {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bundle.Check(bytes.NewReader(tt.data), small)
			if err == nil || err.Error() != tt.message || hub.KindOf(err) != tt.kind {
				t.Errorf("Check: %v (%s), want %s (%s)", err, hub.KindOf(err), tt.message, tt.kind)
			}
			base := t.TempDir()
			_, err = bundle.Unpack(bytes.NewReader(tt.data), filepath.Join(base, "out"), small)
			if err == nil || err.Error() != tt.message {
				t.Errorf("Unpack: %v", err)
			}
			if left, _ := os.ReadDir(base); len(left) > 0 {
				t.Errorf("Unpack left %v behind", left)
			}
		})
	}
}

func TestCheckPackedLimit(t *testing.T) {
	data := targz(t, file("mcp.json", "{}"))
	limits := small
	limits.Packed = int64(len(data)) - 1
	_, err := bundle.Check(bytes.NewReader(data), limits)
	if hub.KindOf(err) != hub.TooLarge || !strings.HasPrefix(err.Error(), "the archive has more than ") {
		t.Error(err)
	}
}

// A path can name hundreds of directories, each different from those of the other paths: a small archive
// would make a hub remember, and mcpm create, millions of them.
func TestCheckBoundsDirectories(t *testing.T) {
	deep := strings.Repeat("/A", 400)
	var entries []entry
	for _, top := range []string{"a", "b", "c"} {
		entries = append(entries, file(top+deep+"/x", ""))
	}
	_, err := bundle.Check(bytes.NewReader(targz(t, entries...)), bundle.Limits{Files: 1000, Unpacked: 1 << 20, Packed: 1 << 20, Ratio: 200})
	if hub.KindOf(err) != hub.TooLarge || err.Error() != "there are more than 1000 directories" {
		t.Errorf("error %v, want TooLarge", err)
	}
	if _, err := bundle.Check(bytes.NewReader(targz(t, entries[:2]...)), bundle.Limits{Files: 1000, Unpacked: 1 << 20, Packed: 1 << 20, Ratio: 200}); err != nil {
		t.Errorf("802 directories in 1000: %v", err)
	}
}

func TestCheckKeepsTheErrorOfItsReader(t *testing.T) {
	broken := errors.New("connection reset")
	data := targz(t, file("mcp.json", "{}"))
	_, err := bundle.Check(io.MultiReader(bytes.NewReader(data[:30]), iotest.ErrReader(broken)), small)
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestUnpack(t *testing.T) {
	data := targz(t, file("mcp.json", "{}"), file("a/b/c.txt", "hello"), entry{Header: tar.Header{Name: "bin/x", Mode: 0o700, ModTime: time.Now()}, body: "#!"})
	dir := filepath.Join(t.TempDir(), "new", "out")
	info, err := bundle.Unpack(bytes.NewReader(data), dir, bundle.Limits{})
	if err != nil || info.Files != 3 {
		t.Fatal(info, err)
	}
	for name, want := range map[string]string{"mcp.json": "{}", "a/b/c.txt": "hello", "bin/x": "#!"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]os.FileMode{"mcp.json": 0o644, "bin/x": 0o755} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	if _, err := bundle.Unpack(bytes.NewReader(data), dir, bundle.Limits{}); hub.KindOf(err) != hub.Exists {
		t.Errorf("a second time: %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(targz(f, file("mcp.json", "{}"), file("README.md", "x")))
	for _, a := range badArchives(f) {
		f.Add(a.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := bundle.Check(bytes.NewReader(data), small)
		if err != nil {
			if hub.KindOf(err) == "" {
				t.Fatalf("an error without kind: %v", err)
			}
			return
		}
		// What passes the check can be unpacked, and then has exactly the files that were counted.
		dir := filepath.Join(t.TempDir(), "x")
		again, err := bundle.Unpack(bytes.NewReader(data), dir, small)
		if err != nil || again.Files != info.Files || again.Digest != info.Digest {
			t.Fatalf("%+v and %+v, %v", info, again, err)
		}
		for _, e := range info.Entries {
			if st, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(e.Path))); err != nil || st.Size() != e.Size {
				t.Fatalf("%s: %v", e.Path, err)
			}
		}
	})
}
