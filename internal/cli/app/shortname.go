package app

import (
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// InstalledRef is ParseRef for verbs about what is installed: there a name may be written without its scope, and means
// the one server that is called so, of the project or else of those for all projects; with global the other way round.
// Invalid when several are called so, NotFound when none is.
func (a *App) InstalledRef(s string, global bool) (Ref, error) {
	full, others, err := a.spelled(s, global)
	if err != nil {
		return Ref{}, err
	}
	if full != "" {
		return ParseRef(full)
	}
	if base, _ := cutRange(s); canBeShort(base) {
		e := hub.Errorf(hub.NotFound, "no server called %s is installed", Clean(base))
		if near := jsonc.Nearest(base, others); near != "" {
			return Ref{}, e.WithHint("did you mean %s?", near)
		}
		return Ref{}, e.WithHint("mcpm list shows what is installed, mcpm search %s finds others", Clean(base))
	}
	return ParseRef(s)
}

// InstalledRefs reads several; naming a server twice is a mistake.
func (a *App) InstalledRefs(args []string, global bool) ([]Ref, error) {
	return several(args, func(s string) (Ref, error) { return a.InstalledRef(s, global) })
}

// KnownRef is ParseRef for verbs about any server, where a name without its scope means an installed one.
func (a *App) KnownRef(s string) (Ref, error) {
	full, _, err := a.spelled(s, false)
	if err != nil {
		return Ref{}, err
	}
	return ParseRef(First(full, s))
}

// spelled returns an argument with the scope that was left out, "" when none was or no installed server is meant; and
// how the installed ones are called.
func (a *App) spelled(s string, global bool) (full string, others []string, err error) {
	base, rng := cutRange(s)
	if !canBeShort(base) {
		return "", nil, nil
	}
	h, err := a.Store()
	if err != nil {
		return "", nil, err
	}
	places := []install.Project{install.FindProject(a.Dir), h.Global()}
	if global {
		slices.Reverse(places)
	}
	for _, p := range places {
		names, err := namesIn(h, p)
		if err != nil {
			return "", nil, err
		}
		var fit []string
		for _, n := range names {
			if others = append(others, n.Base()); strings.EqualFold(n.Base(), base) {
				fit = append(fit, n.String())
			}
		}
		switch len(fit) {
		case 0:
		case 1:
			return fit[0] + rng, others, nil
		default:
			return "", nil, Usage("several installed servers are called %s: %s", Clean(base), AndList(fit)).WithHint("write the whole name, such as %s", fit[0])
		}
	}
	return "", others, nil
}

// namesIn returns the servers that are locked or linked in a project, by name.
func namesIn(h install.Home, p install.Project) ([]hub.Name, error) {
	lock, err := install.ReadLockfile(p.Lock())
	if err != nil {
		return nil, err
	}
	links, err := h.Links(p)
	if err != nil {
		return nil, err
	}
	names := lock.Names()
	for n := range links {
		if lock.Servers[n] == nil {
			names = append(names, n)
		}
	}
	SortNames(names)
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
	return s != "" && len(s) <= maxRef && !strings.ContainsAny(s, `/\`) && !strings.HasPrefix(s, "@") && !strings.HasPrefix(s, ".")
}
