package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

// recordsName is the first entry of a backup: all records as JSON lines, from one snapshot. The blobs
// follow it; they never change, so reading them later than the snapshot is safe.
const recordsName = "records.jsonl"

func newBackup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write everything into one file", Args: cobra.ExactArgs(1),
		Long:    "Write the records, from one consistent snapshot, every bundle and all container images into one .tar.gz. Works beside a running hub. The file holds password hashes and the signing key: keep it like the database. The search index is not in it; it is filled anew.",
		Example: "  mcphub admin backup hub-2026-11-22.tar.gz",
		RunE: func(cmd *cobra.Command, args []string) error {
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				n, err := writeBackup(ctx, d, d.blobs, args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s holds all records and %s\n", args[0], n)
				return nil
			})
		},
	}
}

// contents counts what a backup holds besides the records.
type contents struct {
	bundles int
	images  int // files of the registry of container images
}

// String says it for people.
func (n contents) String() string {
	out := fmt.Sprintf("%d bundles", n.bundles)
	if n.bundles == 1 {
		out = "1 bundle"
	}
	if n.images > 0 {
		out += fmt.Sprintf(", and %d files of container images", n.images)
	}
	return out
}

// writeBackup writes beside the target and renames at the end: a file of that name is always whole.
func writeBackup(ctx context.Context, d *desk, blobs *blobstore.Store, path string) (n contents, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".backup-*")
	if err != nil {
		return n, hub.Errorf(hub.Unavailable, "cannot write beside %s: %v", path, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	zip := gzip.NewWriter(f)
	out := tar.NewWriter(zip)
	if err := addRecords(ctx, d, out); err != nil {
		return n, err
	}
	err = blobs.List(ctx, func(digest string) error {
		n.bundles++
		return addBlob(ctx, blobs, out, digest)
	})
	if err == nil {
		n.images, err = addImages(ctx, blobs.Images(), out)
	}
	if err = errors.Join(err, out.Close(), zip.Close(), f.Sync(), f.Close()); err != nil {
		return n, fmt.Errorf("write backup: %w", err)
	}
	return n, os.Rename(f.Name(), path)
}

// addRecords dumps into a temporary file first: tar wants the size before the bytes.
func addRecords(ctx context.Context, d *desk, out *tar.Writer) error {
	tmp, err := os.CreateTemp("", "mcphub-records-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := d.store.Dump(ctx, tmp); err != nil {
		return err
	}
	size, err := tmp.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := out.WriteHeader(&tar.Header{Name: recordsName, Mode: 0o600, Size: size}); err != nil {
		return err
	}
	_, err = io.Copy(out, tmp)
	return err
}

func addBlob(ctx context.Context, blobs hub.Blobs, out *tar.Writer, digest string) error {
	size, err := blobs.Size(ctx, digest)
	if err != nil {
		return err
	}
	r, err := blobs.Open(ctx, digest, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := out.WriteHeader(&tar.Header{Name: "blobs/" + strings.ReplaceAll(digest, ":", "/"), Mode: 0o600, Size: size}); err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return err
}

func newRestore() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Fill an empty hub from a backup", Args: cobra.ExactArgs(1),
		Long:    "Fill an empty database and blob store from a file made by backup. Every bundle and every blob of an image is checked against its digest. A hub that has anything in it is refused.",
		Example: "  mcphub admin restore hub-2026-11-22.tar.gz --data new-data",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			log, err := newLog(c)
			if err != nil {
				return err
			}
			f, err := openBackup(args[0]) // before a directory is made for it
			if err != nil {
				return err
			}
			defer f.Close()
			ctx := cmd.Context()
			store, err := openStore(ctx, c, log, false)
			if err != nil {
				return err
			}
			defer store.Close()
			blobs, err := openBlobs(ctx, c)
			if err != nil {
				return err
			}
			n, err := readBackup(ctx, f, store.Load, blobs)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "All records and %s are back. Start the hub: mcphub serve%s\n", n, sameStore(cmd))
			return nil
		},
	}
}

// openBackup opens a file whose first entry is that of a backup.
func openBackup(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, hub.Errorf(hub.NotFound, "cannot read %s: %v", path, err)
	}
	zip, err := gzip.NewReader(f)
	if err == nil {
		var head *tar.Header
		if head, err = tar.NewReader(zip).Next(); err == nil && head.Name != recordsName {
			err = errors.New("its first entry is " + head.Name)
		}
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, notBackup.WithCause(err)
	}
	return f, nil
}

var notBackup = hub.Errorf(hub.Invalid, "this is not a backup made by mcphub admin backup")

// sameStore repeats the flags that say which hub a command was about.
func sameStore(cmd *cobra.Command) string {
	out := ""
	for _, name := range []string{"data", "database", "blobs"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			out += " --" + name + " " + f.Value.String()
		}
	}
	return out
}

// readBackup loads the bundles before the records are believed to be whole: the records are the first
// entry, so a file that ends early fails here, and the half-filled hub says what is missing.
func readBackup(ctx context.Context, r io.Reader, load func(context.Context, io.Reader) error, blobs *blobstore.Store) (n contents, err error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return n, notBackup.WithCause(err)
	}
	in := tar.NewReader(zip)
	head, err := in.Next()
	if err != nil || head.Name != recordsName {
		return n, notBackup.WithCause(err)
	}
	if err := load(ctx, in); err != nil {
		return n, err
	}
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, hub.Errorf(hub.Integrity, "the backup ends early or is damaged after %s", n).WithHint("use another backup").WithCause(err)
		}
		if name, ok := strings.CutPrefix(head.Name, imagesPrefix); ok {
			if err := restoreImage(ctx, blobs.Images(), "/"+name, in); err != nil {
				return n, err
			}
			n.images++
			continue
		}
		want := strings.ReplaceAll(strings.TrimPrefix(head.Name, "blobs/"), "/", ":")
		got, _, err := blobs.Write(ctx, in, head.Size)
		if err != nil {
			return n, err
		}
		if got != want {
			return n, hub.Errorf(hub.Integrity, "bundle %s arrived as %s", want, got).WithHint("use another backup")
		}
		n.bundles++
	}
}
