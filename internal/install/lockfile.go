package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
	"github.com/mcphub/mcphub/internal/trust"
)

// LockVersion is the lockfile format this program writes, and the newest it reads.
const LockVersion = 1

// MaxLock is the largest lockfile that is read.
const MaxLock = 32 << 20

// Lockfile is mcpm-lock.json: what exactly is installed. Members this version does not know are kept as
// they are when it is written again, so that a newer mcpm loses nothing to an older one.
type Lockfile struct {
	Servers map[hub.Name]*Locked
	extra   map[string]json.RawMessage
}

// Locked is one server in the lockfile.
type Locked struct {
	Name         string                `json:"name,omitempty"` // the server's, when it is there under an alias
	Version      string                `json:"version"`
	Registry     string                `json:"registry"` // where it was resolved
	Manifest     string                `json:"manifest"` // "sha256:<hex>" of the canonical mcp.json
	Artifacts    []Artifact            `json:"artifacts,omitempty"`
	Permissions  *manifest.Permissions `json:"permissions,omitempty"` // what it asked for when it was installed
	Tools        string                `json:"tools,omitempty"`       // fingerprint of the declared tools
	Dependencies map[string]string     `json:"dependencies,omitempty"`
	Dev          bool                  `json:"dev,omitempty"`     // only devDependencies lead to it
	Members      []string              `json:"members,omitempty"` // of a workspace, whose mcp.json names it: directories, sorted, "." for the root

	extra map[string]json.RawMessage
}

// Artifact is one thing that a version is made of.
type Artifact struct {
	Type       string `json:"type"` // bundle, npm, pypi, oci, mcpb, nuget, cargo, remote
	Identifier string `json:"identifier,omitempty"`
	Version    string `json:"version,omitempty"`
	Integrity  string `json:"integrity,omitempty"` // "sha512-..." of the bundle, "sha256:..." of a file; "" when the publisher gave none
	Size       int64  `json:"size,omitempty"`
	Tree       *Tree  `json:"tree,omitempty"` // of npm, PyPI and MCPB: everything it needs
}

// Tree is a package with all it depends on.
type Tree struct {
	Integrity string            `json:"integrity"` // "sha512-..." of the document in its canonical form
	Files     map[string]string `json:"files"`     // "sha512-..." of the installed files, by platform
	Document  json.RawMessage   `json:"document"`  // each package with its version and digest, see package pin; of MCPB, see package mcpb
}

// Of returns the name that the hub has for a server, which in the lockfile is under id.
func (l *Locked) Of(id hub.Name) hub.Name {
	if l == nil || l.Name == "" {
		return id
	}
	n, err := hub.ParseMirrorName(l.Name)
	if err != nil {
		return id
	}
	return n
}

// checkName says what is wrong with the name of an entry: an alias says what it stands for, and a server has one name.
func (l *Locked) checkName(id hub.Name) error {
	if l.Name == "" && !id.IsAlias() {
		return nil
	}
	n, err := hub.ParseMirrorName(l.Name)
	if err == nil && n != id && !id.IsAlias() {
		err = hub.Errorf(hub.Invalid, "it is said to be %s", n)
	}
	return err
}

// Bundle returns the artifact kept by the hub, or nil.
func (l *Locked) Bundle() *Artifact {
	for i := range l.Artifacts {
		if l.Artifacts[i].Type == "bundle" {
			return &l.Artifacts[i]
		}
	}
	return nil
}

// NewLockfile returns an empty lockfile.
func NewLockfile() *Lockfile { return &Lockfile{Servers: map[hub.Name]*Locked{}} }

// ReadLockfile reads the lockfile at path; a missing one is empty.
func ReadLockfile(path string) (*Lockfile, error) {
	data, err := ReadFile(path, MaxLock)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return NewLockfile(), nil
	}
	l, err := ParseLockfile(data)
	if err != nil {
		e := hub.Errorf(hub.KindOf(err), "%s: %s", path, err.Error())
		e.Hint = "restore it from version control, or remove it and run mcpm install"
		var told *hub.Error
		if errors.As(err, &told) && told.Hint != "" {
			e.Hint = told.Hint
		}
		return nil, e
	}
	return l, nil
}

