package hostcmd

import (
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type listOptions struct {
	*app.App
	found bool
}

func newList(a *app.App) *cobra.Command {
	o := &listOptions{App: a}
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the host applications mcpm knows",
		Long: "List shows every host application that mcpm knows: whether it is here, whether it gets the servers you\n" +
			"install, how many it has, and its file. The files of this project that exist are shown too; mcpm does not\n" +
			"write those.",
		Example: "  mcpm hosts list\n  mcpm hosts list --found\n  mcpm hosts list --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	c.Flags().BoolVar(&o.found, "found", false, "only those that are here")
	return c
}

// row is one file in the answer.
type row struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Scope   string `json:"scope"` // user or project
	Found   bool   `json:"found"`
	Takes   bool   `json:"takes"`             // it gets the servers that are installed
	LeftOut string `json:"leftOut,omitempty"` // user or project: whose .mcpmrc leaves it out
	File    string `json:"file,omitempty"`
	Moved   bool   `json:"moved,omitempty"` // a person said where it is
	Project int    `json:"projectServers"`
	User    int    `json:"userServers"`
	Beyond  int    `json:"otherProjects"` // servers of other projects
	Others  int    `json:"others"`        // entries that are not mcpm's
	Error   string `json:"error,omitempty"`
}

func (o *listOptions) run() error {
	rows, err := o.rows()
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"hosts": rows})
		return nil
	}
	t := term.Table{Head: []string{"host", "application", "here", "servers", "file"}, Flex: []int{4}, Drop: []int{1, 4},
		Colors: []func(string) string{o.IO.Accent, nil, o.state, nil, o.IO.Dim}}
	found, takes := 0, 0
	for _, r := range rows {
		t.Row(r.ID, r.Name, r.here(), r.servers(), home(o.App, r.File))
		if r.Scope == string(hosts.User) && r.Found {
			found++
		}
		if r.Scope == string(hosts.User) && r.Takes {
			takes++
		}
	}
	t.Print(o.IO)
	for _, r := range rows {
		if r.Error != "" {
			o.IO.Warnf("%s: %s", r.Name, r.Error)
		}
	}
	if found == 0 && takes == 0 {
		o.IO.Notef("No host application was found. mcpm hosts add HOST takes one all the same.\n")
		return nil
	}
	o.IO.Notef("%s here; %d %s what you install. mcpm hosts add or remove HOST changes that.\n", app.Plural(found, "application"), takes, gets(takes))
	return nil
}

func gets(n int) string {
	if n == 1 {
		return "gets"
	}
	return "get"
}

func (o *listOptions) rows() ([]row, error) {
	s, err := o.Settings()
	if err != nil {
		return nil, err
	}
	sc, err := read(o.App, false)
	if err != nil {
		return nil, err
	}
	reg, err := o.Registrar(true)
	if err != nil {
		return nil, err
	}
	reg.Env.Project = install.FindProject(o.Dir).Dir
	files, err := reg.Files(sc.projects()...)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, f := range files {
		if o.found && !f.Found && !f.Takes {
			continue
		}
		r := row{ID: f.Host.ID, Name: f.Host.Name, Scope: string(f.Scope), Found: f.Found, Takes: f.Takes, File: f.Path, Moved: f.Moved, Beyond: f.Beyond, Others: f.Others}
		for i, p := range sc.projects() {
			if i >= len(f.Servers) {
				break
			}
			if p.Global {
				r.User = len(f.Servers[i])
			} else {
				r.Project = len(f.Servers[i])
			}
		}
		if from, on := s.HostChoice(f.Host.ID); from != "" && !on && f.Scope == hosts.User {
			r.LeftOut, r.Takes = from, false
		}
		if f.Err != nil {
			r.Error = reason(f.Err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// here says in a word or two whether the application is here and gets servers.
func (r row) here() string {
	switch {
	case r.Scope == string(hosts.Project):
		return "this project's"
	case r.LeftOut == "project":
		return "left out here"
	case r.LeftOut != "":
		return "left out"
	case r.Error != "":
		return "unreadable"
	case r.Found && r.Moved:
		return "yes, moved"
	case r.Found:
		return "yes"
	case r.Takes:
		return "added"
	}
	return "no"
}

func (o *listOptions) state(s string) string {
	word := strings.TrimSpace(s)
	switch word {
	case "yes", "yes, moved", "added":
		return o.IO.Green(s)
	case "unreadable":
		return o.IO.Red(s)
	case "left out", "left out here":
		return o.IO.Yellow(s)
	}
	return o.IO.Dim(s)
}

// servers says what is in the file: "2 here, 1 global, 3 other".
func (r row) servers() string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{{r.Project, "here"}, {r.User, "global"}, {r.Beyond, "elsewhere"}, {r.Others, "your own"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(parts, ", ")
}
