// Command mcphub is the hub: it serves the registry, fills it from catalogues and mirrors, and looks
// after it. One binary; with no setting at all everything is embedded in one data directory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/spf13/cobra"
)

func main() {
	sandbox.Init() // does not return in the steps of a sandbox, which are this program too
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, errSilent) {
		return 1
	}
	fmt.Fprintf(errs, "error: %v\n", err)
	var e *hub.Error
	if errors.As(err, &e) {
		for i, issue := range e.Issues {
			if i == 3 {
				break
			}
			fmt.Fprintf(errs, "  %s: %s\n", issue.Path, issue.Message)
		}
		if e.Hint != "" {
			fmt.Fprintf(errs, "hint: %s\n", e.Hint)
		}
		if e.Kind == hub.Invalid || e.Kind == hub.Malformed {
			return 2
		}
		return 1
	}
	for _, begin := range []string{"unknown ", "required flag", "accepts ", "requires ", "invalid argument", "flag needs", "bad flag"} {
		if strings.HasPrefix(err.Error(), begin) {
			fmt.Fprintf(errs, "hint: %s --help\n", ran.CommandPath())
			break
		}
	}
	return 2 // flags and arguments, as cobra found them
}

// errSilent ends the program with code 1 after everything was said.
var errSilent = errors.New("failed")

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mcphub",
		Short: "The registry of MCP servers",
		Long: `mcphub is the registry, search, security and runtime service for MCP servers.

Start one with everything embedded in ./data:

  mcphub serve`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       programVersion(),
	}
	root.SetVersionTemplate("mcphub {{.Version}}\n")
	addConfigFlags(root.PersistentFlags())
	root.AddCommand(newServe(), newConfigCmd(), newImport(), newSync(), newAdmin(), newVersion())
	showSettings(root)
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "mcphub %s\n", programVersion())
		return err
	}}
}

// version and commit are set by the linker (see Makefile).
var version, commit = "", ""

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "0.1.0-dev"
}
