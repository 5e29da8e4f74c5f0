package cli

import (
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/spf13/cobra"
)

func newCompletion(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print the completion script of a shell",
		Long:      "Completion prints a script for bash, zsh, fish or powershell that completes verbs, flags and the names of\ninstalled servers.",
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
