// Package workspace reads what a repository with several servers says of itself: which directories are its members, which
// of them a filter means, and what a range such as "workspace:^" stands for. It follows no link and leaves no directory.
package workspace

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Limits of a workspace: more than this is a mistake, or somebody's attempt to keep mcpm busy.
const (
	MaxPatterns = 64
	MaxMembers  = 500
	maxVisited  = 20_000 // directories that are looked into
	maxPattern  = 200    // bytes of a pattern
	maxDepth    = 16     // directories below each other
)

// skipped are directories that hold no members, as npm has it.
var skipped = []string{"node_modules", ".git"}

// Check says what is wrong with patterns: "servers/*", "tools/**", and with a leading "!" what is left out. Invalid names
// the pattern.
func Check(patterns []string) error {
	if len(patterns) > MaxPatterns {
		return hub.Errorf(hub.Invalid, "workspaces has %d patterns; at most %d are read", len(patterns), MaxPatterns)
	}
	for _, p := range patterns {
		if err := check(strings.TrimPrefix(p, "!")); err != nil {
			return hub.Errorf(hub.Invalid, "workspaces: %.80q %s", p, err.Error()).WithHint(`write a path below this directory, such as "servers/*"`)
		}
	}
	return nil
}

func check(p string) error {
	clean := path.Clean(p)
	switch {
	case p == "" || len(p) > maxPattern || strings.Count(clean, "/") >= maxDepth:
		return errors.New("is empty or too long")
	case path.IsAbs(p) || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(p, "\\"):
		return errors.New("is not a path below the project")
	}
	if strings.Count(clean, "**") > 2 {
		return errors.New("has too many **")
	}
	if _, err := path.Match(clean, ""); err != nil {
		return errors.New("is no pattern")
	}
	return nil
}

// Matches reports whether a directory, with slashes and relative to the root, is a member by patterns that Check accepts.
// The last pattern that fits it counts, as with npm.
func Matches(patterns []string, dir string) bool {
	in := false
	for _, p := range patterns {
		p, out := strings.CutPrefix(p, "!")
		if fits(strings.Split(path.Clean(p), "/"), strings.Split(dir, "/")) {
			in = !out
		}
	}
	return in
}

// fits compares a path with a pattern, segment by segment; "**" is any number of them.
func fits(pattern, dir []string) bool {
	if len(pattern) == 0 {
		return len(dir) == 0
	}
	if pattern[0] == "**" {
		return fits(pattern[1:], dir) || len(dir) > 0 && fits(pattern, dir[1:])
	}
	if len(dir) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], dir[0])
	return err == nil && ok && fits(pattern[1:], dir[1:])
}

// Find returns the directories below root that are members and have the file, sorted. Links are not followed. Invalid for bad
// patterns, TooLarge when there is more than the limits take.
func Find(root fs.FS, patterns []string, file string) ([]string, error) {
	if err := Check(patterns); err != nil {
		return nil, err
	}
	depth := 0
	for _, p := range patterns {
		if clean := path.Clean(p); strings.Contains(clean, "**") {
			depth = maxDepth
		} else {
			depth = max(depth, strings.Count(clean, "/")+1)
		}
	}
	var out []string
	visited := 0
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p != ".":
			return fs.SkipDir // what cannot be read has no member
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case p == ".":
			return nil
		case slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		}
		if visited++; visited > maxVisited {
			return hub.Errorf(hub.TooLarge, "workspaces: more than %d directories would have to be looked into", maxVisited).WithHint("write narrower patterns, such as servers/*")
		}
		if Matches(patterns, p) && isFile(root, path.Join(p, file)) {
			if out = append(out, p); len(out) > MaxMembers {
				return hub.Errorf(hub.TooLarge, "workspaces: more than %d members", MaxMembers).WithHint("write narrower patterns")
			}
		}
		if strings.Count(p, "/")+1 >= depth {
			return fs.SkipDir
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

func isFile(root fs.FS, p string) bool {
	info, err := fs.Lstat(root, p)
	return err == nil && info.Mode().IsRegular()
}
