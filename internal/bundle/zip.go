package bundle

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// ArchiveLimits are those of an MCP bundle, a .mcpb or .dxt file: it brings its packages along.
var ArchiveLimits = Limits{Files: 50000, Unpacked: 1 << 30, Packed: 256 << 20, Ratio: 200}

// maxDirectory is how many bytes of a zip are read to learn what is in it.
const maxDirectory = 32 << 20

// Zip is a zip archive whose names were checked. Close is its file's.
type Zip struct {
	files  []*zip.File
	names  []string
	limits Limits
	packed int64
}

// OpenZip reads the directory of a zip archive of size bytes. The archive may come from anybody. It fails with Malformed
// when it is no zip, with TooLarge over a limit, with Invalid on what no honest archive has: absolute or escaping paths,
// links, devices, names that differ only in case, names some machine cannot hold, set-user-ID bits, encryption.
func OpenZip(r io.ReaderAt, size int64, limits Limits) (*Zip, error) {
	limits = limits.orDefault()
	if size > limits.Packed {
		return nil, hub.Errorf(hub.TooLarge, "the archive has more than %d bytes", limits.Packed)
	}
	bounded := &boundedReader{r: r, left: maxDirectory}
	zr, err := zip.NewReader(bounded, size)
	if err != nil && hub.KindOf(bounded.err) != "" {
		return nil, bounded.err
	}
	if err != nil {
		return nil, hub.Errorf(hub.Malformed, "the archive is no zip: %v", err).WithCause(err)
	}
	bounded.free = true
	z := &Zip{limits: limits, packed: size}
	seen := newTree(limits.Files)
	if len(zr.File) > limits.Files {
		return nil, hub.Errorf(hub.TooLarge, "the archive has more than %d entries", limits.Files)
	}
	var sum uint64
	for _, f := range zr.File {
		if err := z.entry(f, seen); err != nil {
			return nil, err
		}
		if sum += f.UncompressedSize64; f.UncompressedSize64 > uint64(limits.Unpacked) || sum > uint64(limits.Unpacked) {
			return nil, hub.Errorf(hub.TooLarge, "the files of the archive have more than %d bytes together", limits.Unpacked)
		}
	}
	if sum > 1<<20 && sum > uint64(size*limits.Ratio) {
		return nil, hub.Errorf(hub.TooLarge, "the archive unpacks to more than %d times its size", limits.Ratio).WithHint("it looks like a decompression bomb")
	}
	return z, nil
}

func (z *Zip) entry(f *zip.File, seen *tree) error {
	dir := strings.HasSuffix(f.Name, "/")
	name := strings.TrimPrefix(strings.TrimSuffix(f.Name, "/"), "./")
	if dir && (name == "" || name == ".") {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	mode := f.Mode()
	switch {
	case mode&fs.ModeSymlink != 0:
		return hub.Errorf(hub.Invalid, "%s is a link; an archive has only files", show(name))
	case mode&(fs.ModeDevice|fs.ModeCharDevice|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeIrregular) != 0:
		return hub.Errorf(hub.Invalid, "%s is a device or pipe; an archive has only files", show(name))
	case mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0:
		return hub.Errorf(hub.Invalid, "%s has a set-user-ID, set-group-ID or sticky bit", show(name))
	case mode.IsDir() != dir:
		return hub.Errorf(hub.Invalid, "%s is both a file and a directory", show(name))
	case f.Flags&1 != 0:
		return hub.Errorf(hub.Invalid, "%s is encrypted", show(name))
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return hub.Errorf(hub.Invalid, "%s is packed by the method %d, which is not read", show(name), f.Method)
	}
	if err := seen.add(name, dir); err != nil || dir {
		return err
	}
	z.files, z.names = append(z.files, f), append(z.names, name)
	return nil
}

// Has reports whether there is a file of this path.
func (z *Zip) Has(name string) bool {
	for _, n := range z.names {
		if n == name {
			return true
		}
	}
	return false
}

// Read returns the bytes of a file. NotFound when it is not there; TooLarge when it has more than limit; Malformed when
// it is damaged.
func (z *Zip) Read(name string, limit int64) ([]byte, error) {
	for i, n := range z.names {
		if n != name {
			continue
		}
		f := z.files[i]
		if f.UncompressedSize64 > uint64(limit) {
			return nil, hub.Errorf(hub.TooLarge, "%s has %d bytes; at most %d are read", show(name), f.UncompressedSize64, limit)
		}
		body, err := f.Open()
		if err != nil {
			return nil, damaged(name, err)
		}
		defer body.Close()
		data, err := io.ReadAll(io.LimitReader(body, limit+1))
		if err != nil || int64(len(data)) > limit {
			return nil, damaged(name, err)
		}
		return data, nil
	}
	return nil, hub.Errorf(hub.NotFound, "the archive has no file %s", show(name))
}

// Unpack writes all files to dir, which is there and empty. exec names files that may be executed whatever the archive
// says. What was written stays when it fails; errors are those of Read.
func (z *Zip) Unpack(dir string, exec ...string) error {
	root, err := os.OpenRoot(dir) // the names were checked; this is the second lock on the same door
	if err != nil {
		return err
	}
	defer root.Close()
	var written int64
	for i, f := range z.files {
		e := Entry{Path: z.names[i], Size: int64(f.UncompressedSize64), Exec: f.Mode()&0o111 != 0}
		for _, name := range exec {
			e.Exec = e.Exec || name == e.Path
		}
		body, err := f.Open()
		if err != nil {
			return damaged(e.Path, err)
		}
		from := &readWatcher{r: &exactly{r: body, left: e.Size}}
		err = writeEntry(root, e, from)
		body.Close()
		if from.err != nil {
			return damaged(e.Path, from.err)
		}
		if err != nil {
			return err
		}
		if written += e.Size; written > z.limits.Unpacked {
			return hub.Errorf(hub.TooLarge, "the files of the archive have more than %d bytes together", z.limits.Unpacked)
		}
	}
	return nil
}

func damaged(name string, err error) error {
	if err == nil {
		err = errLonger
	}
	return hub.Errorf(hub.Malformed, "%s in the archive is damaged: %v", show(name), err).WithCause(err)
}

var errLonger = errors.New("it is longer than its head says")

// exactly ends with an error when more comes than was promised.
type exactly struct {
	r    io.Reader
	left int64
}

func (x *exactly) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if x.left -= int64(n); x.left < 0 {
		return 0, errLonger
	}
	return n, err
}

// boundedReader stops who reads a directory without end.
type boundedReader struct {
	r    io.ReaderAt
	left int64
	free bool
	err  error
}

func (b *boundedReader) ReadAt(p []byte, off int64) (int, error) {
	if b.free {
		return b.r.ReadAt(p, off)
	}
	if b.left -= int64(len(p)); b.left < 0 {
		b.err = hub.Errorf(hub.TooLarge, "the directory of the archive has more than %d bytes", maxDirectory)
		return 0, b.err
	}
	return b.r.ReadAt(p, off)
}
