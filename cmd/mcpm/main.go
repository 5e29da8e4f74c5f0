// Command mcpm is the package manager for MCP servers.
package main

import (
	"os"
	"runtime/debug"

	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/sandbox"
)

func main() {
	sandbox.Init() // does not return in the steps of a sandbox, which are this program too
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // most runs end before the memory is worth collecting
	}
	os.Exit(cli.Run(os.Args[1:]))
}
