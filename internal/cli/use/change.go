package use

import (
	"fmt"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/Masterminds/semver/v3"
)

// showChange prints what an update of one server changes.
func showChange(a *app.App, st step) {
	fmt.Fprintf(a.IO.Err, "  %s %s -> %s%s\n", a.IO.Accent(st.name.String()), st.previous.Version, st.version, leap(st.previous.Version, st.version))
	if st.old == nil {
		fmt.Fprintf(a.IO.Err, "    the old version is not on this machine, so there is nothing to compare with\n")
		showNew(a, st)
		return
	}
	lines := app.CapabilityChanges(st.old, st.new.Manifest)
	lines = append(lines, app.PermissionChanges(st.old, st.new.Manifest)...)
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

// leap names the part of the version that grows.
func leap(from, to string) string {
	a, errA := semver.StrictNewVersion(from)
	b, errB := semver.StrictNewVersion(to)
	switch {
	case errA != nil || errB != nil:
		return ""
	case b.LessThan(a):
		return " (older)"
	case a.Major() != b.Major():
		return " (major)"
	case a.Minor() != b.Minor():
		return " (minor)"
	case a.Patch() != b.Patch():
		return " (patch)"
	}
	return " (prerelease)"
}
