package hostcmd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// Tell says what happened to the host applications: one line for what was added, one for what was
// taken out, and a warning for each file that could not be edited.
func Tell(a *app.App, changes []install.Change, dryRun bool) {
	by := map[string][]string{}
	after := map[string][]string{}
	type renamed struct {
		server hub.Name
		key    string
	}
	others, order := map[renamed][]string{}, []renamed{}
	for _, c := range changes {
		switch c.Action {
		case "failed":
			why := c.Err.Error()
			if e := (*hub.Error)(nil); errors.As(c.Err, &e) && e.Hint != "" {
				why += "; " + e.Hint
			}
			a.IO.Warnf("%s was left as it is: %s", c.Host.Name, app.Clean(why))
			continue
		case "kept":
			a.IO.Warnf("%s: the entry %q was edited by hand and left as it is", c.Host.Name, c.Key)
			continue
		case "added":
			if c.Key != c.Server.Base() {
				as := renamed{c.Server, c.Key}
				if others[as] == nil {
					order = append(order, as)
				}
				others[as] = append(others[as], c.Host.Name)
			}
		}
		if !slices.Contains(by[c.Action], c.Host.Name) {
			by[c.Action] = append(by[c.Action], c.Host.Name)
			if c.Host.AfterEdit != "" {
				after[c.Action] = append(after[c.Action], c.Host.AfterEdit)
			}
		}
	}
	for _, as := range order {
		call := "call"
		if len(others[as]) == 1 {
			call = "calls"
		}
		a.IO.Notef("  %s\n", a.IO.Wrap(fmt.Sprintf("%s %s %s %q, because %q is taken", app.AndList(others[as]), call, as.server, as.key, as.server.Base()), 2))
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	for _, say := range []struct{ action, text string }{{"removed", "removed from"}, {"given back", "put back as they were in"}, {"added", "added to"}, {"updated", "updated in"}} {
		if len(by[say.action]) == 0 {
			continue
		}
		hint := ""
		if len(after[say.action]) > 0 && !dryRun {
			hint = " (" + app.AndList(after[say.action]) + ")"
		}
		a.IO.Notef("  %s\n", a.IO.Wrap(fmt.Sprintf("%s%s %s%s", would, say.text, app.AndList(by[say.action]), hint), 2))
	}
}
