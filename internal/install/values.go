package install

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
)

// Value is what config.json knows of one input of a server: a value that is no secret, or where a secret is kept.
// In the file a value that is no secret is a string, anything else an object.
type Value struct {
	Text   string // the value itself; "" for a secret
	Plain  bool   // Text is the value, and may be ""
	Kept   string // where the secret is kept; "" for none
	InArgs bool   // the person lets this secret be an argument of the server
	Global bool   // it is of all projects, and was asked for in one; not in the file
}

// Set reports whether there is a value.
func (v Value) Set() bool { return v.Plain || v.Kept != "" }

type valueObject struct {
	Kept   string  `json:"kept,omitempty"`
	InArgs bool    `json:"inArgs,omitempty"`
	Text   *string `json:"value,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.Plain && v.Kept == "" && !v.InArgs {
		return json.Marshal(v.Text)
	}
	o := valueObject{Kept: v.Kept, InArgs: v.InArgs}
	if v.Plain && v.Kept == "" {
		o.Text = &v.Text
	}
	return json.Marshal(o)
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		v.Plain = true
		return json.Unmarshal(data, &v.Text)
	}
	var o valueObject
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	v.Kept, v.InArgs = o.Kept, o.InArgs
	if o.Text != nil {
		v.Text, v.Plain = *o.Text, true
	}
	return nil
}

// values are the configured values of servers: of each project (by directory, "" for global ones), of
// each server, by name of the input.
type values map[string]map[hub.Name]map[string]Value

// ValuesPath returns the file that holds configured values.
func (h Home) ValuesPath() string { return h.path("config.json") }

func (p Project) valuesKey() string {
	if p.Global {
		return ""
	}
	return p.Dir
}

// Values returns what was configured for a server in a project. A value set for the global installation
// is there in projects too, unless they have their own; it is Global then.
func (h Home) Values(p Project, name hub.Name) (map[string]Value, error) {
	all := values{}
	if err := readJSON(h.ValuesPath(), &all); err != nil {
		return nil, err
	}
	out := map[string]Value{}
	for k, v := range all[""][name] {
		v.Global = !p.Global
		out[k] = v
	}
	if p.Global {
		return out, nil
	}
	for k, v := range all[p.valuesKey()][name] {
		if shared := out[k]; !v.Set() && shared.Set() { // it only allows what is of all projects here
			shared.InArgs = true
			v = shared
		}
		v.InArgs = v.InArgs || out[k].InArgs
		out[k] = v
	}
	return out, nil
}

// OwnValues returns what was configured in this project, or for all of them, and nowhere else.
func (h Home) OwnValues(p Project, name hub.Name) (map[string]Value, error) {
	all := values{}
	err := readJSON(h.ValuesPath(), &all)
	return all[p.valuesKey()][name], err
}

// SetValues stores values for a server in a project and removes those in unset. The file is readable by
// its owner only.
func (h Home) SetValues(p Project, name hub.Name, set map[string]Value, unset []string) error {
	unlock, err := h.lock("config")
	if err != nil {
		return err
	}
	defer unlock()
	all := values{}
	if err := readJSON(h.ValuesPath(), &all); err != nil {
		return err
	}
	key := p.valuesKey()
	if all[key] == nil {
		all[key] = map[hub.Name]map[string]Value{}
	}
	if all[key][name] == nil {
		all[key][name] = map[string]Value{}
	}
	maps.Copy(all[key][name], set)
	maps.DeleteFunc(all[key][name], func(k string, _ Value) bool { return slices.Contains(unset, k) })
	if len(all[key][name]) == 0 {
		delete(all[key], name)
	}
	if len(all[key]) == 0 {
		delete(all, key)
	}
	return writeJSON(h.ValuesPath(), all, 0o600)
}
