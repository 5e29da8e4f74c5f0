// Package hostcmd is mcpm hosts: which host applications are here and which of them get servers, where each
// keeps its file, whether that file is in step with mcp.json, and the backups of it.
package hostcmd

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/spf13/cobra"
)

// New returns mcpm hosts with its verbs.
func New(a *app.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "hosts",
		Short: "Choose which AI applications get servers, and keep their files in step",
		Long: "Hosts looks after the files of host applications: Claude Desktop, Cursor, VS Code and some thirty more.\n" +
			"mcpm help hosts tells how mcpm treats these files.",
		Example: "  mcpm hosts list\n  mcpm hosts sync --check\n  mcpm hosts remove cursor",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var names []string
			for _, v := range c.Commands() {
				names = append(names, v.Name())
			}
			e := app.Usage("mcpm hosts has no verb %q", args[0])
			if near := jsonc.Nearest(args[0], names); near != "" {
				return e.WithHint("did you mean mcpm hosts %s?", near)
			}
			return e.WithHint("mcpm hosts --help lists them")
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	verbs := &cobra.Group{ID: "hosts", Title: "Verbs:"}
	c.AddGroup(verbs)
	for _, v := range []*cobra.Command{newList(a), newAdd(a), newRemove(a), newSync(a), newDiff(a), newRestore(a), newPath(a)} {
		v.GroupID = verbs.ID
		c.AddCommand(v)
	}
	return c
}

// home writes a path as people do, with ~ for the home directory.
func home(a *app.App, path string) string {
	rest, ok := strings.CutPrefix(path, a.Env.UserHome+string(filepath.Separator))
	if a.Env.UserHome == "" || !ok {
		return path
	}
	return "~" + string(filepath.Separator) + rest
}

// scopes are the projects a verb is about: the one here, if there is an mcp.json, and the global one.
type scopes struct {
	wants   []install.Want
	missing []hub.Name // in an mcp.json and not installed
}

// read finds what belongs into host applications. With global, the project here is left alone.
func read(a *app.App, global bool) (*scopes, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	projects := []install.Project{h.Global()}
	if here := install.FindProject(a.Dir); !global && here.Dir != h.Global().Dir {
		projects = []install.Project{here, h.Global()}
	}
	s := &scopes{}
	for _, p := range projects {
		w, missing, err := app.WantOf(p)
		if err != nil {
			return nil, err
		}
		s.wants = append(s.wants, w)
		s.missing = append(s.missing, missing...)
	}
	return s, nil
}

func (s *scopes) projects() []install.Project {
	var out []install.Project
	for _, w := range s.wants {
		out = append(out, w.Project)
	}
	return out
}

// warnMissing tells what is named and not installed.
func (s *scopes) warnMissing(a *app.App) {
	if len(s.missing) == 0 {
		return
	}
	var names []string
	for _, n := range s.missing {
		names = append(names, n.String())
	}
	is := "is"
	if len(names) > 1 {
		is = "are"
	}
	a.IO.Warnf("%s %s in mcp.json and not installed: mcpm install fetches what is missing", app.AndList(names), is)
}

// reason is an error with what to do about it, on one line.
func reason(err error) string {
	text := err.Error()
	if e := (*hub.Error)(nil); errors.As(err, &e) && e.Hint != "" {
		text += "; " + e.Hint
	}
	return app.Clean(text)
}
