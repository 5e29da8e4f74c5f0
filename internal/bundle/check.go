package bundle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/trust"
)

// What Check keeps of the files at the root.
const (
	MaxManifest = 1 << 20   // bytes of mcp.json; a longer one is refused
	MaxReadme   = 256 << 10 // bytes of the README; a longer one is cut
)

// Info is what Check found in an archive.
type Info struct {
	hub.Bundle         // digest, integrity, packed size and number of files
	Unpacked   int64   // bytes of all files
	Manifest   []byte  // mcp.json at the root; nil when there is none
	Readme     []byte  // README at the root, at most MaxReadme bytes; untrusted
	Entries    []Entry // all files in the order of the archive
}

// Entry is one file of an archive.
type Entry struct {
	Path string
	Size int64
	Exec bool
}

// Check reads a bundle to its end without writing anything. The archive may come from anybody. It fails
// with Malformed when it is no gzipped tar, with TooLarge over a limit, with Invalid on what no honest
// bundle has: absolute or escaping paths, links, devices, names that differ only in case, names some
// machine cannot hold, set-user-ID bits, bytes after the end. An error of r itself is returned as it is.
func Check(r io.Reader, limits Limits) (Info, error) {
	return walk(r, limits, func(Entry, io.Reader) error { return nil })
}

// walk goes through an archive and hands each checked file to visit, which may read it or not.
func walk(r io.Reader, limits Limits, visit func(Entry, io.Reader) error) (Info, error) {
	limits = limits.orDefault()
	w := &walker{limits: limits, visit: visit, tree: newTree(limits.Files), sum: trust.NewHasher()}
	w.src = &source{r: io.TeeReader(r, w.sum), limit: limits.Packed}
	err := w.run()
	if w.src.err != nil {
		return Info{}, w.src.err
	}
	if err != nil {
		return Info{}, err
	}
	w.info.Bundle = hub.Bundle{Digest: w.sum.SHA256(), Integrity: w.sum.SRI512(), Size: w.sum.Size(), Files: len(w.info.Entries)}
	return w.info, nil
}

type walker struct {
	limits  Limits
	visit   func(Entry, io.Reader) error
	tree    *tree
	sum     *trust.Hasher
	src     *source
	out     *expander
	entries int
	info    Info
	readme  string
}

func (w *walker) run() error {
	buffered := bufio.NewReader(w.src)
	gz, err := gzip.NewReader(buffered)
	if err != nil {
		return hub.Errorf(hub.Malformed, "the archive is not gzipped").WithHint("a bundle is a .tgz, as mcpm publish makes it").WithCause(err)
	}
	gz.Multistream(false)
	w.out = &expander{r: gz, src: w.src, limits: w.limits}
	tr := tar.NewReader(w.out)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return w.broken(err)
		}
		if err := w.entry(h, tr); err != nil {
			return err
		}
	}
	return w.end(buffered)
}

// broken turns an error of gzip or tar into ours; one that is ours already stays.
func (w *walker) broken(err error) error {
	if hub.KindOf(err) != "" {
		return err
	}
	return hub.Errorf(hub.Malformed, "the archive is damaged: %v", err).WithCause(err)
}

