package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/capability"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// compareView is two versions side by side.
type compareView struct {
	*ui.Frame
	Server   *hub.Server
	Old, New *hub.Version
	Versions []*hub.Version
	Asks     []lineChange
	Inputs   []lineChange
	Ways     []lineChange
	Needs    []lineChange
	Tools    []capability.Change
	Worse    bool // the newer one asks for something that the older did not
}

// lineChange is one line that is only in one of the versions.
type lineChange struct {
	Kind capability.Kind
	Text string
}

func (s *site) compare(w http.ResponseWriter, r *http.Request) error {
	srv, err := s.Registry.Server(r.Context(), nameOf(r))
	if err != nil {
		return err
	}
	if r.PathValue("scope")+"/"+r.PathValue("name") != srv.Name.String() {
		return s.redirect(w, http.StatusMovedPermanently, address(ui.ServerPath(srv.Name)+"/compare", r.URL.Query()))
	}
	v := &compareView{Server: srv}
	if v.Versions, err = s.versions(r, srv); err != nil {
		return err
	}
	v.Versions = slices.DeleteFunc(v.Versions, func(x *hub.Version) bool { return x.State == hub.Unpublished })
	if len(v.Versions) < 2 {
		return hub.Errorf(hub.NotFound, "%s has only one version: there is nothing to compare it with.", srv.Name)
	}
	from, to := r.URL.Query().Get("from"), r.URL.Query().Get("to")
	older, newer := v.Versions[1], v.Versions[0]
	if compareVersions(older, newer) > 0 { // a repair of an old version was published last
		older, newer = newer, older
	}
	to, from = cmp.Or(to, newer.Version), cmp.Or(from, older.Version)
	if v.Old, err = s.Registry.Version(r.Context(), srv.ID, from); err != nil {
		return err
	}
	if v.New, err = s.Registry.Version(r.Context(), srv.ID, to); err != nil {
		return err
	}
	if err := v.fill(); err != nil {
		return err
	}
	v.Frame = s.frame(r, ui.DisplayTitle(srv)+" "+from+" and "+to, "", "")
	v.Section = "browse"
	return s.show(w, r, http.StatusOK, comparePage(v))
}

func (v *compareView) fill() error {
	old, _, err := manifest.Parse(v.Old.Manifest)
	if err != nil {
		return err
	}
	new, _, err := manifest.Parse(v.New.Manifest)
	if err != nil {
		return err
	}
	lines := func(of func(*manifest.Manifest) []string) []lineChange { return lineChanges(of(old), of(new)) }
	v.Asks = lines(func(m *manifest.Manifest) []string {
		var out []string
		for _, a := range asksOf(m) {
			out = append(out, a.Text)
		}
		return out
	})
	v.Inputs = lines(func(m *manifest.Manifest) []string {
		var out []string
		for _, in := range inputsOf(m) {
			text := in.Name + " (" + in.Where
			if in.Required {
				text += ", required"
			}
			if in.Secret {
				text += ", secret"
			}
			out = append(out, text+")")
		}
		return out
	})
	v.Ways = lines(func(m *manifest.Manifest) []string {
		var out []string
		for _, w := range waysOf(m) {
			out = append(out, w.Kind+": "+w.What+" over "+w.Transport)
		}
		return out
	})
	v.Needs = lines(func(m *manifest.Manifest) []string {
		var out []string
		for _, on := range slices.Sorted(maps.Keys(m.Dependencies)) {
			out = append(out, on+" "+m.Dependencies[on])
		}
		return out
	})
	v.Tools = capability.Compare(v.Old.Capabilities, v.New.Capabilities)
	v.Worse = slices.ContainsFunc(v.Asks, func(l lineChange) bool { return l.Kind == capability.Added })
	return nil
}

func lineChanges(old, new []string) []lineChange {
	var out []lineChange
	for _, l := range old {
		if !slices.Contains(new, l) {
			out = append(out, lineChange{capability.Removed, l})
		}
	}
	for _, l := range new {
		if !slices.Contains(old, l) {
			out = append(out, lineChange{capability.Added, l})
		}
	}
	return out
}

func (v *compareView) same() bool {
	return len(v.Asks)+len(v.Inputs)+len(v.Ways)+len(v.Needs)+len(v.Tools) == 0
}
