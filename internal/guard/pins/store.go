package pins

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// Key says whose tools a file is about. Another version is another key: updating to it was a decision of its own.
type Key struct {
	Server   string `json:"server"`
	Version  string `json:"version"`
	Manifest string `json:"manifest"` // digest of its mcp.json
	Project  string `json:"project"`  // directory
	Entry    string `json:"entry"`    // of servers in its mcp.json
}

// File is what is known of the tools of one server.
type File struct {
	Key
	Complete bool               `json:"complete"` // all tools were seen once: one that is not here is new
	Tools    map[string]Pin     `json:"tools"`
	Waiting  map[string]Waiting `json:"waiting,omitempty"`

	changed bool
}

// Store is the file of one key.
type Store struct {
	path     string
	key      Key
	declared map[string]Declared
}

const (
	maxFile  = 32 << 20 // bytes
	maxTools = 10_000   // different definitions in one file
)

// Open names the store of a key below dir, where every server has a file. declared is what its manifest says of its tools.
func Open(dir string, key Key, declared map[string]Declared) *Store {
	sum := sha256.Sum256([]byte(strings.Join([]string{key.Server, key.Manifest, key.Project, key.Entry}, "\x00")))
	return &Store{path: filepath.Join(dir, hex.EncodeToString(sum[:12])+".json"), key: key, declared: declared}
}

// Closed reports whether the publisher declared definitions, so that a tool which is not among them is not the publisher's.
func (s *Store) Closed() bool { return len(s.declared) > 0 }

// Stamp changes when the file does; "" while there is none.
func (s *Store) Stamp() string {
	info, err := os.Stat(s.path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size())
}

// Trusted changes when other definitions are trusted; "" when the file cannot be read.
func (s *Store) Trusted() string {
	f, err := s.Read()
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.Tools)) {
		b.WriteString(f.Tools[name].Digest)
	}
	return digest([]byte(b.String()))
}

// Read returns what is known; an empty file when nothing is. Invalid when it was damaged.
func (s *Store) Read() (*File, error) {
	f, err := readFile(s.path)
	if err != nil {
		return nil, err
	}
	if f == nil {
		f = &File{}
	}
	f.Key = s.key
	return f, nil
}

func readFile(path string) (*File, error) {
	data, err := install.ReadFile(path, maxFile)
	if err != nil || data == nil {
		return nil, err
	}
	f := &File{}
	if err := json.Unmarshal(data, f); err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s is damaged: %v", path, err).WithHint("remove it, and the tools are taken as they are at the next use")
	}
	for name, p := range f.Tools {
		if digest(p.Definition) != p.Digest {
			var b []byte // the file is indented, and so are the definitions in it
			if t, err := Read(p.Definition); err == nil {
				b = t.Definition
			}
			if digest(b) != p.Digest {
				return nil, hub.Errorf(hub.Invalid, "%s is damaged: the definition of %q is not the one of its digest", path, name).
					WithHint("remove it, and the tools are taken as they are at the next use")
			}
			p.Definition = b
			f.Tools[name] = p
		}
	}
	for name, w := range f.Waiting {
		if t, err := Read(w.Definition); err == nil {
			w.Definition = t.Definition
			f.Waiting[name] = w
		}
	}
	return f, nil
}

// Judge judges what a server listed, and records what is new. complete says that tools are all there are. The answer has the
// reason of each tool that is not to be used, by its name. first says that all tools were never seen before.
func (s *Store) Judge(tools []Tool, complete bool, now time.Time) (blocked map[string]string, first bool, err error) {
	err = s.update(func(f *File) error {
		blocked, first = map[string]string{}, complete && !f.Complete
		for _, t := range tools {
			if reason := f.Judge(t, s.declared, now); reason != "" {
				blocked[t.Name] = reason
			}
		}
		if complete {
			f.seen(tools)
		}
		if n := len(f.Tools) + len(f.Waiting); n > maxTools {
			return fmt.Errorf("it listed %d different tools since it was first used; at most %d are kept", n, maxTools)
		}
		return nil
	})
	return blocked, first, err
}

// seen notes that tools are all there are: what waits and is not there any more need not be accepted.
func (f *File) seen(tools []Tool) {
	if !f.Complete {
		f.Complete, f.changed = true, true
	}
	for name := range f.Waiting {
		if !slices.ContainsFunc(tools, func(t Tool) bool { return t.Name == name }) {
			delete(f.Waiting, name)
			f.changed = true
		}
	}
}

// update changes the file under its lock. Two programs wait for one another; what does not change is not written.
func (s *Store) update(fn func(*File) error) error {
	f, err := s.Read()
	if err != nil {
		return err
	}
	f.ready()
	if err := fn(f); err != nil || !f.changed {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(s.path + ".lock").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if f, err = s.Read(); err != nil { // another program may have been here
		return err
	}
	f.ready()
	if err := fn(f); err != nil || !f.changed {
		return err
	}
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	if len(text) >= maxFile {
		return fmt.Errorf("the definitions of its tools have %d bytes; at most %d are kept", len(text), maxFile)
	}
	return install.WriteFile(s.path, append(text, '\n'), 0o600)
}

func (f *File) ready() {
	if f.Tools == nil {
		f.Tools = map[string]Pin{}
	}
	if f.Waiting == nil {
		f.Waiting = map[string]Waiting{}
	}
}

// Accept trusts definitions that wait, by name and digest: what changed since it was shown goes on waiting, and is returned.
func (s *Store) Accept(shown map[string]string, now time.Time) (changed []string, err error) {
	err = s.update(func(f *File) error {
		changed = nil
		for _, name := range slices.Sorted(maps.Keys(shown)) {
			w, waits := f.Waiting[name]
			if !waits || w.Digest != shown[name] {
				changed = append(changed, name)
				continue
			}
			f.pin(Tool{Name: name, Definition: w.Definition, Digest: w.Digest}, FromPerson, now)
		}
		return nil
	})
	return changed, err
}

// Of returns the stores below dir of a server of a project, in the version that a manifest's digest names.
func Of(dir, server, project, manifest string) ([]*Store, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []*Store
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		f, err := readFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if f != nil && f.Server == server && f.Project == project && f.Manifest == manifest {
			out = append(out, Open(dir, f.Key, nil))
		}
	}
	return out, nil
}