// ParseLockfile reads a lockfile. Invalid, with the place, when it is damaged; Conflict when it holds the marks
// of an unfinished merge, or when a newer mcpm wrote it.
func ParseLockfile(data []byte) (*Lockfile, error) {
	if bytes.Contains(data, []byte("\n<<<<<<< ")) || bytes.HasPrefix(data, []byte("<<<<<<< ")) {
		return nil, hub.Errorf(hub.Conflict, "it holds the marks of an unfinished merge (<<<<<<<)")
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, hub.Errorf(hub.Invalid, "not JSON: %v", err)
	}
	var version int
	if err := json.Unmarshal(top["lockfileVersion"], &version); err != nil || version < 1 {
		return nil, hub.Errorf(hub.Invalid, "lockfileVersion is missing or not a number")
	}
	if version > LockVersion {
		return nil, hub.Errorf(hub.Conflict, "lockfileVersion %d is newer than this mcpm, which reads %d", version, LockVersion).
			WithHint("install a newer mcpm")
	}
	l := NewLockfile()
	var servers map[string]json.RawMessage
	if raw, ok := top["servers"]; ok {
		if err := json.Unmarshal(raw, &servers); err != nil {
			return nil, hub.Errorf(hub.Invalid, "servers is not an object")
		}
	}
	for key, raw := range servers {
		name, err := hub.ParseLocalName(key)
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "servers: %s", err.Error())
		}
		if l.Servers[name] != nil {
			return nil, hub.Errorf(hub.Invalid, "servers: %s is there twice", name)
		}
		entry, err := parseLocked(raw)
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "servers.%s: %s", name, err.Error())
		}
		if err := entry.checkName(name); err != nil {
			return nil, hub.Errorf(hub.Invalid, "servers.%s: %s", name, err.Error())
		}
		if err := workspace.CheckDirs(entry.Members); err != nil {
			return nil, hub.Errorf(hub.Invalid, "servers.%s: %s", name, err.Error())
		}
		l.Servers[name] = entry
	}
	delete(top, "lockfileVersion")
	delete(top, "servers")
	l.extra = top
	return l, nil
}

func parseLocked(raw json.RawMessage) (*Locked, error) {
	e := &Locked{}
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	switch {
	case e.Version == "" || len(e.Version) > hub.MaxVersion || strings.ContainsAny(e.Version, "/\\ \t\r\n"):
		return nil, hub.Errorf(hub.Invalid, "version %.80q is not a version", e.Version)
	case !trust.IsSHA256(e.Manifest):
		return nil, hub.Errorf(hub.Invalid, "manifest %.80q is not sha256: and 64 hex digits", e.Manifest)
	}
	for i, a := range e.Artifacts {
		if a.Type == "bundle" && !strings.HasPrefix(a.Integrity, "sha512-") {
			return nil, hub.Errorf(hub.Invalid, "artifacts[%d].integrity %.80q is not sha512-...", i, a.Integrity)
		}
		if a.Tree != nil && !trust.IsSHA512(a.Tree.Integrity) {
			return nil, hub.Errorf(hub.Invalid, "artifacts[%d].tree.integrity %.120q is not sha512-...", i, a.Tree.Integrity)
		}
	}
	if err := json.Unmarshal(raw, &e.extra); err != nil {
		return nil, hub.Errorf(hub.Invalid, "%v", err)
	}
	t := reflect.TypeFor[Locked]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(e.extra, name)
	}
	return e, nil
}

// Bytes returns the file's text: members sorted, one fact a line, a newline at the end. The same content
// is always the same bytes.
func (l *Lockfile) Bytes() ([]byte, error) {
	servers := map[string]json.RawMessage{}
	for name, e := range l.Servers {
		raw, err := e.encode()
		if err != nil {
			return nil, fmt.Errorf("encode lock of %s: %w", name, err)
		}
		servers[name.String()] = raw
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"lockfileVersion\": %d,\n", LockVersion)
	top := maps.Clone(l.extra)
	if top == nil {
		top = map[string]json.RawMessage{}
	}
	raw, err := encode(servers)
	if err != nil {
		return nil, err
	}
	top["servers"] = raw
	keys := slices.Sorted(maps.Keys(top))
	for i, key := range keys {
		k, _ := encode(key)
		fmt.Fprintf(&b, "  %s: ", k)
		if err := json.Indent(&b, top[key], "  ", "  "); err != nil {
			return nil, err
		}
		if i < len(keys)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// encode lays the unknown members over the known ones, all sorted by name.
func (e *Locked) encode() (json.RawMessage, error) {
	e.sortArtifacts()
	known, err := encode(e)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(known, &all); err != nil {
		return nil, err
	}
	for k, v := range e.extra {
		if _, ok := all[k]; !ok {
			all[k] = v
		}
	}
	return encode(all)
}

func (e *Locked) sortArtifacts() {
	sort.SliceStable(e.Artifacts, func(i, j int) bool {
		a, b := e.Artifacts[i], e.Artifacts[j]
		return a.Type+"\x00"+a.Identifier+"\x00"+a.Version < b.Type+"\x00"+b.Identifier+"\x00"+b.Version
	})
}

// Names returns the locked servers, sorted.
func (l *Lockfile) Names() []hub.Name { return slices.Sorted(maps.Keys(l.Servers)) }

// Versions returns the version of each locked server.
func (l *Lockfile) Versions() map[hub.Name]string {
	out := make(map[hub.Name]string, len(l.Servers))
	for n, e := range l.Servers {
		out[n] = e.Version
	}
	return out
}

// Keep carries the unknown members of an older entry over to a new one of the same version.
func (e *Locked) Keep(old *Locked) {
	if old != nil && old.Version == e.Version {
		e.extra = old.extra
	}
}

// encode is compact JSON without HTML escapes, so that ">=1" stays readable in the file.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Derive returns a lockfile without servers that keeps the unknown members of l.
func (l *Lockfile) Derive() *Lockfile {
	return &Lockfile{Servers: map[hub.Name]*Locked{}, extra: l.extra}
}
