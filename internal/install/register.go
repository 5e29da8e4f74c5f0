package install

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
)

// Registrar keeps the host applications of this machine in step: each installed server is an entry of
// their files that runs "mcpm run". What it changed is recorded in MCPM_HOME/hosts.json, so that taking
// the last entry out gives back the file there was, byte for byte.
type Registrar struct {
	Home    Home
	Env     hosts.Env
	Command string            // absolute path of mcpm
	EnvVars map[string]string // what an entry must carry, such as MCPM_HOME when it is not the default
	DryRun  bool              // say what would change, write nothing
}

// Change is what happened to one server in one host's file.
type Change struct {
	Host   hosts.Host
	Path   string
	Server hub.Name
	Key    string // name of the entry
	Action string // added, updated, unchanged, removed, kept (somebody edited it), or failed
	Err    error  // why it failed
}

// record is hosts.json.
type record struct {
	Files map[string]*fileRecord `json:"files"`
}

type fileRecord struct {
	Host    string                 `json:"host"`
	Created bool                   `json:"created,omitempty"` // there was no file
	Dirs    []string               `json:"dirs,omitempty"`    // directories made for it, outermost first
	Backup  string                 `json:"backup,omitempty"`  // copy of the file before the first entry
	Undo    hosts.Undo             `json:"undo,omitzero"`
	Entries map[string]entryRecord `json:"entries"`
}

type entryRecord struct {
	Server  hub.Name `json:"server"`
	Project string   `json:"project,omitempty"` // "" for a global one
}

// Found returns the host applications on this machine: those whose file or directory exists.
func (r *Registrar) Found() []hosts.Host {
	var out []hosts.Host
	for _, h := range hosts.All() {
		if slices.ContainsFunc(h.Traces(r.Env), func(p string) bool { _, err := os.Stat(p); return err == nil }) {
			out = append(out, h)
		}
	}
	return out
}

// Register adds the servers of a project to every host found. A host whose file cannot be edited is
// reported in its Change and does not stop the others. An entry that a person made is never touched.
func (r *Registrar) Register(p Project, names []hub.Name) ([]Change, error) {
	return r.edit(func(h hosts.Host, path string, f *fileRecord) ([]Change, error) {
		return r.registerIn(h, path, f, p, names)
	})
}

// Unregister takes the servers of a project out of every file that has them.
func (r *Registrar) Unregister(p Project, names []hub.Name) ([]Change, error) {
	return r.edit(func(h hosts.Host, path string, f *fileRecord) ([]Change, error) {
		return r.unregisterIn(h, path, f, p, names)
	})
}

func (r *Registrar) edit(fn func(hosts.Host, string, *fileRecord) ([]Change, error)) ([]Change, error) {
	unlock, err := r.Home.lock("hosts")
	if err != nil {
		return nil, err
	}
	defer unlock()
	rec := record{}
	file := r.Home.path("hosts.json")
	if err := readJSON(file, &rec); err != nil {
		return nil, err
	}
	if rec.Files == nil {
		rec.Files = map[string]*fileRecord{}
	}
	before, _ := json.Marshal(rec)
	places := map[string]hosts.Host{}
	for _, h := range r.Found() {
		if p := h.UserPath(r.Env); p != "" {
			places[p] = h
		}
	}
	for p, f := range rec.Files { // a host that is gone may still have a file of ours
		if h, ok := hosts.ByID(f.Host); ok {
			places[p] = h
		}
	}
	paths := make([]string, 0, len(places))
	for p := range places {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(rank(places[a])+a, rank(places[b])+b) })
	var changes []Change
	for _, p := range paths {
		f := rec.Files[p]
		if f == nil {
			f = &fileRecord{Host: places[p].ID, Entries: map[string]entryRecord{}}
		}
		done, err := fn(places[p], p, f)
		if err != nil {
			done = []Change{{Host: places[p], Path: p, Action: "failed", Err: err}}
		}
		changes = append(changes, done...)
		if len(f.Entries) > 0 {
			rec.Files[p] = f
		} else {
			delete(rec.Files, p)
		}
	}
	after, _ := json.Marshal(rec)
	if r.DryRun || bytes.Equal(before, after) {
		return changes, nil
	}
	return changes, writeJSON(file, rec, 0o600)
}

