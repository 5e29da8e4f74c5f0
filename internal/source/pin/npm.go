package pin

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// npmMembers are what is kept of a package in package-lock.json: what decides where it goes and whether.
var npmMembers = []string{"version", "integrity", "dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
	"bin", "os", "cpu", "libc", "optional", "peer", "hasInstallScript", "inBundle", "bundleDependencies", "engines", "name"}

// npmLock is package-lock.json of version 3.
type npmLock struct {
	LockfileVersion int                        `json:"lockfileVersion"`
	Packages        map[string]json.RawMessage `json:"packages"`
}

// npmPackage is what is looked at of one package.
type npmPackage struct {
	Version          string `json:"version"`
	Resolved         string `json:"resolved"`
	Integrity        string `json:"integrity"`
	Link             bool   `json:"link"`
	Optional         bool   `json:"optional"`
	InBundle         bool   `json:"inBundle"`
	HasInstallScript bool   `json:"hasInstallScript"`
}

var quiet = []string{"--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier", "--loglevel=error"}

// Resolve pins a package. NotFound when the version, or the program that knows, is not there; Invalid when a part of it
// cannot be pinned. An exact version that was resolved within the hour is what it was then.
func (t Tools) Resolve(ctx context.Context, p Package) (*Document, error) {
	if d := t.recent(p); d != nil {
		return d, nil
	}
	d := &Document{Type: p.Type, Name: p.Name, Version: p.Version, Extras: p.Extras, With: p.With, Python: p.Python, Registry: p.Registry, Packages: map[string]json.RawMessage{}}
	if err := t.resolve(ctx, d, p); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	t.remember(p, d)
	return d, nil
}

func (t Tools) resolve(ctx context.Context, d *Document, p Package) error {
	switch p.Type {
	case model.RegistryTypeNPM:
		if d.Version == "" {
			d.Version = "latest"
		}
		if !npmName.MatchString(p.Name) || !versionRE.MatchString(d.Version) {
			return hub.Errorf(hub.Invalid, "%.80q at %.80q is not a package of npm", p.Name, p.Version)
		}
		return t.resolveNPM(ctx, d)
	case model.RegistryTypePyPI:
		if !pypiName.MatchString(p.Name) || p.Version != "" && !versionRE.MatchString(p.Version) || !extrasRE.MatchString(p.Extras) {
			return hub.Errorf(hub.Invalid, "%.80q at %.80q is not a package of PyPI", p.Name+p.Extras, p.Version)
		}
		return t.resolvePyPI(ctx, d, p)
	}
	return hub.Errorf(hub.Invalid, "packages of type %.40q are not pinned", p.Type)
}

func (t Tools) resolveNPM(ctx context.Context, d *Document) error {
	what := "pinning " + d.Name + " " + d.Version
	npm, err := t.find(what, "npm")
	if err != nil {
		return err
	}
	dir, err := t.temp()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := d.writeNPM(dir, false); err != nil {
		return err
	}
	args := append([]string{npm, "install", "--package-lock-only", "--omit-lockfile-registry-resolved=true"}, t.npmArgs(d)...)
	if _, err := t.run(ctx, what, dir, "", nil, args...); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	var lock npmLock
	if err := json.Unmarshal(raw, &lock); err != nil {
		return hub.Errorf(hub.Invalid, "npm wrote a package-lock.json that is not readable: %v", err)
	}
	for path, entry := range lock.Packages {
		if path == "" {
			continue
		}
		if d.Packages[path], err = trim(entry); err != nil {
			return err
		}
	}
	var own npmPackage
	if json.Unmarshal(d.Packages["node_modules/"+d.Name], &own) == nil { // check says so when it is not there
		d.Version = own.Version
	}
	return nil
}

func (t Tools) npmArgs(d *Document) []string {
	args := append([]string(nil), quiet...)
	if d.Registry != "" {
		args = append(args, "--registry="+d.Registry)
	}
	if t.Offline {
		args = append(args, "--offline")
	}
	return args
}

