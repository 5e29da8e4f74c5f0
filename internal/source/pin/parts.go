package pin

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Part is one package of a document.
type Part struct {
	Key      string // of Document.Packages
	Name     string // without its place
	Version  string
	Hashes   []string // npm: "sha512-..." or none, for one that is inside of another; PyPI: "sha256:...", of which a machine takes one
	Optional bool     // where a machine cannot have it, it is left out
	Marker   string   // of PyPI: on which machines it is needed
	Needs    []string // keys; of PyPI not known
}

// Parts returns all packages of a document that was read with ParseDocument, sorted by key.
func (d *Document) Parts() []Part {
	var out []Part
	for _, key := range d.keys() {
		if d.Type == model.RegistryTypeNPM {
			out = append(out, d.npmPart(key))
			continue
		}
		var p pypiPackage
		_ = json.Unmarshal(d.Packages[key], &p) // ParseDocument has read it
		name, _, _ := strings.Cut(key, " ")
		out = append(out, Part{Key: key, Name: name, Version: p.Version, Hashes: p.Hashes, Marker: p.Marker})
	}
	return out
}

// Root reports whether a part is the package that the document is made for.
func (d *Document) Root(p Part) bool {
	if d.Type == model.RegistryTypeNPM {
		return p.Key == "node_modules/"+d.Name
	}
	return SameProject(p.Name, d.Name) && p.Version == d.Version
}

func (d *Document) npmPart(key string) Part {
	var p struct {
		npmPackage
		Name     string            `json:"name"` // of a package under another name than its own
		Needs    map[string]string `json:"dependencies"`
		Maybe    map[string]string `json:"optionalDependencies"`
		Expected map[string]string `json:"peerDependencies"`
	}
	_ = json.Unmarshal(d.Packages[key], &p) // ParseDocument has read it
	out := Part{Key: key, Name: p.Name, Version: p.Version, Optional: p.Optional}
	if name, _ := nameIn(key); !npmName.MatchString(out.Name) {
		out.Name = name
	}
	if p.Integrity != "" {
		out.Hashes = []string{p.Integrity}
	}
	needs := map[string]bool{}
	for _, group := range []map[string]string{p.Needs, p.Maybe, p.Expected} {
		for name := range group {
			if at, ok := d.find(key, name); ok {
				needs[at] = true
			}
		}
	}
	out.Needs = slices.Sorted(maps.Keys(needs))
	return out
}

// find returns the package that node would load by a name from the one at key: the nearest upwards.
func (d *Document) find(key, name string) (string, bool) {
	for at := key; ; {
		candidate := path.Join(at, "node_modules", name)
		if _, ok := d.Packages[candidate]; ok {
			return candidate, true
		}
		if at == "" {
			return "", false
		}
		i := strings.LastIndex(at, "node_modules/")
		if i < 0 {
			return "", false
		}
		at = strings.TrimSuffix(at[:i], "/")
	}
}
