// Package static serves what pages load: style, scripts and licences. Each file is known under a name with
// the hash of its content, so that browsers may keep it for ever, and is compressed once, when it is first asked for.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets
var files embed.FS

type asset struct {
	name  string // with the hash
	kind  string // Content-Type
	plain []byte
	small func() []byte // compressed
}

// Files are the assets.
type Files struct {
	byName map[string]*asset // under both names
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".svg": "image/svg+xml"}

// Load reads all assets.
func Load() *Files {
	f := &Files{byName: map[string]*asset{}}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		panic("static: " + err.Error()) // they are in the program
	}
	for _, e := range entries {
		b, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			panic("static: " + err.Error())
		}
		sum := sha256.Sum256(b)
		ext := path.Ext(e.Name())
		a := &asset{name: strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext, kind: kinds[ext], plain: b, small: sync.OnceValue(func() []byte { return Gzip(b) })}
		f.byName[e.Name()], f.byName[a.name] = a, a
	}
	return f
}

// Path returns where an asset is found: "/assets/app.0a1b2c3d4e5f.css". It panics for one that does not exist.
func (f *Files) Path(name string) string {
	a := f.byName[name]
	if a == nil {
		panic("static: there is no asset " + name)
	}
	return "/assets/" + a.name
}

// ServeHTTP answers GET /assets/NAME. Only the name with the hash may be kept for ever.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/assets/")
	a := f.byName[name]
	if a == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=60")
	if name == a.name {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if AcceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = a.small()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the browser is gone when this fails
}

// AcceptsGzip reports whether the caller reads gzip.
func AcceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if (coding == "gzip" || coding == "*") && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

// Gzip compresses b as well as it can.
func Gzip(b []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("static: " + err.Error()) // memory does not refuse
	}
	return buf.Bytes()
}
