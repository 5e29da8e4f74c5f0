// Package zip compresses pages, quickly rather than well, and opens what it compressed.
package zip

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// zippers are compressors at rest: one takes most of a megabyte to make.
var zippers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, 3)
	if err != nil {
		panic("zip: " + err.Error()) // the level is a constant
	}
	return w
}}

// Pack compresses quickly rather than well.
func Pack(b []byte) []byte {
	var buf bytes.Buffer
	buf.Grow(len(b)/4 + 256)
	w := zippers.Get().(*gzip.Writer)
	w.Reset(&buf)
	_, _ = w.Write(b) // a buffer does not fail
	_ = w.Close()
	zippers.Put(w)
	return buf.Bytes()
}

// unzippers are decompressors at rest.
var unzippers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// Unpack undoes Pack.
func Unpack(b []byte) ([]byte, error) {
	r := unzippers.Get().(*gzip.Reader)
	defer unzippers.Put(r)
	if err := r.Reset(bytes.NewReader(b)); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(5 * len(b)) // as pages are
	_, err := out.ReadFrom(r)
	return out.Bytes(), err
}
