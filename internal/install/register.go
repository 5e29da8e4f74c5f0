package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/hostrecord"
)

// Registrar keeps the host applications of this machine in step: each installed server is an entry of
// their files that runs "mcpm run". What it changed is recorded in MCPM_HOME/hosts.json, so that taking
// the last entry out gives back the file there was, byte for byte.
type Registrar struct {
	Home     Home
	Env      hosts.Env
	Command  string            // absolute path of mcpm
	EnvVars  map[string]string // what an entry must carry, such as MCPM_HOME when it is not the default
	DryRun   bool              // say what would change, write nothing
	GiveBack bool              // an entry that took the place of a person's own gives that back when it goes
	Force    bool              // an entry that somebody made something else of is mcpm's again

	Takes  func(host string, found bool) bool // whether a host gets servers; nil takes those that are found
	Within []string                           // hosts whose files may be edited; nil is all
	Now    func() time.Time                   // names backups; nil is the clock

	choices  map[string]map[string]bool // by project, the hosts it leaves out
	narrowed hostrecord.Record          // what Narrow asked for, written with the next edit
	copied   map[string]bool            // the files of which there is a backup from before these edits
	texts    map[string]*FileEdit       // what the edits made of each file
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

// Found returns the host applications on this machine: those whose file or directory exists.
func (r *Registrar) Found() []hosts.Host {
	var out []hosts.Host
	for _, h := range hosts.All() {
		if r.found(h) {
			out = append(out, h)
		}
	}
	return out
}

// Taking returns the host applications that get servers.
func (r *Registrar) Taking() []hosts.Host {
	return slices.DeleteFunc(hosts.All(), func(h hosts.Host) bool { return h.UserPath(r.Env) == "" || !r.takes(h) })
}

func (r *Registrar) found(h hosts.Host) bool {
	return slices.ContainsFunc(h.Traces(r.Env), func(p string) bool { _, err := os.Stat(p); return err == nil })
}

// Register adds the servers of a project to every host that takes them. A host whose file cannot be edited
// is reported in its Change and does not stop the others. An entry that a person made is never touched.
func (r *Registrar) Register(p Project, names []hub.Name) ([]Change, error) {
	return r.edit(func(rec *hostrecord.Record, h hosts.Host, path string, f *hostrecord.File) ([]Change, error) {
		names, err := r.wanted(rec, h, path, Want{p, names})
		if err != nil || len(names) == 0 {
			return nil, err
		}
		return r.registerIn(h, path, f, p, names)
	})
}

// Unregister takes the servers of a project out of every file that has them.
func (r *Registrar) Unregister(p Project, names []hub.Name) ([]Change, error) {
	return r.edit(func(_ *hostrecord.Record, h hosts.Host, path string, f *hostrecord.File) ([]Change, error) {
		return r.unregisterIn(h, path, f, p, names)
	})
}

// edit gives each file of ours, and of a host that takes servers, to fn, under the lock of hosts.json.
func (r *Registrar) edit(fn func(*hostrecord.Record, hosts.Host, string, *hostrecord.File) ([]Change, error)) ([]Change, error) {
	unlock, err := r.Home.lock("hosts")
	if err != nil {
		return nil, err
	}
	defer unlock()
	rec, err := r.readRecord()
	if err != nil {
		return nil, err
	}
	before, _ := json.Marshal(rec)
	rec.Narrow(r.narrowed.Only)
	places := map[string]hosts.Host{}
	for _, h := range hosts.All() {
		if p := h.UserPath(r.Env); p != "" && r.takes(h) {
			places[p] = h
		}
	}
	for p, f := range rec.Files { // a host that is gone may still have a file of ours
		if h, ok := hosts.ByID(f.Host); ok {
			places[p] = h
		}
	}
	paths := slices.SortedFunc(maps.Keys(places), func(a, b string) int { return strings.Compare(rank(places[a])+a, rank(places[b])+b) })
	var changes []Change
	for _, p := range paths {
		if r.Within != nil && !slices.Contains(r.Within, places[p].ID) {
			continue
		}
		f := rec.Files[p]
		if f == nil {
			f = &hostrecord.File{Host: places[p].ID, Entries: map[string]hostrecord.Entry{}}
		}
		done, err := fn(rec, places[p], p, f)
		if err != nil {
			done = append(done, Change{Host: places[p], Path: p, Action: "failed", Err: err})
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
	return changes, writeJSON(r.recordPath(), rec, 0o600)
}

func (r *Registrar) recordPath() string { return r.Home.path("hosts.json") }

func (r *Registrar) readRecord() (*hostrecord.Record, error) {
	rec := &hostrecord.Record{}
	if err := readJSON(r.recordPath(), rec); err != nil {
		return nil, err
	}
	if rec.Files == nil {
		rec.Files = map[string]*hostrecord.File{}
	}
	for p, f := range rec.Files {
		if f == nil { // nothing is known of it
			delete(rec.Files, p)
		}
	}
	return rec, nil
}

// rank orders files as hosts.All orders hosts.
func rank(h hosts.Host) string {
	i := slices.IndexFunc(hosts.All(), func(x hosts.Host) bool { return x.ID == h.ID })
	return fmt.Sprintf("%02d ", i)
}

func (r *Registrar) registerIn(h hosts.Host, path string, f *hostrecord.File, p Project, names []hub.Name) ([]Change, error) {
	text, err := r.read(h, path)
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
	next := f.Copy(have)
	if next.Live() == 0 {
		next.Created, next.Dirs, next.Backup, next.Undo = missing, nil, "", hosts.Undo{}
	}
	var changes []Change
	for _, name := range names {
		value, err := hosts.Render(h, r.entry(p, name, next.Words(h, p.valuesKey(), name, have)...))
		if err != nil {
			return nil, err
		}
		key, action := next.Place(h, p.valuesKey(), name, have, value)
		edited := action == "kept"
		if edited && r.Force {
			action = "updated"
		}
		c := Change{Host: h, Path: path, Server: name, Key: key, Action: action}
		changes = append(changes, c)
		next.Entries[key] = hostrecord.Entry{Server: name, Project: p.valuesKey(), Was: next.Entries[key].Was}
		if action == "unchanged" || action == "kept" {
			continue
		}
		if action == "updated" {
			if !edited { // nothing of what it was made into stays
				if value, err = hosts.Merge(h, have[key], value); err != nil {
					return nil, err
				}
			}
			if text, err = h.Remove(text, key, hosts.Undo{}, false); err != nil {
				return nil, inFile(path, err)
			}
		}
		out, undo, err := h.Insert(text, key, value)
		if err != nil {
			return nil, inFile(path, err)
		}
		if next.Live() == 1 && action == "added" { // the first of ours
			next.Undo = undo
		}
		text, have[key] = out, value
	}
	if !bytes.Equal(text, was) {
		if err := r.write(path, was, text, missing, next); err != nil {
			return nil, err
		}
	}
	*f = *next
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

func (r *Registrar) unregisterIn(h hosts.Host, path string, f *hostrecord.File, p Project, names []hub.Name) ([]Change, error) {
	var keys []string
	for key, e := range f.Entries {
		if e.Project == p.valuesKey() && !e.Left && slices.Contains(names, e.Server) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Sort(keys)
	text, err := r.read(h, path)
	if err != nil {
		return nil, err
	}
	was := text
	have, err := h.Entries(text)
	if err != nil {
		return nil, inFile(path, err)
	}
	next := f.Copy(nil)
	own, whole := r.own(h, f, text, keys)
	var changes []Change
	for _, key := range keys {
		e := f.Entries[key]
		delete(next.Entries, key)
		c := Change{Host: h, Path: path, Server: e.Server, Key: key, Action: "removed"}
		if value, ok := have[key]; ok && !r.Force && !hostrecord.Runs(h, value, e.Server) {
			c.Action, e.Left = "kept", true
			next.Entries[key] = e
		} else if ok {
			if own[key] != nil {
				c.Action = "given back"
			}
			if text, err = h.Remove(text, key, f.Undo, next.Live() == 0 && c.Action == "removed"); err == nil && c.Action == "given back" {
				text, _, err = h.Insert(text, key, own[key])
			}
			if err != nil {
				return nil, inFile(path, err)
			}
		}
		changes = append(changes, c)
	}
	if whole != nil {
		text = whole
	}
	if err := r.giveBack(path, was, text, f, next.Live() == 0); err != nil {
		return nil, err
	}
	f.Entries = next.Entries
	return changes, nil
}
