package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/spf13/cobra"
)

func newVersion(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the version of mcpm",
		Example: "  mcpm version\n  mcpm version --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			commit := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			if a.JSON {
				app.PrintJSON(a.IO, map[string]string{
					"version": app.Version, "commit": commit, "go": runtime.Version(), "platform": a.OS + "/" + runtime.GOARCH,
				})
				return nil
			}
			a.IO.Printf("mcpm %s\n", app.Version)
			if commit != "" {
				a.IO.Debugf("commit %s\n", commit)
			}
			a.IO.Debugf("%s %s/%s\n", runtime.Version(), a.OS, runtime.GOARCH)
			return nil
		},
	}
}
