package export

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/spdx"
)

// bill is what a bill of materials says, whatever the language it is written in.
type bill struct {
	project part
	id      uuid.UUID // follows from the content: the same lockfile is the same bill
	parts   []part    // sorted by ref
}

// part is one server, artifact or package.
type part struct {
	ref         string // unique in a bill
	server      bool
	image       bool
	name        string
	version     string
	purl        string // "" where there is none
	digests     []digest
	license     string // an SPDX expression, "" when it is not known
	description string
	website     string
	facts       map[string]string // what only mcpm says: registry, manifest, marker
	optional    bool
	needs       []string // refs, sorted
}

// digest is one digest of a part's bytes.
type digest struct {
	algorithm string // SHA-256, SHA-512
	hex       string
}

// digestOf reads "sha512-<base64>", "sha256:<hex>" and their like.
func digestOf(s string) (digest, bool) {
	if name, sum, ok := strings.Cut(s, "-"); ok && (name == "sha512" || name == "sha256") {
		raw, err := base64.StdEncoding.DecodeString(sum)
		return digest{"SHA-" + name[3:], hex.EncodeToString(raw)}, err == nil && len(raw) >= 32
	}
	name, sum, ok := strings.Cut(s, ":")
	if raw, err := hex.DecodeString(sum); !ok || err != nil || name != "sha256" && name != "sha512" || len(raw) < 32 {
		return digest{}, false
	}
	return digest{"SHA-" + name[3:], strings.ToLower(sum)}, true
}

// writer collects the parts of a bill.
type writer struct {
	parts map[string]*part
}

// add adds a part. The same bytes under the same name are one part, whoever needs them.
func (w *writer) add(p part) *part {
	if have := w.parts[p.ref]; have != nil {
		if slices.Equal(have.digests, p.digests) {
			have.optional = have.optional && p.optional
			return have
		}
		if len(p.digests) > 0 { // other bytes of the same name and version
			p.ref += "#" + p.digests[0].hex[:16]
			return w.add(p)
		}
		p.ref += "#inside"
		return w.add(p)
	}
	w.parts[p.ref] = &p
	return &p
}

func (p *part) need(ref string) {
	if i, ok := slices.BinarySearch(p.needs, ref); !ok && ref != p.ref {
		p.needs = slices.Insert(p.needs, i, ref)
	}
}

// newBill reads what is locked in a project. Integrity when a pinned tree is not what its digest says. missing names the
// servers whose manifest is not on this machine, of which the licence is not known.
func newBill(a *app.App, p install.Project, names []hub.Name) (b *bill, missing []string, err error) {
	lock, err := install.ReadLock(p)
	if err != nil {
		return nil, nil, err
	}
	h, err := a.Store()
	if err != nil {
		return nil, nil, err
	}
	m, _, err := app.ReadManifest(p)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := reached(lock, p, names)
	if err != nil {
		return nil, nil, err
	}
	w := &writer{parts: map[string]*part{}}
	for _, name := range wanted {
		e := lock.Servers[name]
		about, err := h.Manifest(e.Manifest)
		switch k := hub.KindOf(err); {
		case k == hub.NotFound:
			about, missing = nil, append(missing, name.String())
		case err != nil:
			return nil, nil, (&app.Installed{Name: name, Project: p, Locked: e}).Wrap(err)
		}
		if err := w.server(e.Of(name), e, about, lock); err != nil {
			return nil, nil, err
		}
	}
	b = &bill{project: projectOf(p, m)}
	for _, name := range wanted {
		if len(names) > 0 && slices.Contains(names, name) || len(names) == 0 && direct(m, name) {
			b.project.need(serverRef(lock.Servers[name].Of(name), lock.Servers[name].Version))
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(w.parts)) {
		b.parts = append(b.parts, *w.parts[ref])
	}
	b.id = idOf(b)
	return b, missing, nil
}

// reached returns the named servers with all they need, or every server when none is named.
func reached(lock *install.Lockfile, p install.Project, names []hub.Name) ([]hub.Name, error) {
	if len(names) == 0 {
		return lock.Names(), nil
	}
	seen := map[hub.Name]bool{}
	for _, n := range names {
		if lock.Servers[n] == nil {
			return nil, notLocked(lock, p, n)
		}
	}
	for todo := slices.Clone(names); len(todo) > 0; {
		n := todo[0]
		todo = todo[1:]
		if e := lock.Servers[n]; e != nil && !seen[n] {
			seen[n] = true
			deps, _ := hub.ParseSpecs(e.Dependencies) // what is none cannot be locked
			todo = slices.AppendSeq(todo, maps.Keys(deps))
		}
	}
	return slices.SortedFunc(maps.Keys(seen), app.CompareNames), nil
}

func notLocked(lock *install.Lockfile, p install.Project, n hub.Name) error {
	e := hub.Errorf(hub.NotFound, "%s is not locked in %s", n, p.Dir)
	if near := app.Closest(lock, n); near != "" {
		return e.WithHint("did you mean %s?", near)
	}
	return e.WithHint("mcpm install %s", n)
}

func direct(m *manifest.Manifest, name hub.Name) bool {
	if m == nil {
		return true
	}
	deps, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies) // what is none cannot be locked
	_, ok := deps[name]
	return ok
}

// projectOf is the subject of a bill. Its directory is not told, only how that is called.
func projectOf(p install.Project, m *manifest.Manifest) part {
	out := part{ref: "project", name: filepath.Base(p.Dir)}
	if p.Global {
		out.name = "mcpm-global"
	}
	if m != nil {
		out.name, out.version, out.description = app.First(m.Name, out.name), m.Version, m.Description
		out.license = licenseOf(m.License)
	}
	return out
}

// licenseOf returns an expression that SPDX knows, "" for anything else.
func licenseOf(s string) string {
	if unknown, err := spdx.Check(s); err != nil || len(unknown) > 0 {
		return ""
	}
	return s
}

// idOf makes an id from the content.
func idOf(b *bill) uuid.UUID {
	type line struct {
		Ref, Name, Version, License string
		Digests, Needs              []string
	}
	var lines []line
	for _, p := range append([]part{b.project}, b.parts...) {
		l := line{p.ref, p.name, p.version, p.license, nil, p.needs}
		for _, d := range p.digests {
			l.Digests = append(l.Digests, d.algorithm+":"+d.hex)
		}
		lines = append(lines, l)
	}
	raw, _ := json.Marshal(lines) // of strings: it cannot fail
	return uuid.NewSHA1(uuid.NameSpaceURL, append([]byte("mcpm export "+app.Version+"\n"), raw...))
}
