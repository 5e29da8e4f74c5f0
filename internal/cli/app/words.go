package app

import (
	"fmt"
	"os"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

// Fact prints one labelled line.
func (a *App) Fact(label, format string, args ...any) {
	text := term.Clean(fmt.Sprintf(format, args...))
	if text == "" {
		return
	}
	a.IO.Printf("  %s%s\n", a.IO.Dim(fmt.Sprintf("%-13s", label)), a.IO.Wrap(text, 15))
}

// Join returns s with sep before it, or nothing for nothing.
func Join(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}

// StateWord returns the word for a state; "" for published, which is the rule.
func StateWord(s hub.State) string {
	if s == hub.Published {
		return ""
	}
	return strings.ReplaceAll(string(s), "_", " ")
}

// NotFoundHint adds where to look to an error about a server that is not at its registry.
func (a *App) NotFoundHint(err error, name hub.Name) error {
	if hub.KindOf(err) != hub.NotFound {
		return err
	}
	if s, serr := a.Settings(); serr == nil && s.Scopes[name.Scope()] != "" {
		at := s.RegistryFor(name)
		return hub.Errorf(hub.NotFound, "%s is not at %s, the registry of its scope", name, at).
			WithHint("mcpm search %s --registry %s", name.Base(), at).WithCause(err)
	}
	return hub.Errorf(hub.NotFound, "%s is not on this hub", name).WithHint("mcpm search %s", name.Base()).WithCause(err)
}

// First returns a, or b when a is empty.
func First(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Short cuts a text to one line of 60 characters.
func Short(s string) string {
	s = Clean(s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

// Args makes a check of the number of arguments whose message names them.
func Args(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Usage("%s needs %s", c.CommandPath(), what).WithHint("%s", firstExample(c))
		case most >= 0 && len(args) > most:
			return Usage("%s takes %s; %q is one too many", c.CommandPath(), what, args[most]).WithHint("%s", firstExample(c))
		}
		return nil
	}
}

func firstExample(c *cobra.Command) string {
	line, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	if line == "" {
		return c.CommandPath() + " --help"
	}
	return line
}

func isDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

// Plural returns "1 server" or "3 servers".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Size says how much a number of bytes is, in thousands.
func Size(n int64) string {
	switch {
	case n >= 1_000_000_000:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1000)
}
