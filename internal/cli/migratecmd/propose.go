package migratecmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/use"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/resolve"
)

// match is the server of the hub that an old one becomes.
type match struct {
	name    hub.Name
	version string
	ref     app.Ref
	words   []string // in the entry of a host application, after the server
	fit     *fit
	notes   []string // what will be different
	here    bool     // it is installed already
}

// propose looks every server up.
func (o *options) propose(ctx context.Context, p install.Project, sources []*source) ([]*item, error) {
	var items []*item
	for _, s := range sources {
		for _, found := range s.servers {
			items = append(items, &item{source: s, server: found, why: found.Why})
		}
	}
	settings, err := o.Settings()
	if err != nil {
		return nil, err
	}
	w, _, err := app.WantOf(p)
	if err != nil {
		return nil, err
	}
	l := &lookup{App: o.App, settings: settings, servers: map[hub.Name]*known{}, searched: map[string][]hub.Name{}}
	for _, it := range items {
		if it.why != "" {
			continue
		}
		if err := o.look(ctx, l, it); err != nil {
			return nil, err
		}
		if it.match != nil {
			it.match.here = slices.Contains(w.Servers, it.match.name)
		}
	}
	return items, o.settle(ctx, p, items)
}

// look finds what one server becomes, or says why it becomes nothing.
func (o *options) look(ctx context.Context, l *lookup, it *item) error {
	same, near, err := l.find(ctx, it.Server)
	if err != nil {
		return err
	}
	switch len(same) {
	case 0:
		it.why, it.near = "the hub has no "+it.what(), near
		return nil
	case 1:
	default:
		for _, k := range same {
			it.near = append(it.near, k.name)
		}
		it.why = fmt.Sprintf("%d servers on the hub are it; mcpm install takes the one you name", len(same))
		return nil
	}
	k := same[0]
	m := &match{name: k.name, version: k.version}
	if it.Version != "" && packageVersion(k.manifest, it.Server) != it.Version {
		older, err := l.exact(ctx, k.name, it.Server)
		if err != nil {
			return err
		}
		if older != nil {
			k, m.version = older, older.version
		} else {
			m.notes = append(m.notes, "you had "+it.Version+"; the hub does not have that version")
		}
	}
	asked := "" // as install does without a range
	if it.Version != "" {
		asked = m.version
	}
	rng, err := resolve.ParseRange(asked)
	if err != nil {
		return err
	}
	m.ref = app.Ref{Name: m.name, Rng: rng, Given: asked != ""}
	return o.fitIn(it, m, k)
}

// fitIn checks that the server can be started as the old one was.
func (o *options) fitIn(it *item, m *match, k *known) error {
	s, err := o.Settings()
	if err != nil {
		return err
	}
	usual, _, err := k.manifest.Entry(s.DefaultTransport)
	if err != nil {
		it.why = "the server of the hub cannot be started: " + err.Error()
		return nil
	}
	key := usual
	if own := entryOf(k.manifest, it.Server); own != "" {
		key = own
	}
	f, why := fitTo(k.manifest, key, it.Server)
	if why != "" {
		it.why, it.near = why, []hub.Name{k.name}
		return nil
	}
	m.fit = f
	if key != usual {
		m.words = []string{"--entry", key}
	}
	if len(f.args) > 0 {
		m.words = append(append(m.words, "--"), f.args...)
	}
	if len(m.words) > 0 && it.host == nil {
		what, words := "it has arguments of its own", " -- ARGUMENTS" // which may be keys, and are not shown
		if len(f.args) == 0 {
			what, words = fmt.Sprintf("it is the entry %q of its server, which starts by its entry %q", app.Clean(key), app.Clean(usual)), " --entry "+app.Clean(key)
		}
		it.why, it.near = what+", and only a host application's file keeps that: mcpm run "+m.name.String()+words, []hub.Name{k.name}
		return nil
	}
	for _, name := range it.Elsewhere {
		if _, given := f.values[name]; !given && !slices.Contains(f.needs, name) && slices.Contains(inputNames(k.manifest, k.manifest.Servers[key]), name) {
			f.needs = append(f.needs, name)
		}
	}
	it.match = m
	return nil
}

// what says what a server is, for people.
func (it *item) what() string {
	kinds := map[string]string{"npm": "npm package", "pypi": "PyPI package", "oci": "image", "remote": "server at", "name": "server"}
	return strings.TrimSpace(kinds[it.Kind] + " " + it.Identifier)
}

// settle makes the matches agree: a server has one set of values in a project, one version, and one entry in a file.
func (o *options) settle(ctx context.Context, p install.Project, items []*item) error {
	values := map[hub.Name]map[string]string{}
	versions := map[hub.Name]string{}
	entries := map[string]bool{}
	for _, it := range items {
		if it.match == nil {
			continue
		}
		n := it.match.name
		if values[n] == nil {
			stored, err := use.Kept(ctx, o.App, p, n)
			if err != nil {
				return err
			}
			values[n] = stored
		}
		if key := differs(values[n], it.match.fit.values); key != "" {
			it.refuse(fmt.Sprintf("mcpm keeps one %s for each server, and %s has another one", key, n))
			continue
		}
		if v := versions[n]; v != "" && v != it.match.version {
			it.refuse(fmt.Sprintf("it asks for %s %s, and another entry for %s", n, it.match.version, v))
			continue
		}
		place := it.Path + "\x00" + string(n)
		if it.host != nil && (entries[place] || slices.Contains(it.ours, n)) {
			it.refuse("the same server is in this file twice; take this entry out by hand")
			continue
		}
		entries[place] = true
		maps.Copy(values[n], it.match.fit.values)
		versions[n] = it.match.version
	}
	return nil
}

// refuse takes a match back.
func (it *item) refuse(why string) {
	it.near, it.why, it.match = []hub.Name{it.match.name}, why, nil
}

// differs names a value that is another one in b.
func differs(a, b map[string]string) string {
	for _, k := range sortedKeys(b) {
		if v, ok := a[k]; ok && v != b[k] {
			return k
		}
	}
	return ""
}
