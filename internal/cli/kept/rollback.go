package kept

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/hostcmd"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/install/history"
	"github.com/spf13/cobra"
)

type rollbackOptions struct {
	*app.App
	global  bool
	list    bool
	dryRun  bool
	noHosts bool
}

// NewRollback makes the command rollback.
func NewRollback(a *app.App) *cobra.Command {
	o := &rollbackOptions{App: a}
	c := &cobra.Command{
		Use:   "rollback [N]",
		Short: "Undo a change: go back to what was installed before",
		Long: "Every install, update and uninstall makes a generation of mcp.json and mcpm-lock.json; the last 50 are kept.\n" +
			"Rollback puts both files back as they were before the last change, or in generation N, fetches what is no longer\n" +
			"kept, as it was locked, and brings the host applications in step. What you changed by hand meanwhile becomes a\n" +
			"generation first, so a rollback can be undone: mcpm rollback N goes forward, too. It asks nothing, as nothing is lost.",
		Example: "  mcpm rollback\n  mcpm rollback --list\n  mcpm rollback 3 --dry-run\n  mcpm rollback -g",
		Args:    app.Args(0, 1, "the number of a generation"),
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "what is installed for all projects")
	c.Flags().BoolVar(&o.list, "list", false, "show the generations")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
	c.Flags().BoolVar(&o.noHosts, "no-hosts", false, "leave the files of host applications alone")
	return c
}

func (o *rollbackOptions) run(ctx context.Context, args []string) error {
	p, h, err := o.place()
	if err != nil {
		return err
	}
	unlock, err := h.Guard(p)
	if err != nil {
		return err
	}
	defer unlock()
	log := history.Of(h, p)
	if o.list {
		return o.show(log)
	}
	to, err := choose(log, args)
	if err != nil {
		return err
	}
	back, err := o.compare(p, to)
	if err != nil {
		return err
	}
	if back.migrated, back.earlier, err = crosses(log, to.Number); err != nil {
		return err
	}
	if !o.dryRun {
		if err := back.write(ctx, o.App, h, log); err != nil {
			return err
		}
	}
	changes, err := o.syncHosts(back)
	if err != nil {
		return err
	}
	o.tell(back, changes)
	return nil
}

// place returns the project, or, where there is none now, the nearest directory upwards that was one.
func (o *rollbackOptions) place() (install.Project, install.Home, error) {
	p, err := o.Project(o.global)
	p = p.Owner() // a workspace goes back as one
	if err != nil {
		return p, install.Home{}, err
	}
	h, err := o.Store()
	if err != nil || p.Global {
		return p, h, err
	}
	if _, err := os.Stat(p.Manifest()); err == nil { // it is a project, whatever the directories above it were
		return p, h, nil
	}
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		was := install.Project{Dir: dir}
		if n, err := history.Of(h, was).Current(); n > 0 || err != nil {
			return was, h, err
		}
		if dir == filepath.Dir(dir) {
			return p, h, nil
		}
	}
}

// crosses reports whether mcpm migrate is among the changes between the current generation and another, and whether that is an
// earlier one.
func crosses(log history.Log, to int) (migrated, earlier bool, err error) {
	current, err := log.Current()
	if err != nil {
		return false, false, err
	}
	list, err := log.List()
	return slices.ContainsFunc(list, func(g history.Generation) bool {
		return strings.HasPrefix(g.Why, "migrate") && g.Number > min(current, to) && g.Number <= max(current, to)
	}), to < current, err
}

// choose returns the generation that is asked for, or the one before.
func choose(log history.Log, args []string) (*history.Generation, error) {
	if len(args) == 0 {
		return log.Before()
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return nil, app.Usage("%q is not the number of a generation", args[0]).WithHint("mcpm rollback --list shows them")
	}
	return log.Read(n)
}

// back is a project on its way to a generation.
type back struct {
	project  install.Project
	to       *history.Generation
	lock     *install.Lockfile // as it will be
	now      *install.Lockfile
	parts    []restored
	earlier  bool     // what is gone back to was before what is
	migrated bool     // entries that mcpm migrate changed are among what is undone or done again
	come     []change // servers that come or change
	gone     []change
}

// change is one server that differs. A version is "" where it is not there.
type change struct {
	name     hub.Name
	from, to string
}

