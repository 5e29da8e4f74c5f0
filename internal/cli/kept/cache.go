package kept

import (
	"context"
	"errors"
	"os"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

// NewCache makes the command cache with its verbs.
func NewCache(a *app.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "cache",
		Short: "Look after what is kept on this machine",
		Long: "Manifests, bundles, archives and the packages of npm and PyPI are kept under MCPM_HOME by the digest of their bytes, each\n" +
			"once for all projects.",
		Example: "  mcpm cache ls\n  mcpm cache verify --repair\n  mcpm cache gc",
	}
	c.AddCommand(newCacheList(a), newCacheVerify(a), newCacheGC(a), newCacheClean(a))
	return c
}

// locked is one server of one project.
type locked struct {
	project install.Project
	name    hub.Name
	entry   *install.Locked
}

// all returns the servers of every project that has a lockfile.
func all(a *app.App) ([]locked, install.Home, error) {
	h, err := a.Store()
	if err != nil {
		return nil, h, err
	}
	projects, err := h.Projects()
	if err != nil {
		return nil, h, err
	}
	var out []locked
	for _, p := range projects {
		lock, err := install.ReadLockfile(p.Lock())
		if err != nil {
			return nil, h, err
		}
		for _, name := range lock.Names() {
			out = append(out, locked{p, name, lock.Servers[name]})
		}
	}
	return out, h, nil
}

func newCacheList(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Short: "List the packages that are kept",
		Example: "  mcpm cache ls\n  mcpm cache ls --json", Args: app.Args(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			servers, h, err := all(a)
			if err != nil {
				return err
			}
			trees, err := h.Trees().List()
			if err != nil {
				return err
			}
			uses := map[string]int{}
			for _, s := range servers {
				for _, art := range s.entry.Artifacts {
					if art.Tree != nil {
						uses[art.Tree.ID(app.Platform)]++
					}
				}
			}
			type row struct {
				Type    string `json:"type"`
				Name    string `json:"name"`
				Version string `json:"version"`
				Files   int    `json:"files"`
				Bytes   int64  `json:"bytes"`
				Uses    int    `json:"uses"`
			}
			rows := []row{}
			for _, t := range trees {
				n := app.TreeNoteOf(t.Note)
				rows = append(rows, row{n.Type, n.Name, n.Version, t.Files, t.Bytes, uses[t.ID]})
			}
			if a.JSON {
				app.PrintJSON(a.IO, map[string]any{"packages": rows})
				return nil
			}
			table := term.Table{Drop: []int{2, 1}, Colors: []func(string) string{a.IO.Accent, nil, a.IO.Dim, nil, a.IO.Dim}}
			for _, r := range rows {
				use := "needed by nobody"
				if r.Uses > 0 {
					use = "needed by " + app.Plural(r.Uses, "server")
				}
				table.Row(r.Name+" "+r.Version, r.Type, app.Plural(r.Files, "file"), app.Size(r.Bytes), use)
			}
			table.Print(a.IO)
			if len(rows) == 0 {
				a.IO.Notef("Nothing is kept.\n")
			}
			return nil
		},
	}
}

