package install

import (
	"encoding/json"
	"slices"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/hostrecord"
	"github.com/mcphub/mcphub/internal/trust"
)

// Adoption is an entry that a person made and mcpm is to take over, under the name it has.
type Adoption struct {
	Host   hosts.Host
	Path   string
	Key    string
	Was    json.RawMessage // the entry as it was read; one that is another by now is left alone
	Server hub.Name
	Words  []string // after the server and its project: "--entry KEY", "-- ARGS"
	Moved  []string // variables whose values mcpm keeps now; the others stay
}

// Adopt replaces entries by mcpm's own, and keeps a backup that stays until newer ones push it out. What a
// person set beside them stays: whether it is switched on, time limits. A file of a host that gets no servers
// is not edited; an entry that changed meanwhile is reported as failed.
func (r *Registrar) Adopt(p Project, list []Adoption) ([]Change, error) {
	return r.edit(func(rec *hostrecord.Record, h hosts.Host, path string, f *hostrecord.File) ([]Change, error) {
		var mine []Adoption
		for _, a := range list {
			names, err := r.wanted(rec, h, path, Want{p, []hub.Name{a.Server}})
			if err != nil {
				return nil, err
			}
			if a.Host.ID == h.ID && a.Path == path && len(names) > 0 {
				mine = append(mine, a)
			}
		}
		if len(mine) == 0 {
			return nil, nil
		}
		return r.adoptIn(h, path, f, p, mine)
	})
}

func (r *Registrar) adoptIn(h hosts.Host, path string, f *hostrecord.File, p Project, list []Adoption) ([]Change, error) {
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
	var changes []Change
	for _, a := range list {
		c := Change{Host: h, Path: path, Server: a.Server, Key: a.Key, Action: "replaced"}
		if !hostrecord.Same(have[a.Key], a.Was) {
			c.Action, c.Err = "failed", hub.Errorf(hub.Conflict, "the entry %q changed meanwhile", a.Key).WithHint("run it again")
			changes = append(changes, c)
			continue
		}
		if text, err = r.adopted(h, text, p, a); err != nil {
			return changes, inFile(path, err)
		}
		next.Entries[a.Key] = hostrecord.Entry{Server: a.Server, Project: p.valuesKey()}
		changes = append(changes, c)
	}
	if string(text) == string(was) {
		return changes, nil
	}
	if !r.DryRun {
		at, err := r.copyOf(path, h.ID, was, true)
		if err != nil {
			return nil, err
		}
		next.Adopted = trust.SHA256(text)
		for _, c := range changes {
			if e := next.Entries[c.Key]; c.Action == "replaced" {
				e.Was = at
				next.Entries[c.Key] = e
			}
		}
	}
	if err := r.write(path, was, text, false, next); err != nil {
		return nil, err
	}
	*f = *next
	return changes, nil
}

// own returns the entries of a person whose places those with these keys took, and the whole file as it was, when nothing else
// happened to it since. What is not kept any more is left out.
func (r *Registrar) own(h hosts.Host, f *hostrecord.File, text []byte, keys []string) (own map[string]json.RawMessage, whole []byte) {
	own = map[string]json.RawMessage{}
	if !r.GiveBack {
		return own, nil
	}
	same := trust.SHA256(text) == f.Adopted
	for k, e := range f.Entries {
		same = same && (e.Was != "") == slices.Contains(keys, k)
	}
	for _, k := range keys {
		was, err := ReadFile(f.Entries[k].Was, MaxHostFile)
		if err != nil || f.Entries[k].Was == "" || was == nil {
			continue
		}
		if have, err := h.Entries(was); err == nil && have[k] != nil {
			own[k], whole = have[k], was
		}
	}
	if !same || len(own) != len(keys) {
		return own, nil
	}
	return own, whole
}

// adopted returns the text with one entry replaced.
func (r *Registrar) adopted(h hosts.Host, text []byte, p Project, a Adoption) ([]byte, error) {
	value, err := hosts.Render(h, r.entry(p, a.Server, a.Words...))
	if err != nil {
		return nil, err
	}
	rest, err := hosts.Replaced(h, a.Was, func(name string) bool { return !slices.Contains(a.Moved, name) })
	if err != nil {
		return nil, err
	}
	if value, err = hosts.Merge(h, rest, value); err != nil {
		return nil, err
	}
	if text, err = h.Remove(text, a.Key, hosts.Undo{}, false); err != nil {
		return nil, err
	}
	text, _, err = h.Insert(text, a.Key, value)
	return text, err
}