// compare reads the files as they are and as they were. Nothing is changed when either cannot be read.
func (o *rollbackOptions) compare(p install.Project, to *history.Generation) (*back, error) {
	now, err := install.ReadLockfile(p.Lock())
	if err != nil {
		return nil, err
	}
	b := &back{project: p, to: to, now: now, lock: install.NewLockfile()}
	if to.Lock != nil {
		if b.lock, err = install.ParseLockfile([]byte(*to.Lock)); err != nil {
			return nil, hub.Errorf(hub.Integrity, "the lockfile of generation %d cannot be used: %v", to.Number, err)
		}
	}
	if err := b.read(); err != nil {
		return nil, err
	}
	for _, name := range b.lock.Names() {
		was := ""
		if e := now.Servers[name]; e != nil {
			was = e.Version
		}
		if is := b.lock.Servers[name].Version; is != was {
			b.come = append(b.come, change{name, was, is})
		}
	}
	for _, name := range now.Names() {
		if b.lock.Servers[name] == nil {
			b.gone = append(b.gone, change{name, now.Servers[name].Version, ""})
		}
	}
	return b, nil
}

// write fetches what is missing, notes what there is, and puts the files back, each whole.
func (b *back) write(ctx context.Context, a *app.App, h install.Home, log history.Log) error {
	fetch := &ciOptions{App: a}
	for _, name := range b.lock.Names() {
		if e := b.lock.Servers[name]; !h.Complete(e, app.Platform) {
			if err := fetch.check(ctx, b.project, name, e); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := log.Witness(b.project, a.Now()); err != nil {
		return err
	}
	links := b.links() // from the files as they still are
	for _, f := range b.files() {
		if err := f.write(); err != nil {
			return err
		}
	}
	for _, l := range links {
		if _, err := h.Link(l.project, l.name, l.dir); err != nil {
			return err
		}
	}
	if err := log.Use(b.to.Number); err != nil {
		return err
	}
	return h.Remember(b.project)
}

// syncHosts takes out what is no longer named and adds what is.
func (o *rollbackOptions) syncHosts(b *back) ([]install.Change, error) {
	if o.noHosts {
		return nil, nil
	}
	r, err := o.Registrar(o.dryRun)
	if err != nil {
		return nil, err
	}
	r.GiveBack = b.migrated && b.earlier
	var wants []install.Want
	for _, part := range b.parts {
		wants = append(wants, install.Want{Project: part.project, Servers: part.direct})
	}
	return r.Sync(wants...)
}

func (o *rollbackOptions) tell(b *back, changes []install.Change) {
	if o.JSON {
		type row struct {
			Name     string `json:"name"`
			Version  string `json:"version,omitempty"`
			Previous string `json:"previous,omitempty"`
		}
		rows := []row{}
		for _, c := range slices.Concat(b.come, b.gone) {
			rows = append(rows, row{c.name.String(), c.to, c.from})
		}
		app.PrintJSON(o.IO, map[string]any{"generation": b.to.Number, "changed": rows, "dryRun": o.dryRun})
		return
	}
	for _, c := range b.come {
		was := ""
		if c.from != "" {
			was = "   " + o.IO.Dim("was "+c.from)
		}
		o.IO.Printf("%s %s%s\n", o.IO.Green("+"), o.IO.Accent(c.name.String()+" "+c.to), was)
	}
	for _, c := range b.gone {
		o.IO.Printf("%s %s %s\n", o.IO.Red("-"), c.name, c.from)
	}
	hostcmd.Tell(o.App, changes, o.dryRun)
	if b.migrated && !o.noHosts && !slices.ContainsFunc(changes, func(c install.Change) bool { return c.Action == "given back" }) && len(changes) > 0 {
		o.IO.Warnf("entries that mcpm migrate took over do not get their own names, arguments and variables back; mcpm hosts restore HOST --list shows the files as they were")
	}
	if o.dryRun {
		o.IO.Notef("Nothing was changed (--dry-run).\n")
		return
	}
	o.IO.Notef("Back at generation %d: %s installed.\n", b.to.Number, app.Plural(len(b.lock.Servers), "server"))
}

// show lists the generations, newest first.
func (o *rollbackOptions) show(log history.Log) error {
	list, err := log.List()
	if err != nil {
		return err
	}
	current, err := log.Current()
	if err != nil {
		return err
	}
	slices.Reverse(list)
	if o.JSON {
		rows := []map[string]any{}
		for _, g := range list {
			rows = append(rows, map[string]any{"generation": g.Number, "at": g.At, "why": g.Why, "current": g.Number == current})
		}
		app.PrintJSON(o.IO, map[string]any{"generations": rows})
		return nil
	}
	table := term.Table{Colors: []func(string) string{o.IO.Accent, o.IO.Dim, nil, o.IO.Green}}
	for _, g := range list {
		here := ""
		if g.Number == current {
			here = "current"
		}
		table.Row(fmt.Sprint(g.Number), g.At.Local().Format("2006-01-02 15:04"), app.Clean(g.Why), here)
	}
	table.Print(o.IO)
	if len(list) == 0 {
		o.IO.Notef("There is nothing to go back to: nothing was installed here yet.\n")
	}
	return nil
}
