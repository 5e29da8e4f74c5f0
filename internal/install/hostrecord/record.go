// Package hostrecord is what mcpm notes of the files of host applications, MCPM_HOME/hosts.json: which entries in them are
// its own, and how to give back each file as it was.
package hostrecord

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
)

// Record is hosts.json.
type Record struct {
	Files map[string]*File                 `json:"files"`
	Only  map[string]map[hub.Name][]string `json:"only,omitempty"` // by project and server: the hosts it is for, where a person chose
}

// File is one file of a host application.
type File struct {
	Host    string           `json:"host"`
	Created bool             `json:"created,omitempty"` // there was no file
	Dirs    []string         `json:"dirs,omitempty"`    // directories made for it, outermost first
	Backup  string           `json:"backup,omitempty"`  // copy of the file before the first entry
	Undo    hosts.Undo       `json:"undo,omitzero"`
	Adopted string           `json:"adopted,omitempty"` // digest of the file as it was after entries of a person were last taken over
	Entries map[string]Entry `json:"entries"`
}

// Entry is one entry that mcpm wrote.
type Entry struct {
	Server  hub.Name `json:"server"`
	Project string   `json:"project,omitempty"` // its directory; "" for one that is installed for all projects
	Left    bool     `json:"left,omitempty"`    // its server was taken out, and it stayed: somebody had edited it
	Was     string   `json:"was,omitempty"`     // the copy of the file that has the person's own entry whose place it took
}

// Live is how many servers the file has through mcpm.
func (f *File) Live() int {
	n := 0
	for _, e := range f.Entries {
		if !e.Left {
			n++
		}
	}
	return n
}

// Copy returns a file whose entries can be changed without changing f's. have are those that it really has, nil for all:
// somebody may have removed some by hand.
func (f *File) Copy(have map[string]json.RawMessage) *File {
	out := *f
	out.Entries = map[string]Entry{}
	for k, e := range f.Entries {
		if _, ok := have[k]; ok || have == nil {
			out.Entries[k] = e
		}
	}
	return &out
}

// of returns the entry of a server of a project.
func (f *File) of(project string, name hub.Name) (key string, ok bool) {
	for _, k := range slices.Sorted(maps.Keys(f.Entries)) {
		if e := f.Entries[k]; e.Server == name && e.Project == project {
			return k, true
		}
	}
	return "", false
}

// Place finds the entry for a server, or a free name for one: the server's own, then with its scope,
// then with the project's directory. One that is to the letter what mcpm writes, value, is its own. action is added, updated,
// unchanged, or kept, when somebody made something else of it.
func (f *File) Place(h hosts.Host, project string, name hub.Name, have map[string]json.RawMessage, value json.RawMessage) (key, action string) {
	if k, ok := f.of(project, name); ok {
		if !Runs(h, have[k], name) {
			return k, "kept"
		}
		// what a person or the host added to ours, a switch that is off, is theirs
		if merged, err := hosts.Merge(h, have[k], value); err == nil && Same(have[k], merged) {
			return k, "unchanged"
		}
		return k, "updated"
	}
	scoped := name.Base()
	if !name.IsAlias() { // which has no scope
		scoped = strings.ReplaceAll(name.Scope(), ".", "-") + "-" + name.Base()
	}
	names := []string{name.Base(), scoped}
	if project != "" {
		names = append(names, name.Base()+"-"+filepath.Base(project), scoped+"-"+filepath.Base(project))
	}
	for _, k := range names {
		if _, taken := have[k]; !taken {
			return k, "added"
		}
		if _, known := f.Entries[k]; !known && Same(have[k], value) {
			return k, "unchanged" // an mcpm that was killed wrote it, and not that it did
		}
	}
	for i := 2; ; i++ {
		k := fmt.Sprintf("%s-%d", scoped, i)
		if _, taken := have[k]; !taken {
			return k, "added"
		}
	}
}

// Words returns what an entry of ours has after the server and its project: arguments for the server, and
// which of its entries it is. They stay when the entry is written anew.
func (f *File) Words(h hosts.Host, project string, name hub.Name, have map[string]json.RawMessage) []string {
	k, ok := f.of(project, name)
	if !ok || !Runs(h, have[k], name) {
		return nil
	}
	rest := hosts.Runs(h, have[k])[3:]
	if len(rest) > 1 && rest[0] == "-C" {
		rest = rest[2:]
	}
	return rest
}

// Narrow lays over the record which hosts servers are for; no hosts lift what was there.
func (rec *Record) Narrow(only map[string]map[hub.Name][]string) {
	for project, servers := range only {
		for name, ids := range servers {
			if len(ids) == 0 {
				delete(rec.Only[project], name)
				continue
			}
			if rec.Only == nil {
				rec.Only = map[string]map[hub.Name][]string{}
			}
			if rec.Only[project] == nil {
				rec.Only[project] = map[hub.Name][]string{}
			}
			rec.Only[project][name] = ids
		}
		rec.tidy(project)
	}
}

// Forget drops what was chosen for servers that a project has no more.
func (rec *Record) Forget(project string, servers []hub.Name) {
	maps.DeleteFunc(rec.Only[project], func(n hub.Name, _ []string) bool { return !slices.Contains(servers, n) })
	rec.tidy(project)
}

func (rec *Record) tidy(project string) {
	if len(rec.Only[project]) == 0 {
		delete(rec.Only, project)
	}
}

// Runs reports whether an entry still is one of ours: it runs the server through mcpm, whatever a person added to it.
func Runs(h hosts.Host, value json.RawMessage, name hub.Name) bool {
	line := hosts.Runs(h, value)
	return len(line) >= 3 && line[1] == "run" && line[2] == name.String()
}

// Same compares values: the order of members means nothing.
func Same(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