func newCacheVerify(a *app.App) *cobra.Command {
	var repair bool
	c := &cobra.Command{
		Use: "verify", Short: "Read every file that a project needs and compare it with its digest",
		Long: "Verify reads the manifests, bundles and packages that the lockfiles of this machine's projects need. With --repair\n" +
			"it fetches what differs again, as it was locked.",
		Example: "  mcpm cache verify\n  mcpm cache verify --repair", Args: app.Args(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error { return verify(c.Context(), a, repair) },
	}
	c.Flags().BoolVar(&repair, "repair", false, "fetch what differs again")
	return c
}

func verify(ctx context.Context, a *app.App, repair bool) error {
	found, err := Verify(ctx, a, repair)
	if err != nil {
		return err
	}
	if len(found.Bad) > 0 {
		e := hub.Errorf(hub.Integrity, "what is kept is not what was locked").WithIssues(found.Bad)
		switch {
		case repair && a.Offline:
			return e.WithHint("nothing was repaired: that needs the network, and --offline was given")
		case repair:
			return e.WithHint("nothing that differs could be fetched again; mcpm doctor asks the hub and the registries of packages")
		}
		return e.WithHint("mcpm cache verify --repair fetches the locked bytes again, for which it needs the network")
	}
	if a.JSON {
		app.PrintJSON(a.IO, map[string]any{"servers": found.Servers, "repaired": found.Repaired})
		return nil
	}
	if found.Repaired > 0 {
		a.IO.Notef("Fetched %s again.\n", app.Plural(found.Repaired, "server"))
	}
	a.IO.Notef("%s as locked, every byte compared.\n", app.Plural(found.Servers, "server"))
	return nil
}

// Verified is what Verify found.
type Verified struct {
	Servers  int         // that were looked at
	Repaired int         // of them, that were fetched again
	Bad      []hub.Issue // what differs and was not repaired
}

// Verify reads every byte that the lockfiles of this machine's projects need. With repair it fetches what differs, or is
// not there, as it was locked. An error is one of mcpm's own files; what differs is in Bad.
func Verify(ctx context.Context, a *app.App, repair bool) (*Verified, error) {
	servers, h, err := all(a)
	if err != nil {
		return nil, err
	}
	found := &Verified{Servers: len(servers)}
	for _, s := range servers {
		in := &app.Installed{Name: s.name, Project: s.project, Locked: s.entry}
		err := look(a, h, s)
		if err == nil {
			continue
		}
		err = in.Wrap(err)
		if k := hub.KindOf(err); repair && !a.Offline && (k == hub.Integrity || k == hub.NotFound) {
			o := &ciOptions{App: a}
			if err = drop(a, h, s.entry); err == nil {
				err = o.check(ctx, s.project, s.name, s.entry)
			}
			if err == nil {
				found.Repaired++
				continue
			}
		}
		var e *hub.Error
		if !errors.As(err, &e) {
			return nil, err
		}
		found.Bad = append(found.Bad, hub.Issue{Message: e.Message + ", in " + s.project.Dir, Severity: hub.SeverityError})
		for _, i := range e.Issues {
			found.Bad = append(found.Bad, hub.Issue{Message: "  " + i.Message, Severity: hub.SeverityError})
		}
	}
	return found, nil
}

// look reads all that is kept of a server.
func look(a *app.App, h install.Home, s locked) error {
	if _, err := h.Manifest(s.entry.Manifest); err != nil {
		return err
	}
	if b := s.entry.Bundle(); b != nil {
		if _, _, err := h.OpenBundle(*b); err != nil {
			return err
		}
	}
	return a.VerifyTrees(s.entry)
}

// drop takes away what of a server is not as it was locked, so that it is fetched again. What is as locked stays: the
// network may not answer.
func drop(a *app.App, h install.Home, e *install.Locked) error {
	if _, err := h.Manifest(e.Manifest); err != nil {
		if err := h.RemoveManifest(e.Manifest); err != nil {
			return err
		}
	}
	if b := e.Bundle(); b != nil {
		if _, _, err := h.OpenBundle(*b); err != nil {
			if err := h.RemoveBundle(*b); err != nil {
				return err
			}
		}
	}
	for _, art := range e.Artifacts {
		if art.Tree == nil || a.VerifyTrees(&install.Locked{Artifacts: []install.Artifact{art}}) == nil {
			continue
		}
		if err := h.Trees().Remove(art.Tree.ID(app.Platform)); err != nil {
			return err
		}
	}
	return nil
}

func newCacheGC(a *app.App) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "gc", Short: "Remove what no lockfile of this machine needs",
		Long:    "Gc keeps what the lockfiles of all projects need in which mcpm installed something, and of those installed for all\nprojects. What is missing later is fetched again.",
		Example: "  mcpm cache gc\n  mcpm cache gc --dry-run", Args: app.Args(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error { return sweep(a, false, dry) },
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "show how much would go, remove nothing")
	return c
}

func newCacheClean(a *app.App) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "clean", Short: "Remove everything that can be fetched again",
		Example: "  mcpm cache clean --yes", Args: app.Args(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if !yes {
				if !a.IO.Interactive() {
					return app.Usage("clean asks before it acts, and nobody is here to answer").WithHint("add --yes")
				}
				answer, err := a.IO.Choose(c.Context(), "  Every server is fetched again before it runs. Go on? [y/N, --yes answers]", "ny")
				if err != nil {
					return err
				}
				if answer != 'y' {
					return app.Refused("nothing was removed")
				}
			}
			return sweep(a, true, false)
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

func sweep(a *app.App, everything, dry bool) error {
	h, err := a.Store()
	if err != nil {
		return err
	}
	freed, err := h.GC(app.Platform, everything, dry)
	if err != nil {
		return err
	}
	if everything {
		if err := os.RemoveAll(app.Resolved(h)); err != nil {
			return err
		}
	}
	left, err := h.Trees().List()
	if err != nil {
		return err
	}
	compiled, err := programs.Sweep(h.Dir, left, dry)
	if err != nil {
		return err
	}
	freed.Bytes += compiled
	if a.JSON {
		app.PrintJSON(a.IO, map[string]any{"packages": freed.Trees, "files": freed.Files, "bytes": freed.Bytes, "dryRun": dry})
		return nil
	}
	if dry {
		a.IO.Notef("Would remove %s, %s. Nothing was removed (--dry-run).\n", app.Plural(freed.Files, "file"), app.Size(freed.Bytes))
		return nil
	}
	a.IO.Notef("Removed %s, %s.\n", app.Plural(freed.Files, "file"), app.Size(freed.Bytes))
	return nil
}
