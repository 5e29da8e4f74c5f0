// Command mcpm is the package manager for MCP servers.
package main

import (
	"os"

	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/sandbox"
)

func main() {
	sandbox.Init() // does not return in the steps of a sandbox, which are this program too
	os.Exit(cli.Run(os.Args[1:]))
}
