package migratecmd

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/use"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/migrate"
)

// bring installs the servers and keeps their values. What is installed already stays at its version.
func (o *options) bring(ctx context.Context, p install.Project, mapped []*item) error {
	var refs []app.Ref
	values := map[hub.Name]map[string]string{}
	for _, it := range mapped {
		n := it.match.name
		if values[n] == nil {
			values[n] = map[string]string{}
			if !it.match.here {
				refs = append(refs, it.match.ref)
			}
		}
		maps.Copy(values[n], it.match.fit.values)
	}
	if len(refs) > 0 {
		if _, err := use.Bring(ctx, o.App, p, refs, o.yes, false); err != nil {
			return err
		}
	}
	for _, n := range names(mapped) {
		if err := use.Keep(ctx, o.App, p, n, values[n], migrate.Secret); err != nil {
			return err
		}
	}
	return nil
}

// replace lets mcpm's entries take the place of the old ones, after a yes. A server is afterwards where it was;
// one that no host application had goes into all that get servers.
func (o *options) replace(ctx context.Context, reg *install.Registrar, p install.Project, mapped []*item) ([]install.Change, error) {
	if o.hosts {
		return nil, nil
	}
	if reg.Command == "" {
		return nil, hub.Errorf(hub.NotFound, "mcpm does not know its own path, which host applications need").WithHint("use --no-hosts")
	}
	if !o.yes {
		yes, err := o.mayReplace(ctx, mapped)
		if err != nil || !yes {
			return nil, err
		}
	}
	var list []install.Adoption
	in := map[hub.Name][]string{}
	anywhere := map[hub.Name]bool{}
	for _, it := range mapped {
		m := it.match
		if it.host == nil {
			anywhere[m.name] = true
			continue
		}
		if it.scope != hosts.User {
			continue
		}
		in[m.name] = append(in[m.name], it.host.ID)
		list = append(list, install.Adoption{
			Host: *it.host, Path: it.Path, Key: it.Key, Was: it.raw[it.Key], Server: m.name, Words: m.words, Moved: sortedKeys(m.fit.values),
		})
	}
	for n, ids := range in {
		if !anywhere[n] && !here(mapped, n) {
			reg.Narrow(p, []hub.Name{n}, ids)
		}
	}
	changes, err := reg.Adopt(p, list)
	if err != nil {
		return changes, err
	}
	w, _, err := app.WantOf(p)
	if err != nil {
		return changes, err
	}
	more, err := reg.Sync(w)
	return append(changes, more...), err
}

// here reports whether a server was installed before: then it is where it was, and in the new places.
func here(mapped []*item, n hub.Name) bool {
	return slices.ContainsFunc(mapped, func(it *item) bool { return it.match.name == n && it.match.here })
}

// mayReplace asks before the files of host applications are changed.
func (o *options) mayReplace(ctx context.Context, mapped []*item) (bool, error) {
	var in []string
	entries := 0
	for _, it := range mapped {
		if it.host != nil && it.scope == hosts.User {
			entries++
			if !slices.Contains(in, it.host.Name) {
				in = append(in, it.host.Name)
			}
		}
	}
	question := "  Add them to your AI applications? [y/N, --yes answers]"
	if entries > 0 {
		o.IO.Notef("  mcpm's entries can now take the place of yours in %s. A backup of each file stays.\n", app.AndList(in))
		question = fmt.Sprintf("  Replace %s? [y/N, --yes answers]", plural(entries, "entry", "entries"))
	}
	answer, err := o.IO.Choose(ctx, question, "ny")
	if err == nil && answer != 'y' {
		o.IO.Notef("The files of your AI applications are as they were; mcpm hosts sync%s adds the servers.\n", o.g())
	}
	return answer == 'y', err
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