// rank orders files as hosts.All orders hosts.
func rank(h hosts.Host) string {
	i := slices.IndexFunc(hosts.All(), func(x hosts.Host) bool { return x.ID == h.ID })
	return fmt.Sprintf("%02d ", i)
}

func (r *Registrar) registerIn(h hosts.Host, path string, f *fileRecord, p Project, names []hub.Name) ([]Change, error) {
	text, err := ReadFile(path, 64<<20)
	if err != nil {
		return nil, err
	}
	missing := text == nil
	was := text
	have, err := h.Entries(text)
	if err != nil {
		return nil, inFile(path, err)
	}
	if have == nil {
		have = map[string]json.RawMessage{}
	}
	next := &fileRecord{Host: f.Host, Created: f.Created, Dirs: f.Dirs, Backup: f.Backup, Undo: f.Undo, Entries: map[string]entryRecord{}}
	for k, e := range f.Entries {
		if _, ok := have[k]; ok { // somebody may have removed ours by hand
			next.Entries[k] = e
		}
	}
	if len(next.Entries) == 0 {
		next.Created, next.Dirs, next.Backup, next.Undo = missing, nil, "", hosts.Undo{}
	}
	var changes []Change
	for _, name := range names {
		value, err := hosts.Render(h, r.entry(p, name))
		if err != nil {
			return nil, err
		}
		key, action := next.place(h, p, name, have, value)
		c := Change{Host: h, Path: path, Server: name, Key: key, Action: action}
		changes = append(changes, c)
		if action == "unchanged" || action == "kept" {
			continue
		}
		if action == "updated" {
			if value, err = hosts.Merge(h, have[key], value); err != nil {
				return nil, err
			}
			if text, err = h.Remove(text, key, hosts.Undo{}, false); err != nil {
				return nil, inFile(path, err)
			}
		}
		out, undo, err := h.Insert(text, key, value)
		if err != nil {
			return nil, inFile(path, err)
		}
		if len(next.Entries) == 0 && action == "added" {
			next.Undo = undo
		}
		text, have[key] = out, value
		next.Entries[key] = entryRecord{name, p.valuesKey()}
	}
	if !r.DryRun {
		if !bytes.Equal(text, was) {
			if err := r.write(path, was, text, missing, next); err != nil {
				return nil, err
			}
		}
		*f = *next
	}
	return changes, nil
}

// inFile says in which file an edit failed, and keeps what to do about it.
func inFile(path string, err error) error {
	out := hub.Errorf(hub.Invalid, "%s: %s", path, err.Error()).WithCause(err)
	if e := (*hub.Error)(nil); errors.As(err, &e) {
		out.Hint = e.Hint
	}
	return out
}

// write saves the file, after a copy of what was there before the first entry.
func (r *Registrar) write(path string, was, text []byte, missing bool, f *fileRecord) error {
	if missing {
		for d := filepath.Dir(path); ; d = filepath.Dir(d) {
			if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
				break
			}
			f.Dirs = append([]string{d}, f.Dirs...)
		}
	} else if f.Backup == "" && !f.Created {
		backup := r.Home.path("backups", f.Host+"-"+shortHash(path)+".mcpm-backup")
		if err := WriteFile(backup, was, 0o600); err != nil {
			return err
		}
		f.Backup = backup
	}
	return WriteFile(path, text, 0o600)
}

