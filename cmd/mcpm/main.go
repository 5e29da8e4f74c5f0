// Command mcpm is the package manager for MCP servers.
package main

import (
	"os"

	"github.com/mcphub/mcphub/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:]))
}
