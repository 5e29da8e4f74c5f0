package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/trust"
)

// File is one file that goes into a bundle.
type File struct {
	Path string      // slash-separated, below the root
	Size int64       // bytes
	Mode fs.FileMode // 0644, or 0755 when anybody may execute it

	Content []byte // of Size bytes, written in place of what the file holds; nil is what it holds
}

// Options of Pack. The zero value has the default limits.
type Options struct {
	Limits Limits
}

// Pack lists what a bundle of the tree at root holds, by path. It leaves out what .gitignore and
// .mcpmignore say (nested, with negation, as git reads them; .mcpmignore has the last word), version
// control and .env files. A link to a file of the tree counts as that file. It fails with Invalid on a
// link that leaves the tree or leads to a directory, on devices and sockets, on names that other machines
// cannot hold, and with TooLarge over the limits.
func Pack(root string, opts Options) ([]File, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, hub.Errorf(hub.NotFound, "cannot open the directory %s", show(root)).WithCause(err)
	}
	defer r.Close()
	limits := opts.Limits.orDefault()
	p := &packer{root: r, fsys: r.FS(), limits: limits, tree: newTree(limits.Files)}
	if err := p.dir(".", nil); err != nil {
		return nil, err
	}
	sort.Slice(p.files, func(i, j int) bool { return p.files[i].Path < p.files[j].Path })
	return p.files, nil
}

type packer struct {
	root   *os.Root
	fsys   fs.FS
	limits Limits
	tree   *tree
	files  []File
	size   int64
}

func (p *packer) dir(dir string, sets []ruleSet) error {
	set, err := readRules(p.fsys, dir)
	if err != nil {
		return err
	}
	if len(set.rules) > 0 {
		sets = append(sets[:len(sets):len(sets)], set)
	}
	entries, err := fs.ReadDir(p.fsys, dir)
	if err != nil {
		return hub.Errorf(hub.Invalid, "cannot read the directory %s", show(dir)).WithCause(err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if alwaysOut(e.Name()) || ignored(sets, name, e.IsDir()) {
			continue
		}
		if e.IsDir() {
			err = p.dir(name, sets)
		} else {
			err = p.file(name, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *packer) file(name string, e fs.DirEntry) error {
	link := e.Type()&fs.ModeSymlink != 0
	info, err := p.root.Stat(name) // follows links, and fails on those that leave the root
	switch {
	case err != nil && link:
		return hub.Errorf(hub.Invalid, "the link %s leads nowhere, or out of the directory", show(name)).
			WithHint("replace it by the file, or name it in .mcpmignore").WithCause(err)
	case err != nil:
		return hub.Errorf(hub.Invalid, "cannot read %s", show(name)).WithCause(err)
	case info.IsDir():
		return hub.Errorf(hub.Invalid, "the link %s leads to a directory", show(name)).
			WithHint("replace it by the directory, or name it in .mcpmignore")
	case !info.Mode().IsRegular():
		return hub.Errorf(hub.Invalid, "%s is not a file but a %s", show(name), kindOf(info.Mode())).
			WithHint("name it in .mcpmignore")
	}
	if err := checkName(name); err != nil {
		return err
	}
	if err := p.tree.add(name, false); err != nil {
		return err
	}
	p.size += info.Size()
	if len(p.files) == p.limits.Files {
		return hub.Errorf(hub.TooLarge, "more than %d files", p.limits.Files).
			WithHint("name what is not needed to run the server in .mcpmignore")
	}
	if p.size > p.limits.Unpacked {
		return hub.Errorf(hub.TooLarge, "the files have more than %d bytes together", p.limits.Unpacked).
			WithHint("name what is not needed to run the server in .mcpmignore")
	}
	p.files = append(p.files, File{Path: name, Size: info.Size(), Mode: mode(info.Mode())})
	return nil
}

// mode keeps of a file's mode only whether it is a program.
func mode(m fs.FileMode) fs.FileMode {
	if m&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeDevice != 0:
		return "device"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "special file"
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Write writes the bundle of the listed files below root to w and returns what it is. The bytes depend on
// nothing but the paths, contents and executable bits: entries in the order of their paths, no times, no
// owners. A file that changed since Pack listed it is an error; TooLarge when the archive is over the
// packed limit.
func Write(w io.Writer, root string, files []File, opts Options) (hub.Bundle, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return hub.Bundle{}, hub.Errorf(hub.NotFound, "cannot open the directory %s", show(root)).WithCause(err)
	}
	defer r.Close()
	sum := trust.NewHasher()
	limited := &limitWriter{w: io.MultiWriter(w, sum), left: opts.Limits.orDefault().Packed, limit: opts.Limits.orDefault().Packed}
	gz, err := gzip.NewWriterLevel(limited, gzip.BestCompression)
	if err != nil {
		return hub.Bundle{}, err
	}
	tw := tar.NewWriter(gz)
	sorted := append([]File(nil), files...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	for _, f := range sorted {
		if err := writeFile(tw, r, "", f); err != nil {
			return hub.Bundle{}, err
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		return hub.Bundle{}, err
	}
	return hub.Bundle{Digest: sum.SHA256(), Integrity: sum.SRI512(), Size: sum.Size(), Files: len(sorted)}, nil
}

// WriteTar writes the listed files below root to w as a tar archive, each below the directory prefix ("" or with a slash at its
// end). As with Write, the bytes depend on nothing but paths, contents and executable bits, and a file that changed since
// it was listed is an error.
func WriteTar(w io.Writer, root, prefix string, files []File) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return hub.Errorf(hub.NotFound, "cannot open the directory %s", show(root)).WithCause(err)
	}
	defer r.Close()
	tw := tar.NewWriter(w)
	sorted := append([]File(nil), files...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	made := map[string]bool{}
	for _, f := range sorted {
		if err := writeDirs(tw, made, path.Dir(prefix+f.Path)); err != nil {
			return err
		}
		if err := writeFile(tw, r, prefix, f); err != nil {
			return err
		}
	}
	return tw.Close()
}

// writeDirs writes a directory and those it is in, each once.
func writeDirs(tw *tar.Writer, made map[string]bool, dir string) error {
	if dir == "." || made[dir] {
		return nil
	}
	if err := writeDirs(tw, made, path.Dir(dir)); err != nil {
		return err
	}
	made[dir] = true
	return tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: time.Unix(0, 0)})
}

func writeFile(tw *tar.Writer, root *os.Root, prefix string, f File) error {
	if err := checkName(f.Path); err != nil {
		return err
	}
	var src io.Reader = bytes.NewReader(f.Content)
	if f.Content == nil {
		file, err := root.Open(f.Path)
		if err != nil {
			return hub.Errorf(hub.Invalid, "cannot read %s", show(f.Path)).WithCause(err)
		}
		defer file.Close()
		src = file
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: prefix + f.Path, Size: f.Size, Mode: int64(mode(f.Mode)), ModTime: time.Unix(0, 0)}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(tw, src)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && n != f.Size {
		return hub.Errorf(hub.Conflict, "%s changed while it was packed", show(f.Path)).WithHint("pack again")
	}
	return err
}

type limitWriter struct {
	w     io.Writer
	left  int64
	limit int64
}

func (l *limitWriter) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, hub.Errorf(hub.TooLarge, "the bundle has more than %d bytes", l.limit).
			WithHint("name what is not needed to run the server in .mcpmignore")
	}
	return l.w.Write(p)
}
