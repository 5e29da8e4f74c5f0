package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// store looks at what is kept as mcpm run does: manifests by their digest, packages by the size and time of each file,
// bundles by being there. Every byte is for mcpm cache verify.
func (o *doctorOptions) store(ctx context.Context) []finding {
	h, err := o.Store()
	if err != nil {
		return []finding{{Name: "home", Status: problem, Text: err.Error(), Hint: "set MCPM_HOME to a directory"}}
	}
	var out []finding
	servers := 0
	seen := map[string]bool{}
	err = o.eachLocked(func(p install.Project, name hub.Name, e *install.Locked) {
		servers++
		if ctx.Err() != nil {
			return
		}
		if f, bad := o.kept(h, p, name, e); bad && !seen[f.Text] {
			seen[f.Text] = true
			out = append(out, f)
		}
	})
	if err != nil {
		f := finding{Name: "lockfile", Status: problem, Text: err.Error()}
		if e := (*hub.Error)(nil); errors.As(err, &e) {
			f.Hint = e.Hint
		}
		return append(out, f)
	}
	trees, err := h.Trees().List()
	if err != nil {
		return append(out, finding{Name: "packages", Status: problem, Text: err.Error()})
	}
	var size int64
	for _, t := range trees {
		size += t.Bytes
	}
	text := fmt.Sprintf("%s locked, %s with %s", app.Plural(servers, "server"), app.Plural(len(trees), "package"), app.Size(size))
	if len(out) == 0 && servers > 0 {
		text += ", all as locked"
	}
	text += ", in " + h.Dir
	return append([]finding{{Name: "kept", Status: fine, Text: text}}, out...)
}

// kept compares what is kept of a server with its lockfile.
func (o *doctorOptions) kept(h install.Home, p install.Project, name hub.Name, e *install.Locked) (finding, bool) {
	_, err := h.Manifest(e.Manifest)
	if b := e.Bundle(); err == nil && b != nil && !h.HasBundle(*b) {
		err = hub.Errorf(hub.NotFound, "its bundle is not in the store of this machine")
	}
	if err == nil {
		err = o.GlanceAtTrees(e)
	}
	if err == nil {
		return finding{}, false
	}
	f := finding{Name: name.String(), Status: problem, Text: fmt.Sprintf("%s%s: %v", e.Version, where(p), err)}
	switch he := (*hub.Error)(nil); {
	case !errors.As(err, &he):
	case he.Kind == hub.NotFound:
		f.Status, f.Fix, f.Hint = notice, fixStore, "mcpm doctor --fix fetches it"
	case he.Kind == hub.Integrity:
		f.Fix, f.Hint = fixStore, "mcpm doctor --fix fetches the locked bytes again; if this comes back, tell the publisher"
		if len(he.Issues) > 0 {
			f.Text += " (" + strings.Join(strings.Fields(he.Issues[0].Message), " ") + ")"
		}
	default:
		f.Hint = he.Hint
	}
	return f, true
}
