// Package cli is mcpm: the root command, help, and the verbs about the account and the program. The other
// verbs are in use, show, kept, check, export and author, one a file: an options struct, a constructor that reads the flags, and a run
// method that does the work. What they share is in app, what they show goes through term.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/author"
	"github.com/mcphub/mcphub/internal/cli/check"
	"github.com/mcphub/mcphub/internal/cli/export"
	"github.com/mcphub/mcphub/internal/cli/find"
	"github.com/mcphub/mcphub/internal/cli/gate"
	"github.com/mcphub/mcphub/internal/cli/granted"
	"github.com/mcphub/mcphub/internal/cli/guarded"
	"github.com/mcphub/mcphub/internal/cli/hostcmd"
	"github.com/mcphub/mcphub/internal/cli/kept"
	"github.com/mcphub/mcphub/internal/cli/migratecmd"
	"github.com/mcphub/mcphub/internal/cli/news"
	"github.com/mcphub/mcphub/internal/cli/server"
	"github.com/mcphub/mcphub/internal/cli/set"
	"github.com/mcphub/mcphub/internal/cli/show"
	"github.com/mcphub/mcphub/internal/cli/signin"
	"github.com/mcphub/mcphub/internal/cli/use"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/spf13/cobra"
)

const intro = `mcpm finds, installs and runs MCP servers, the programs that give tools, resources and prompts
to AI applications.`

// The groups in which help lists the verbs.
const (
	groupUse     = "use"
	groupPublish = "publish"
	groupAccount = "account"
)

// Main runs mcpm with the given arguments and returns its exit code.
func Main(ctx context.Context, env *app.Env, args []string) int {
	a := app.NewApp(env)
	root := newRoot(a)
	root.SetArgs(args)
	var watch *news.Watch
	begin := root.PersistentPreRunE
	root.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		err := begin(c, args)
		if err == nil {
			watch = news.Start(a, c.Name(), app.Version)
		}
		return err
	}
	err := root.ExecuteContext(ctx)
	if err != nil {
		app.Report(env.IO, explain(root, args, err), a.JSON)
	}
	watch.End()
	return app.CodeOf(explain(root, args, err))
}

// Root returns the commands of mcpm, for programs that write about them.
func Root(env *app.Env) *cobra.Command { return newRoot(app.NewApp(env)) }

func newRoot(a *app.App) *cobra.Command {
	root := &cobra.Command{
		Use: "mcpm", Short: "The package manager for MCP servers", Long: intro,
		Example:           "  mcpm search \"query a postgres database\"\n  mcpm install @acme/postgres\n  mcpm run @acme/postgres",
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           app.Version,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.Begin() },
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(a, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(a.IO.Out)
	root.SetErr(a.IO.Err)
	root.SetIn(a.IO.In)
	root.SetVersionTemplate("mcpm {{.Version}}\n")
	f := root.PersistentFlags()
	f.BoolVar(&a.JSON, "json", false, "answer in JSON")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "say only what was asked for, and errors")
	f.VarP((*counter)(&a.Verbose), "verbose", "v", "say more; -vv names each request to a hub, too")
	f.Lookup("verbose").NoOptDefVal = "true"
	f.StringVar(&a.Registry, "registry", "", "the hub to use, a `URL`")
	f.BoolVar(&a.Offline, "offline", false, "use nothing but what is on this machine")
	f.StringVarP(&a.DirFlag, "dir", "C", "", "work as if started in `DIR`")
	root.AddGroup(
		&cobra.Group{ID: groupUse, Title: "Find and use servers:"},
		&cobra.Group{ID: groupPublish, Title: "Write and publish servers:"},
		&cobra.Group{ID: groupAccount, Title: "Account and program:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupUse, find.NewSearch(a), find.NewInfo(a), use.NewInstall(a), use.NewUninstall(a), use.NewUpdate(a), kept.NewRollback(a),
		show.NewList(a), show.NewOutdated(a), show.NewWhy(a), show.NewOpen(a), use.NewRun(a), gate.NewGateway(a), signin.NewAuth(a), guarded.NewAccept(a), granted.NewAllow(a), guarded.NewLog(a), server.New(a, Main), use.NewTest(a), set.NewConfig(a),
		hostcmd.New(a), migratecmd.New(a), kept.NewLink(a), kept.NewUnlink(a), kept.NewCI(a), kept.NewCache(a), export.NewExport(a))
	add(groupPublish, author.NewInit(a), author.NewPublish(a), author.NewDeprecate(a), author.NewYank(a), author.NewUnpublish(a))
	add(groupAccount, newLogin(a), newLogout(a), newWhoami(a), check.NewDoctor(a), newVersion(a), newCompletion(a))
	root.SetHelpCommand(newHelp(a))
	root.SetHelpCommandGroupID(groupAccount)
	fitHelp(root, a)
	completeNames(a, root)
	return root
}

// explain turns cobra's errors into ours.
func explain(root *cobra.Command, args []string, err error) error {
	var he *hub.Error
	var ee *app.ExitError
	if err == nil || errors.As(err, &he) || errors.As(err, &ee) || errors.Is(err, context.Canceled) {
		return err
	}
	var pe *os.PathError
	text := err.Error()
	if errors.As(err, &pe) || !looksLikeUsage(text) {
		return err
	}
	verb := "mcpm"
	if c, _, e := root.Find(args); e == nil && c != root {
		verb = c.CommandPath()
	}
	text = strings.TrimPrefix(text, "unknown shorthand flag: ")
	return app.Usage("%s", text).WithHint("%s --help", verb)
}

func looksLikeUsage(s string) bool {
	for _, p := range []string{"unknown flag", "unknown shorthand", "flag needs", "invalid argument", "bad flag", "accepts ", "requires ", "required flag", "if any flags"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// unknownVerb says what was meant, as far as that can be guessed.
func unknownVerb(a *app.App, verb string) error {
	root := newRoot(a)
	var names []string
	for _, c := range root.Commands() {
		names = append(append(names, c.Name()), c.Aliases...)
	}
	e := app.Usage("mcpm has no verb %q", verb)
	if near := jsonc.Nearest(verb, names); near != "" {
		return e.WithHint("did you mean mcpm %s?", near)
	}
	return e.WithHint("mcpm --help lists them")
}

const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} VERB [flags]{{end}}{{if gt (len .Aliases) 0}}

Short forms:
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Everywhere:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

mcpm VERB --help tells more. mcpm help TOPIC explains: ranges, permissions, lockfile, workspaces, hosts, sandbox,
guard, secrets.{{end}}
`

// counter counts how often a flag is given. To pflag it is a bool, so that help shows no value.
type counter int

func (c *counter) String() string { return strconv.Itoa(int(*c)) }
func (c *counter) Type() string   { return "bool" }
func (c *counter) Set(s string) error {
	if s == "true" {
		*c++
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 8)
	*c = counter(n)
	return err
}

// fitHelp sets help to the width of the terminal.
func fitHelp(root *cobra.Command, a *app.App) {
	template := usageTemplate
	if w := a.IO.Width; w > 0 {
		template = strings.ReplaceAll(template, "FlagUsages ", fmt.Sprintf("FlagUsagesWrapped %d ", w))
	}
	root.SetUsageTemplate(template)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if text := strings.TrimSpace(app.First(c.Long, c.Short)); text != "" {
			a.IO.Printf("%s\n\n", a.IO.Reflow(text))
		}
		a.IO.Printf("%s", c.UsageString())
	})
}

// Run runs mcpm under the signals of a terminal: the first Ctrl-C asks the command to stop, a second one
// stops it at once.
func Run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Main(ctx, app.System(), args)
}
