package pin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/registry/pkg/model"
)

const (
	recentTime  = time.Hour // that a resolution counts for other projects
	recentFiles = 500       // that are kept
	maxRecent   = 16 << 20  // bytes of one
)

// recentPath is where the resolution of a package is kept for an hour, "" when it is not: one of a tag or of the newest
// version must be asked for anew. Settings of the package managers that come with the environment are part of the name.
func (t Tools) recentPath(p Package) string {
	if t.Recent == "" || !startsWithDigit.MatchString(p.Version) {
		return ""
	}
	var set []string
	for _, kv := range t.Environ {
		name, _, _ := strings.Cut(strings.ToLower(kv), "=")
		for _, prefix := range []string{"npm_config_", "uv_", "pip_", "home=", "userprofile="} {
			if strings.HasPrefix(name+"=", prefix) {
				set = append(set, kv)
			}
		}
	}
	slices.Sort(set)
	key, err := json.Marshal([]any{p, set, t.uses(p)})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(key)
	return filepath.Join(t.Recent, hex.EncodeToString(sum[:])+".json")
}

// uses names the program that resolves a package of PyPI: what uv and pip find differs.
func (t Tools) uses(p Package) string {
	if p.Type != model.RegistryTypePyPI {
		return ""
	}
	path, _ := t.find("", "uv", "pip3", "pip") // none finds nothing, and keeps nothing
	return path
}

// recent returns what a package was resolved to within the hour, nil when it was not. What cannot be read is none.
func (t Tools) recent(p Package) *Document {
	path := t.recentPath(p)
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || time.Since(st.ModTime()).Abs() > recentTime {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxRecent))
	if err != nil {
		return nil
	}
	d, err := ParseDocument(raw)
	if err != nil || !d.Is(p) {
		return nil
	}
	return d
}

// remember keeps what a package was resolved to. What cannot be kept is resolved again.
func (t Tools) remember(p Package, d *Document) {
	path := t.recentPath(p)
	raw, err := d.Canonical()
	if path == "" || err != nil || os.MkdirAll(t.Recent, 0o700) != nil {
		return
	}
	t.forgetOld()
	f, err := os.CreateTemp(t.Recent, "new-*")
	if err != nil {
		return
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // forgetOld takes what is left
	}
}

// forgetOld removes what no longer counts, and everything when it is too much.
func (t Tools) forgetOld() {
	entries, err := os.ReadDir(t.Recent)
	if err != nil {
		return
	}
	for _, e := range entries {
		st, err := e.Info()
		if err == nil && (len(entries) > recentFiles || time.Since(st.ModTime()).Abs() > recentTime) {
			_ = os.Remove(filepath.Join(t.Recent, e.Name())) // another mcpm may have done it
		}
	}
}
