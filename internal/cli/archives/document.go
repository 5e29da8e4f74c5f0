package archives

import (
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// Damaged says that what a lockfile keeps of a package cannot be read.
func Damaged(art *install.Artifact, err error) error {
	return hub.Errorf(hub.Integrity, "the packages of %s in the lockfile are damaged", term.Clean(art.Identifier)).
		WithIssues([]hub.Issue{{Message: err.Error()}}).WithHint("restore mcpm-lock.json from version control").WithCause(err)
}

// Same compares the digest of what is pinned with what the lockfile says it is; named says that it is of the
// package it is kept with.
func Same(art *install.Artifact, got string, named bool) error {
	switch {
	case !named:
		return hub.Errorf(hub.Integrity, "the lockfile has %s %s with the packages of another one", term.Clean(art.Identifier), term.Clean(art.Version)).
			WithHint("restore mcpm-lock.json from version control")
	case got != art.Tree.Integrity:
		return hub.Errorf(hub.Integrity, "the packages of %s in the lockfile are not what its digest says", term.Clean(art.Identifier)).WithIssues([]hub.Issue{
			{Message: "locked    " + art.Tree.Integrity}, {Message: "found     " + got},
		}).WithHint("restore mcpm-lock.json from version control")
	}
	return nil
}

// NotLocked says that the files of a package are others than the locked ones.
func NotLocked(art *install.Artifact, locked, fetched string) error {
	return hub.Errorf(hub.Integrity, "the packages of %s %s are not what was locked", term.Clean(art.Identifier), term.Clean(art.Version)).
		WithIssues([]hub.Issue{{Message: "locked    " + locked}, {Message: "fetched   " + fetched}}).WithHint("tell the publisher; nothing was installed")
}
