package use

import (
	"fmt"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
)

// showChange prints what an update of one server changes.
func showChange(a *app.App, st step) {
	leap := app.Leap(st.previous.Version, st.version)
	if leap != "" {
		leap = " (" + leap + ")"
	}
	fmt.Fprintf(a.IO.Err, "  %s %s -> %s%s\n", a.IO.Accent(st.name.String()), st.previous.Version, st.version, leap)
	if st.old == nil {
		fmt.Fprintf(a.IO.Err, "    the old version is not on this machine, so there is nothing to compare with\n")
		showNew(a, st)
		return
	}
	lines := asks.CapabilityChanges(st.old, st.new.Manifest)
	lines = append(lines, asks.InputChanges(st.old, st.new.Manifest)...)
	lines = append(lines, asks.PermissionChanges(st.old, st.new.Manifest)...)
	label := ""
	for _, l := range lines {
		shown := l.Label
		if shown == label {
			shown = ""
		}
		label = l.Label
		mark := l.Mark
		switch mark {
		case "+":
			mark = a.IO.Green(mark)
		case "-":
			mark = a.IO.Red(mark)
		default:
			mark = a.IO.Yellow(mark)
		}
		fmt.Fprintf(a.IO.Err, "    %-12s%s %s\n", shown, mark, a.IO.Wrap(app.Clean(l.Text), 18))
	}
	if len(lines) == 0 {
		fmt.Fprintf(a.IO.Err, "    same tools, same permissions\n")
	}
}
