// Package pin pins packages of npm and PyPI with everything they depend on, and brings the pinned packages onto the
// disk. The package managers' own programs do the work, so that the user's registries, proxies, certificates and
// credentials hold; nothing of a package is ever run.
package pin

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Package is what is to be pinned.
type Package struct {
	Type     string   // model.RegistryTypeNPM or model.RegistryTypePyPI
	Name     string   // without version
	Version  string   // exact, a tag of npm, or "" for the newest
	Extras   string   // of PyPI: "[cli]"
	With     []string // of PyPI: further requirements
	Python   string   // of PyPI: the interpreter asked for, such as "3.12"
	Registry string   // its address; "" for the one the user has configured
}

// Document is a package with all it depends on: each at one version, with the digest of its bytes. Its canonical form
// is what a lockfile keeps.
type Document struct {
	Type     string                     `json:"type"`
	Name     string                     `json:"name"`
	Version  string                     `json:"version"`
	Extras   string                     `json:"extras,omitempty"`
	With     []string                   `json:"with,omitempty"`
	Python   string                     `json:"python,omitempty"`
	Registry string                     `json:"registry,omitempty"`
	Packages map[string]json.RawMessage `json:"packages"` // npm: by path in node_modules, as package-lock.json has it; PyPI: by name
}

// MaxPackages is how many packages a document may have.
const MaxPackages = 5000

// Canonical returns the document's bytes: members sorted, no white space. The same content is always the same bytes.
func (d *Document) Canonical() ([]byte, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return canonical(raw)
}

// Integrity is the digest of the canonical form, "sha512-...".
func (d *Document) Integrity() (string, error) {
	raw, err := d.Canonical()
	if err != nil {
		return "", err
	}
	return trust.SRI512(raw), nil
}

// ParseDocument reads a document. Invalid for what no pinning would have written: it may come with a stranger's project.
func ParseDocument(raw []byte) (*Document, error) {
	d := &Document{}
	if err := json.Unmarshal(raw, d); err != nil {
		return nil, hub.Errorf(hub.Invalid, "the pinned packages are not readable: %v", err)
	}
	return d, d.check()
}

var (
	npmName     = lazyregexp.New(`^(@[a-z0-9~][a-z0-9._~-]*/)?[a-zA-Z0-9~_][a-zA-Z0-9._~-]*$`)
	pypiName    = lazyregexp.New(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	extrasRE    = lazyregexp.New(`^(\[[A-Za-z0-9._, -]+\])?$`)
	versionRE   = lazyregexp.New(`^[0-9A-Za-z][0-9A-Za-z.+!_-]*$`)
	pythonRE    = lazyregexp.New(`^([0-9]+(\.[0-9]+){0,2})?$`)
	registryRE  = lazyregexp.New(`^(https?://[A-Za-z0-9._~:/@%\[\]-]+)?$`)
	integrityRE = lazyregexp.New(`^sha512-[A-Za-z0-9+/]{86}==$`)
)

func (d *Document) check() error {
	switch {
	case d.Type != model.RegistryTypeNPM && d.Type != model.RegistryTypePyPI:
		return hub.Errorf(hub.Invalid, "packages of type %.40q are not pinned", d.Type)
	case !versionRE.MatchString(d.Version):
		return hub.Errorf(hub.Invalid, "%.80q is not a version of a package", d.Version)
	case !pythonRE.MatchString(d.Python):
		return hub.Errorf(hub.Invalid, "%.40q is not a version of Python", d.Python)
	case !extrasRE.MatchString(d.Extras) || !registryRE.MatchString(d.Registry):
		return hub.Errorf(hub.Invalid, "the extras or the registry of the package %.80q are not readable", d.Name)
	case len(d.Packages) == 0 || len(d.Packages) > MaxPackages:
		return hub.Errorf(hub.Invalid, "%d packages are pinned; there are 1 to %d", len(d.Packages), MaxPackages)
	case d.Type == model.RegistryTypeNPM:
		return d.checkNPM()
	}
	return d.checkPyPI()
}

// Is reports whether a document pins what is asked for.
func (d *Document) Is(p Package) bool {
	same := d.Type == p.Type && d.Extras == p.Extras && d.Python == p.Python && d.Registry == p.Registry && slices.Equal(d.With, p.With)
	if d.Type == model.RegistryTypePyPI {
		same = same && SameProject(d.Name, p.Name)
	} else {
		same = same && d.Name == p.Name
	}
	return same && (p.Version == "" || p.Version == d.Version || !startsWithDigit.MatchString(p.Version))
}

var startsWithDigit = lazyregexp.New(`^[0-9]`)

// keys returns the packages' keys, sorted.
func (d *Document) keys() []string {
	keys := make([]string, 0, len(d.Packages))
	for k := range d.Packages {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// canonical sorts all members of a JSON text and takes white space out. Numbers stay as they are written.
func canonical(raw []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// clean makes output of a program fit to be shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
