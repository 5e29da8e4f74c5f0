package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

func (s *server) bundle(ctx context.Context, in *VersionRef) (*huma.StreamResponse, error) {
	v, open, err := s.Registry.Bundle(ctx, in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		h := c.Writer.Header()
		h.Set("Content-Type", "application/gzip")
		h.Set("ETag", `"`+v.Bundle.Digest+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Disposition", "attachment")
		h.Set("Cache-Control", "public, max-age=60")
		if in.Version == v.Version { // a dist-tag moves, a number never does
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		file := &blobFile{open: open, size: v.Bundle.Size}
		defer file.Close()
		r := c.Request
		if r.Context().Value(keyHead) != nil { // so that the bytes are not even read
			r = r.WithContext(r.Context())
			r.Method = http.MethodHead
		}
		// ServeContent knows ranges, If-Range and conditional requests
		http.ServeContent(c.Writer, r, "", time.Time{}, file)
	}}, nil
}

// blobFile is a blob as http.ServeContent wants it: seekable, opened at the place where it is read.
type blobFile struct {
	open func(offset, length int64) (io.ReadCloser, error)
	size int64
	at   int64
	r    io.ReadCloser
}

// Read opens the blob at the current place when it is not open.
func (f *blobFile) Read(p []byte) (int, error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	if f.r == nil {
		r, err := f.open(f.at, -1)
		if err != nil {
			return 0, err
		}
		f.r = r
	}
	n, err := f.r.Read(p)
	f.at += int64(n)
	return n, err
}

// Seek moves the place.
func (f *blobFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	if offset != f.at {
		f.Close()
		f.at = offset
	}
	return offset, nil
}

// Close closes what is open.
func (f *blobFile) Close() error {
	if f.r == nil {
		return nil
	}
	err := f.r.Close()
	f.r = nil
	return err
}