// trim keeps npmMembers of a package. The address it came from stays when it is not the registry's: it is refused then.
func trim(entry json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(entry, &all); err != nil {
		return nil, hub.Errorf(hub.Invalid, "package-lock.json is not readable: %v", err)
	}
	kept := map[string]json.RawMessage{}
	for _, name := range append([]string{"resolved", "link"}, npmMembers...) {
		if v, ok := all[name]; ok {
			kept[name] = v
		}
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	return canonical(raw)
}

// checkNPM refuses what is not one tarball of a registry, with the digest of its bytes, in its own directory.
func (d *Document) checkNPM() error {
	if !npmName.MatchString(d.Name) {
		return hub.Errorf(hub.Invalid, "%.80q is not the name of a package", d.Name)
	}
	for _, path := range d.keys() {
		var p npmPackage
		if err := json.Unmarshal(d.Packages[path], &p); err != nil {
			return hub.Errorf(hub.Invalid, "%.80q of the pinned packages is not readable: %v", path, err)
		}
		name, ok := nameIn(path)
		switch {
		case !ok:
			return hub.Errorf(hub.Invalid, "%.120q is no place for a package", path)
		case p.Link || p.Resolved != "" || p.Integrity == "" && !p.InBundle:
			return hub.Errorf(hub.Invalid, "%s cannot be pinned: it needs %s, which does not come from a registry with a digest", d.Name, name).
				WithHint("choose another version of %s", d.Name)
		case p.Integrity != "" && !integrityRE.MatchString(p.Integrity):
			return hub.Errorf(hub.Invalid, "%s cannot be pinned: it needs %s %s, of which only the weak digest %.30q is known", d.Name, name, p.Version, p.Integrity).
				WithHint("choose another version of %s", d.Name)
		}
	}
	if _, ok := d.Packages["node_modules/"+d.Name]; !ok {
		return hub.Errorf(hub.Invalid, "%s is not among the packages that are pinned for it", d.Name)
	}
	return nil
}

// nameIn returns the name of the package at a path such as node_modules/a/node_modules/@b/c.
func nameIn(path string) (string, bool) {
	name := ""
	rest, ok := strings.CutPrefix(path, "node_modules/")
	for ok {
		name, rest, ok = strings.Cut(rest, "/node_modules/")
		if !npmName.MatchString(name) {
			return "", false
		}
	}
	return name, name != ""
}

// Scripts returns the packages that run a script when they are installed, "name version". None is ever run here.
func (d *Document) Scripts() []string {
	var out []string
	for _, path := range d.keys() {
		var p npmPackage
		if d.Type == model.RegistryTypeNPM && json.Unmarshal(d.Packages[path], &p) == nil && p.HasInstallScript && !p.Optional {
			name, _ := nameIn(path)
			out = append(out, name+" "+p.Version)
		}
	}
	return out
}

// writeNPM writes package.json, and package-lock.json when the packages are known.
func (d *Document) writeNPM(dir string, locked bool) error {
	root := map[string]any{"name": "mcpm", "version": "0.0.0", "private": true, "dependencies": map[string]string{d.Name: d.Version}}
	write := func(name string, v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), b, 0o600)
	}
	if err := write("package.json", root); err != nil || !locked {
		return err
	}
	packages := map[string]any{"": root}
	for path, raw := range d.Packages {
		packages[path] = raw
	}
	return write("package-lock.json", map[string]any{"name": "mcpm", "version": "0.0.0", "lockfileVersion": 3, "requires": true, "packages": packages})
}

// installNPM brings node_modules into dir. npm compares each package with its digest.
func (t Tools) installNPM(ctx context.Context, d *Document, dir string) error {
	what := "fetching " + d.Name + " " + d.Version
	npm, err := t.find(what, "npm")
	if err != nil {
		return err
	}
	if err := d.writeNPM(dir, true); err != nil {
		return err
	}
	if _, err := t.run(ctx, what, dir, "", nil, append([]string{npm, "ci"}, t.npmArgs(d)...)...); err != nil {
		return err
	}
	for _, name := range []string{"package.json", "package-lock.json", filepath.Join("node_modules", ".package-lock.json")} { // not of the packages
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
