package check

import (
	"context"
	"fmt"
	"maps"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/archives"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

var versionRE = lazyregexp.New(`\d+(\.\d+){1,3}`)

// runtime is a program that servers are started or fetched with.
type runtime struct {
	name  string
	names []string // what it is called, the first found counts
	kind  string   // the packages that need it, "" for none
	what  string   // what it does for them

	missing status // what it is when they are without it: those that were fetched start without what fetches
}

var runtimes = []runtime{
	{"node", []string{"node"}, model.RegistryTypeNPM, "starts servers of npm and archives", problem},
	{"npm", []string{"npm"}, model.RegistryTypeNPM, "fetches servers of npm", notice},
	{"python", []string{"python3", "python"}, "", "starts archives", problem},
	{"uv", []string{"uv"}, "", "", absent},
}

// runtimes asks the programs that run and fetch packages for their versions.
func (o *doctorOptions) runtimes(ctx context.Context) []finding {
	needed := o.needed()
	answers := make([]chan finding, len(runtimes))
	for i, r := range runtimes {
		answers[i] = make(chan finding, 1)
		who := slices.Concat(needed[r.kind], needed[startedBy+r.name])
		go func() { answers[i] <- o.runtime(ctx, r, who) }()
	}
	var out []finding
	python := false
	for i, r := range runtimes {
		f := <-answers[i]
		python = python || f.Status == fine && (r.name == "python" || r.name == "uv")
		out = append(out, f)
	}
	if who := needed[model.RegistryTypePyPI]; len(who) > 0 && !python {
		out = append(out, finding{Name: "PyPI", Status: problem, Text: app.AndList(who) + " needs Python or uv", Hint: "install uv, or Python with pip"})
	}
	return out
}

func (o *doctorOptions) runtime(ctx context.Context, r runtime, who []string) finding {
	f := finding{Name: r.name}
	for _, name := range r.names {
		path, err := o.LookPath(name)
		if err != nil {
			continue
		}
		text, err := o.say(ctx, path, "--version")
		version := versionRE.FindString(text)
		switch {
		case err != nil:
			f.Status, f.Text = notice, fmt.Sprintf("%s is there and does not work: %v", path, err)
		case version == "":
			f.Status, f.Text = notice, fmt.Sprintf("%s is there and does not tell its version", path)
		default:
			f.Status, f.Text = fine, version
			return f
		}
		break
	}
	switch {
	case len(who) > 0 && f.Text == "":
		f.Status, f.Text, f.Hint = r.missing, fmt.Sprintf("not found, and it %s: %s", r.what, app.AndList(who)), "install it, and see that it is on PATH"
	case len(who) > 0:
		f.Status = r.missing
	case f.Text == "":
		f.Status, f.Text = absent, "not found"
	}
	return f
}

// startedBy and the name of a program is the kind of the archives that it starts.
const startedBy = "started by "

// maxNamed is how many servers are named where many need the same.
const maxNamed = 3

// needed returns the locked servers of this machine by the kind of package they are started from. What cannot be read
// is left out: the store says so.
func (o *doctorOptions) needed() map[string][]string {
	all := map[string]map[string]bool{}
	_ = o.eachLocked(func(_ install.Project, name hub.Name, e *install.Locked) {
		for i := range e.Artifacts {
			kind := kindOf(&e.Artifacts[i])
			if all[kind] == nil {
				all[kind] = map[string]bool{}
			}
			all[kind][name.String()] = true
		}
	})
	out := map[string][]string{}
	for kind, names := range all {
		list := slices.Sorted(maps.Keys(names))
		if more := len(list) - maxNamed; more > 0 {
			list = append(list[:maxNamed], fmt.Sprintf("%d more", more))
		}
		out[kind] = list
	}
	return out
}

// kindOf is the type of an artifact, and of an archive what starts it.
func kindOf(art *install.Artifact) string {
	if art.Type != model.RegistryTypeMCPB || !art.Here(app.Platform) {
		return art.Type
	}
	d, err := archives.Of(art)
	if err != nil {
		return art.Type // the store says so
	}
	_, program, err := d.Start.Program(goruntime.GOOS)
	switch {
	case err != nil || program == "":
		return art.Type
	case strings.HasPrefix(program, "python"):
		return startedBy + "python"
	}
	return startedBy + program
}

// eachLocked calls fn for every server of every project of this machine, and of the one doctor was started in.
func (o *doctorOptions) eachLocked(fn func(install.Project, hub.Name, *install.Locked)) error {
	projects, err := o.projects()
	if err != nil {
		return err
	}
	for _, p := range projects {
		lock, err := install.ReadLock(p)
		if err != nil {
			return err
		}
		for _, name := range lock.Names() {
			fn(p, name, lock.Servers[name])
		}
	}
	return nil
}

// projects returns the projects whose lockfiles mcpm knows, and the one doctor was started in.
func (o *doctorOptions) projects() ([]install.Project, error) {
	h, err := o.Store()
	if err != nil {
		return nil, err
	}
	all, err := h.Projects()
	if err != nil {
		return nil, err
	}
	here := install.FindProject(o.Dir)
	if !slices.ContainsFunc(all, func(p install.Project) bool { return p.Dir == here.Dir }) {
		all = append(all, here)
	}
	return all, nil
}
