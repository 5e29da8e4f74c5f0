// Package typed reads names as people type them for verbs about installed servers: an alias, or a name without its
// scope, means the one installed server that is called so.
package typed

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// Installed is app.ParseLocal for verbs about what is installed: there a name may be written without its scope, and means
// the one server that is called so, of the project or else of those for all projects; with global the other way round.
// An alias that is called so goes first. Invalid when several are called so, NotFound when none is.
func Installed(a *app.App, s string, global bool) (app.Ref, error) {
	full, others, err := spelled(a, s, global)
	if err != nil {
		return app.Ref{}, err
	}
	if full.name != "" {
		return app.ParseLocal(full.name.String() + full.rng)
	}
	if base, _ := cutRange(s); canBeShort(base) {
		e := hub.Errorf(hub.NotFound, "no server called %s is installed", app.Clean(base))
		if near := jsonc.Nearest(base, others); near != "" {
			return app.Ref{}, e.WithHint("did you mean %s?", near)
		}
		return app.Ref{}, e.WithHint("mcpm list shows what is installed, mcpm search %s finds others", app.Clean(base))
	}
	return app.ParseRef(s)
}

// AllInstalled reads several; naming a server twice is a mistake.
func AllInstalled(a *app.App, args []string, global bool) ([]app.Ref, error) {
	return app.ParseRefs(args, func(s string) (app.Ref, error) { return Installed(a, s, global) })
}

// Known is app.ParseRef for verbs about any server, where a name without its scope means an installed one, and an alias
// the server that it stands for.
func Known(a *app.App, s string) (app.Ref, error) {
	full, _, err := spelled(a, s, false)
	if err != nil {
		return app.Ref{}, err
	}
	if full.name != "" {
		return app.ParseRef(full.of.String() + full.rng)
	}
	return app.ParseRef(s)
}

// MissingScope adds to the error about a name without its scope which servers of the hub are called so. None is ever taken
// for the one that was meant: anybody may call a server of theirs as another is called.
func MissingScope(ctx context.Context, a *app.App, verb, arg string, err error) error {
	base, rng := cutRange(arg)
	if !canBeShort(base) || a.Offline || hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), base) {
		return err
	}
	c, e := a.Client()
	if e != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hintTime)
	defer cancel()
	found, e := c.Suggest(ctx, base)
	if e != nil {
		return err // what is wrong is said; the hint is a courtesy
	}
	var names []string
	for _, s := range found.Suggestions {
		if n, e := hub.ParseMirrorName(s.Value); e == nil && s.Kind == "server" && strings.EqualFold(n.Base(), base) {
			names = append(names, n.String())
		}
	}
	slices.Sort(names)
	switch len(names) {
	case 0:
		return err
	case 1:
		return app.Usage("%s", err.Error()).WithHint("did you mean mcpm %s %s%s?", verb, names[0], rng)
	}
	return app.Usage("%s", err.Error()).WithHint("the hub has %s: write the whole name", app.AndList(names))
}

// hintTime is how long the hub may take to say what may have been meant.
const hintTime = 2 * time.Second

// meant is what an argument without a scope means.
type meant struct {
	name hub.Name // in the project, "" when it means nothing there
	of   hub.Name // the server, which an alias stands for
	rng  string   // "@" and what was written after it
}

// spelled returns what an argument without a scope means, if it is one; and how the installed servers are called.
func spelled(a *app.App, s string, global bool) (full meant, others []string, err error) {
	base, rng := cutRange(s)
	if !canBeShort(base) {
		return meant{}, nil, nil
	}
	h, err := a.Store()
	if err != nil {
		return meant{}, nil, err
	}
	places := []install.Project{install.FindProject(a.Dir), h.Global()}
	if global {
		slices.Reverse(places)
	}
	for _, p := range places {
		names, err := namesIn(h, p)
		if err != nil {
			return meant{}, nil, err
		}
		if of, ok := names[hub.Name(base)]; ok { // an alias
			return meant{hub.Name(base), of, rng}, others, nil
		}
		var fit []meant
		for _, n := range slices.SortedFunc(maps.Keys(names), app.CompareNames) {
			if others = append(others, n.Base()); strings.EqualFold(n.Base(), base) {
				fit = append(fit, meant{n, names[n], rng})
			}
		}
		switch len(fit) {
		case 0:
		case 1:
			return fit[0], others, nil
		default:
			var all []string
			for _, m := range fit {
				all = append(all, m.name.String())
			}
			return meant{}, nil, app.Usage("several installed servers are called %s: %s", app.Clean(base), app.AndList(all)).WithHint("write the whole name, such as %s", all[0])
		}
	}
	return meant{}, others, nil
}

// namesIn returns the servers that are locked or linked in a project and the aliases of its mcp.json, and which server
// each is.
func namesIn(h install.Home, p install.Project) (map[hub.Name]hub.Name, error) {
	lock, err := install.ReadLock(p)
	if err != nil {
		return nil, err
	}
	links, err := h.Links(p)
	if err != nil {
		return nil, err
	}
	names := map[hub.Name]hub.Name{}
	for n := range links {
		names[n] = n
	}
	if m, _, err := app.ReadManifest(p); err == nil && m != nil { // what is wrong with it is told by those who need it
		asked, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies)
		for n, spec := range asked {
			if n.IsAlias() {
				names[n] = spec.Name
			}
		}
	}
	for n, e := range lock.Servers {
		names[n] = e.Of(n)
	}
	return names, nil
}

// cutRange parts NAME from @RANGE.
func cutRange(s string) (name, rng string) {
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// canBeShort reports whether an argument is a name without a scope, and not the beginning of one or a path.
func canBeShort(s string) bool {
	return s != "" && len(s) <= app.MaxRef && !strings.ContainsAny(s, `/\`) && !strings.HasPrefix(s, "@") && !strings.HasPrefix(s, ".")
}
