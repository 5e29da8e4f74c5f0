package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// TellHosts says what happened to the host applications: one line for what was added, one for what was
// taken out, and a warning for each file that could not be edited.
func TellHosts(a *App, changes []install.Change, dryRun bool) {
	by := map[string][]string{}
	after := map[string][]string{}
	for _, c := range changes {
		switch c.Action {
		case "failed":
			why := c.Err.Error()
			if e := (*hub.Error)(nil); errors.As(c.Err, &e) && e.Hint != "" {
				why += "; " + e.Hint
			}
			a.IO.Warnf("%s was left as it is: %s", c.Host.Name, Clean(why))
			continue
		case "kept":
			a.IO.Warnf("%s: the entry %q was edited by hand and left as it is", c.Host.Name, c.Key)
			continue
		case "added":
			if c.Key != c.Server.Base() {
				a.IO.Notef("  %s calls it %q, because %q is taken\n", c.Host.Name, c.Key, c.Server.Base())
			}
		}
		if !slices.Contains(by[c.Action], c.Host.Name) {
			by[c.Action] = append(by[c.Action], c.Host.Name)
			if c.Host.AfterEdit != "" {
				after[c.Action] = append(after[c.Action], c.Host.AfterEdit)
			}
		}
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	for _, say := range []struct{ action, text string }{{"removed", "removed from"}, {"added", "added to"}, {"updated", "updated in"}} {
		if len(by[say.action]) == 0 {
			continue
		}
		hint := ""
		if len(after[say.action]) > 0 && !dryRun {
			hint = " (" + AndList(after[say.action]) + ")"
		}
		a.IO.Notef("  %s\n", a.IO.Wrap(fmt.Sprintf("%s%s %s%s", would, say.text, AndList(by[say.action]), hint), 2))
	}
}