func (w *walker) entry(h *tar.Header, body io.Reader) error {
	if w.entries++; w.entries > w.limits.Files {
		return hub.Errorf(hub.TooLarge, "the archive has more than %d entries", w.limits.Files)
	}
	dir := h.Typeflag == tar.TypeDir
	name := h.Name
	if dir {
		name = strings.TrimSuffix(name, "/")
		if name == "." {
			return nil // what "tar c ." puts first
		}
	}
	name = strings.TrimPrefix(name, "./")
	if err := checkName(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeLink, tar.TypeSymlink:
		return hub.Errorf(hub.Invalid, "%s is a link to %s; a bundle has no links", show(name), show(h.Linkname))
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return hub.Errorf(hub.Invalid, "%s is a device or pipe; a bundle has only files", show(name))
	default:
		return hub.Errorf(hub.Invalid, "%s is an entry of type %q; a bundle has only files", show(name), h.Typeflag)
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse") {
			return hub.Errorf(hub.Invalid, "%s is a sparse file; a bundle has only plain ones", show(name))
		}
	}
	if h.Mode&0o7000 != 0 {
		return hub.Errorf(hub.Invalid, "%s has a set-user-ID, set-group-ID or sticky bit", show(name))
	}
	if err := w.tree.add(name, dir); err != nil {
		return err
	}
	if dir {
		return nil
	}
	if w.info.Unpacked += h.Size; w.info.Unpacked > w.limits.Unpacked {
		return hub.Errorf(hub.TooLarge, "the files of the archive have more than %d bytes together", w.limits.Unpacked)
	}
	e := Entry{Path: name, Size: h.Size, Exec: h.Mode&0o111 != 0}
	w.info.Entries = append(w.info.Entries, e)
	return w.body(e, body)
}

// body keeps mcp.json and the README, and hands the file on.
func (w *walker) body(e Entry, body io.Reader) error {
	var kept *[]byte
	limit := int64(MaxReadme)
	switch {
	case e.Path == "mcp.json":
		if e.Size > MaxManifest {
			return hub.Errorf(hub.TooLarge, "mcp.json has %d bytes; at most %d are allowed", e.Size, MaxManifest)
		}
		kept, limit = &w.info.Manifest, MaxManifest
	case betterReadme(e.Path, w.readme):
		w.readme = e.Path
		kept = &w.info.Readme
	}
	if kept == nil {
		if err := w.visit(e, body); err != nil {
			return w.broken(err)
		}
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(body, limit))
	if err != nil {
		return w.broken(err)
	}
	if err := w.visit(e, io.MultiReader(bytes.NewReader(head), body)); err != nil {
		return w.broken(err)
	}
	*kept = bytes.ToValidUTF8(head, nil)
	if e.Path == "mcp.json" {
		*kept = head // its digest counts; whether it is UTF-8 is for its parser to say
	}
	return nil
}

// betterReadme reports whether name is a README at the root and to be preferred to the one found before.
func betterReadme(name, before string) bool {
	rank := func(s string) int {
		switch strings.ToLower(s) {
		case "readme.md":
			return 3
		case "readme.markdown":
			return 2
		case "readme", "readme.txt":
			return 1
		}
		return 0
	}
	return rank(name) > rank(before)
}

// end checks that nothing but padding follows the last entry, and nothing at all the compressed stream.
func (w *walker) end(rest *bufio.Reader) error {
	buf := make([]byte, 4096)
	for {
		n, err := w.out.Read(buf)
		if bytes.Trim(buf[:n], "\x00") != nil && len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return hub.Errorf(hub.Invalid, "there are bytes after the end of the archive")
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return w.broken(err)
		}
	}
	if _, err := rest.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return hub.Errorf(hub.Invalid, "there are bytes after the end of the compressed data")
	}
	return nil
}

// source counts what is read of the archive and remembers the first error that was not ours to judge.
type source struct {
	r     io.Reader
	n     int64
	limit int64
	err   error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.n += int64(n); s.n > s.limit {
		s.err = hub.Errorf(hub.TooLarge, "the archive has more than %d bytes", s.limit)
		return 0, s.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// expander counts what comes out of the decompressor and stops a bomb.
type expander struct {
	r      io.Reader
	src    *source
	n      int64
	limits Limits
}

func (x *expander) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	x.n += int64(n)
	// Headers and padding come on top of the files: at most three blocks for each, and the end mark.
	if x.n > x.limits.Unpacked+int64(x.limits.Files)*1536+1<<20 {
		return 0, hub.Errorf(hub.TooLarge, "the archive unpacks to more than %d bytes", x.limits.Unpacked)
	}
	if x.n > 1<<20 && x.n > x.src.n*x.limits.Ratio {
		return 0, hub.Errorf(hub.TooLarge, "the archive unpacks to more than %d times its size", x.limits.Ratio).
			WithHint("it looks like a decompression bomb")
	}
	return n, err
}