func (r *Registrar) unregisterIn(h hosts.Host, path string, f *fileRecord, p Project, names []hub.Name) ([]Change, error) {
	var keys []string
	for key, e := range f.Entries {
		if e.Project == p.valuesKey() && slices.Contains(names, e.Server) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Sort(keys)
	text, err := ReadFile(path, 64<<20)
	if err != nil {
		return nil, err
	}
	was := text
	have, err := h.Entries(text)
	if err != nil {
		return nil, inFile(path, err)
	}
	entries := map[string]entryRecord{}
	for k, e := range f.Entries {
		entries[k] = e
	}
	var changes []Change
	for _, key := range keys {
		e := entries[key]
		delete(entries, key)
		c := Change{Host: h, Path: path, Server: e.Server, Key: key, Action: "removed"}
		if value, ok := have[key]; ok && !runsServer(h, value, e.Server) {
			c.Action = "kept"
		} else if ok {
			if text, err = h.Remove(text, key, f.Undo, len(entries) == 0); err != nil {
				return nil, inFile(path, err)
			}
		}
		changes = append(changes, c)
	}
	if r.DryRun {
		return changes, nil
	}
	if err := r.restore(path, was, text, f, len(entries) == 0); err != nil {
		return nil, err
	}
	f.Entries = entries
	return changes, nil
}

// restore saves the file with entries taken out; one that mcpm made and nobody else used is removed.
func (r *Registrar) restore(path string, was, text []byte, f *fileRecord, last bool) error {
	if last && f.Created && len(bytes.TrimSpace(text)) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError(err)
		}
		for i := len(f.Dirs) - 1; i >= 0; i-- {
			if os.Remove(f.Dirs[i]) != nil { // not empty: somebody uses it
				break
			}
		}
		return nil
	}
	if bytes.Equal(was, text) {
		return nil
	}
	if err := WriteFile(path, text, 0o600); err != nil {
		return err
	}
	if last && f.Backup != "" {
		os.Remove(f.Backup) // the file is what the backup was, plus what others wrote since
	}
	return nil
}

// place finds the entry for a server, or a free name for one: the server's own, then with its scope,
// then with the project's directory.
func (f *fileRecord) place(h hosts.Host, p Project, name hub.Name, have map[string]json.RawMessage, value json.RawMessage) (key, action string) {
	for k, e := range f.Entries {
		if e.Server == name && e.Project == p.valuesKey() {
			if !runsServer(h, have[k], name) {
				return k, "kept"
			}
			// what a person or the host added to ours, a switch that is off, is theirs
			if merged, err := hosts.Merge(h, have[k], value); err == nil && sameJSON(have[k], merged) {
				return k, "unchanged"
			}
			return k, "updated"
		}
	}
	scoped := strings.ReplaceAll(name.Scope(), ".", "-") + "-" + name.Base()
	names := []string{name.Base(), scoped}
	if !p.Global {
		names = append(names, name.Base()+"-"+filepath.Base(p.Dir), scoped+"-"+filepath.Base(p.Dir))
	}
	for _, k := range names {
		if _, taken := have[k]; !taken {
			return k, "added"
		}
	}
	for i := 2; ; i++ {
		k := fmt.Sprintf("%s-%d", scoped, i)
		if _, taken := have[k]; !taken {
			return k, "added"
		}
	}
}

func (r *Registrar) entry(p Project, name hub.Name) hosts.Entry {
	e := hosts.RunEntry(r.Command, name.String())
	if !p.Global {
		e.Args = append(e.Args, "-C", p.Dir)
	}
	e.Env = r.EnvVars
	return e
}

// runsServer reports whether an entry still is one of ours: it runs the server through mcpm, whatever a
// person added to it.
func runsServer(h hosts.Host, value json.RawMessage, name hub.Name) bool {
	line := hosts.Runs(h, value)
	return len(line) >= 3 && line[1] == "run" && line[2] == name.String()
}

// sameJSON compares values: the order of members means nothing.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// shortHash names a path in a file name.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// Where returns the host applications that have an entry for each server of a project, as recorded.
func (r *Registrar) Where(p Project) (map[hub.Name][]string, error) {
	rec := record{}
	if err := readJSON(r.Home.path("hosts.json"), &rec); err != nil {
		return nil, err
	}
	out := map[hub.Name][]string{}
	for _, h := range hosts.All() { // their order
		for _, f := range rec.Files {
			if f.Host != h.ID {
				continue
			}
			for _, e := range f.Entries {
				if e.Project == p.valuesKey() && !slices.Contains(out[e.Server], h.ID) {
					out[e.Server] = append(out[e.Server], h.ID)
				}
			}
		}
	}
	return out, nil
}
