package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

func newCompletion(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of a shell",
		Long: "Completion prints a script for bash, zsh, fish or powershell that completes verbs, flags and the names of\nservers: of installed ones from the lockfile, and where others can be meant from the hub.\n\n" +
			"The script of bash needs the package bash-completion, which most systems have or can install; those of the other\n" +
			"shells need nothing. Start a new shell afterwards.",
		Example:   "  mcpm completion bash > ~/.local/share/bash-completion/completions/mcpm\n  mcpm completion zsh > \"${fpath[1]}/_mcpm\"",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      app.Args(1, 1, "the name of a shell: bash, zsh, fish or powershell"),
		RunE: func(c *cobra.Command, args []string) error {
			switch root := c.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.IO.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.IO.Out)
			case "fish":
				return root.GenFishCompletion(a.IO.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.IO.Out)
			}
			return app.Usage("there is no completion for %q", args[0]).WithHint("bash, zsh, fish or powershell")
		},
	}
}

// suggestTime is how long the hub may take to complete a name: a person waits with a finger on Tab.
const suggestTime = 700 * time.Millisecond

// What is completed: names at the hub, or names that are locked here.
var (
	anyServer    = strings.Fields("install info open deprecate yank unpublish")
	lockedServer = strings.Fields("uninstall update run allow accept test config why outdated export unlink")
)

// completeNames makes verbs complete the names of servers.
func completeNames(a *app.App, root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Flags().Lookup("workspace") != nil {
			_ = c.RegisterFlagCompletionFunc("workspace", func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
				return memberNames(a), cobra.ShellCompDirectiveNoFileComp
			}) // it fails for a flag that is not there
		}
		asked := slices.Contains(anyServer, c.Name())
		if !asked && !slices.Contains(lockedServer, c.Name()) {
			continue
		}
		c.ValidArgsFunction = func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			return complete(c.Context(), a, asked, args, typed), cobra.ShellCompDirectiveNoFileComp
		}
	}
}

// memberNames returns the members of the workspace that -w can name, each with its directory.
func memberNames(a *app.App) []string {
	if a.Begin() != nil { // now that -C is known
		return nil
	}
	w, err := members.Find(a)
	if err != nil || w == nil {
		return nil
	}
	var out []string
	for _, m := range w.Members {
		out = append(out, m.String()+app.Join("\t", m.Dir))
	}
	return out
}

// complete returns the names that begin as typed, each with what it is for. It prints nothing and fails never: a hub that
// does not answer in time suggests nothing.
func complete(ctx context.Context, a *app.App, ask bool, args []string, typed string) []string {
	if a.Begin() != nil { // now that -C is known
		return nil
	}
	at := ""
	if n := len(args); n > 0 && args[n-1] == "@" { // bash takes an @ for a word of its own
		at, args = "@", args[:n-1]
	}
	seen, out := map[hub.Name]bool{}, []string{}
	add := func(name, about string) {
		n, err := hub.ParseLocalName(name)
		if err != nil || seen[n] || slices.ContainsFunc(args, func(s string) bool { got, err := hub.ParseLocalName(s); return err == nil && got == n }) {
			return
		}
		seen[n] = true
		text := n.String()
		if at == "" && !strings.HasPrefix(typed, "@") && typed != "" {
			text = strings.TrimPrefix(text, "@") // as it is being typed
		}
		if text = strings.TrimPrefix(text, at); strings.Contains(text, typed) { // the shell decides what fits, fish more than a beginning
			out = append(out, text+app.Join("\t", app.Short(about)))
		}
	}
	for _, n := range lockedNames(a) {
		add(n.String(), "installed")
	}
	if text := at + typed; ask && !a.Offline && text != "" {
		for _, s := range suggest(ctx, a, text) {
			add(s[0], s[1])
		}
	}
	return out
}

// lockedNames returns the servers of the project and those of all projects.
func lockedNames(a *app.App) []hub.Name {
	var out []hub.Name
	for _, global := range []bool{false, true} {
		p, err := a.Project(global)
		if err != nil {
			continue
		}
		if lock, err := install.ReadLock(p); err == nil {
			out = append(out, lock.Names()...)
		}
	}
	return out
}

// suggest asks the hub for names, each with what it is, and waits for suggestTime at most.
func suggest(ctx context.Context, a *app.App, text string) [][2]string {
	ctx, cancel := context.WithTimeout(ctx, suggestTime)
	defer cancel()
	answer := make(chan [][2]string, 1)
	go func() {
		if scope, _, ok := strings.Cut(text, "/"); ok {
			answer <- ofScope(ctx, a, scope)
		} else {
			answer <- begunBy(ctx, a, strings.TrimPrefix(text, "@"))
		}
	}()
	select {
	case out := <-answer:
		return out
	case <-ctx.Done():
		return nil
	}
}

// begunBy returns the servers that the hub thinks of for the beginning of a name.
func begunBy(ctx context.Context, a *app.App, text string) (out [][2]string) {
	c, err := a.Client()
	if err != nil {
		return nil
	}
	found, err := c.Suggest(ctx, text)
	if err != nil {
		return nil
	}
	for _, s := range found.Suggestions {
		if s.Kind == "server" {
			out = append(out, [2]string{s.Value, s.Title})
		}
	}
	return out
}

// maxScope is how many servers of one scope are offered.
const maxScope = 100

// ofScope returns the servers of a scope, asked at the hub it is looked up at.
func ofScope(ctx context.Context, a *app.App, spelled string) (out [][2]string) {
	scope, err := hub.ParseScope(spelled)
	if err != nil {
		return nil
	}
	c, err := a.ClientFor(hub.Name(scope + "/any"))
	if err != nil {
		return nil
	}
	found, err := c.Search(ctx, wire.SearchQuery{Scope: scope, Limit: maxScope})
	if err != nil {
		return nil
	}
	for _, s := range found.Servers {
		out = append(out, [2]string{s.Name, app.First(s.Title, s.Description)})
	}
	return out
}
