// Package docs is the manual: Markdown files that are read in the repository and served by the hub.
package docs

import "embed"

//go:generate go run ./reference

// Files are the pages of the manual.
//
//go:embed *.md
var Files embed.FS
