package images

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/mcphub/mcphub/internal/bundle"
)

// Archive writes an image as a tar archive of an OCI image layout, which podman load, skopeo and docker load (from version 25 on) take.
// The same image is the same bytes. tag is what the image is called in it.
func Archive(img *Image, tag string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "mcpm-layout-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := at.AppendIndex(img.Index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})); err != nil {
		return err
	}
	var files []bundle.File
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files = append(files, bundle.File{Path: filepath.ToSlash(rel), Size: info.Size(), Mode: 0o644})
		return err
	})
	if err != nil {
		return err
	}
	return bundle.WriteTar(out, dir, "", files)
}
