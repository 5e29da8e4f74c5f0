package migratecmd

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/migrate"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// fit is how a server of the hub is made to do what the old entry did.
type fit struct {
	values map[string]string // for mcpm config
	args   []string          // that go after "--"
	needs  []string          // values a person has to give yet
	stays  []string          // variables that the server does not declare
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// fitTo finds the values with which an entry starts as it did before, and proves it by starting both on paper:
// the same arguments, the same options, the same headers. why says what would be lost; it quotes no argument,
// since a key may be among them.
func fitTo(m *manifest.Manifest, key string, s migrate.Server) (f *fit, why string) {
	spec := m.Servers[key]
	inputs := inputNames(m, spec)
	switch s.Kind {
	case migrate.Name:
		return newFit(inputs, s).named(m, spec)
	case migrate.Remote:
		return newFit(nil, s).remote(m, spec, s)
	}
	p, _ := m.PackageOf(spec)
	want, ok := compared(s.Command, s.Args)
	if !ok {
		return nil, "its command line cannot be compared"
	}
	shared := newFit(inputs, s) // its arguments are values of the server's
	shared.arguments(p.PackageArguments, want.args)
	behind := newFit(inputs, s) // they follow those of the server
	behind.args = want.args
	for _, f := range []*fit{shared, behind} {
		_, missing, err := launch(m, spec, f.values)
		switch {
		case err != nil:
			why = "the server of the hub does not take its values: " + err.Error()
		case !onlyEnv(p, missing):
			why = otherArguments
		default:
			if why = f.same(m, spec, want, missing); why == "" {
				f.needed(missing)
				return f, ""
			}
		}
	}
	return nil, why
}

// inputNames are the names of the values that an entry takes.
func inputNames(m *manifest.Manifest, spec manifest.ServerSpec) []string {
	var out []string
	for _, in := range app.InputsOf(m, spec) {
		out = append(out, in.Name)
	}
	return out
}

const otherArguments = "its arguments are not those that the server of the hub takes"

// newFit shares the variables out: those the server declares, and those that stay in the entry.
func newFit(inputs []string, s migrate.Server) *fit {
	f := &fit{values: map[string]string{}}
	for _, name := range sortedKeys(s.Env) {
		if slices.Contains(inputs, name) {
			f.values[name] = s.Env[name]
		} else {
			f.stays = append(f.stays, name)
		}
	}
	return f
}

// named is a server that is known by its name alone: nothing of how it was started can be compared.
func (f *fit) named(m *manifest.Manifest, spec manifest.ServerSpec) (*fit, string) {
	_, missing, err := launch(m, spec, f.values)
	if err != nil {
		return nil, err.Error()
	}
	f.needed(missing)
	return f, ""
}

// launch fills an entry in, as mcpm run would.
func launch(m *manifest.Manifest, spec manifest.ServerSpec, values map[string]string) (manifest.Launched, []manifest.Missing, error) {
	vars := map[string]string{"workspace": ".", "HOME": ".", "bundle": "."}
	maps.Copy(vars, values)
	return manifest.Launch(m, spec, vars)
}

// line is a command line in comparable parts.
type line struct {
	args    []string
	options string // of docker, and which program of the package
}

// compared reads the command line of npx, uvx or docker run.
func compared(command string, args []string) (line, bool) {
	base := strings.ToLower(command[strings.LastIndexAny(command, `/\`)+1:])
	for _, end := range []string{".exe", ".cmd", ".bat", ".ps1"} {
		base = strings.TrimSuffix(base, end)
	}
	if r, ok, err := manifest.RunnerOf(base, args); ok {
		return line{r.Args, strings.Join(append([]string{r.Extras, r.Python}, r.With...), " ")}, err == nil
	}
	p, ok := (&manifest.Manifest{}).PackageOf(manifest.ServerSpec{Command: base, Args: args})
	if !ok || p.RegistryType != model.RegistryTypeOCI {
		return line{}, false
	}
	var l line
	for _, a := range p.PackageArguments {
		l.args = append(l.args, a.Value)
	}
	var options []string
	for _, a := range p.RuntimeArguments {
		if a.Name != "--init" && a.Name != "--name" && a.Name != "--pull" { // how, not what
			options = append(options, strings.TrimSpace(a.Name+" "+a.Value))
		}
	}
	slices.Sort(options)
	l.options = strings.Join(options, ", ")
	return l, true
}

// arguments gives the words of a command line to the arguments that the server declares, in their order.
func (f *fit) arguments(declared []model.Argument, words []string) {
	words = slices.Clone(words)
	for i := range declared {
		a := &declared[i]
		if a.Type != model.ArgumentTypeNamed {
			continue
		}
		var values []string
		for j := 0; j < len(words); {
			name, value, joined := strings.Cut(words[j], "=")
			switch {
			case name != a.Name:
				j++
				continue
			case joined:
				words = slices.Delete(words, j, j+1)
			case a.Format == model.FormatBoolean || j+1 >= len(words):
				value, words = "true", slices.Delete(words, j, j+1)
			default:
				value = words[j+1]
				words = slices.Delete(words, j, j+2)
			}
			values = append(values, value)
		}
		if len(values) > 0 && a.Value == "" {
			f.values[strings.TrimLeft(a.Name, "-")] = strings.Join(values, "\n")
		}
	}
	for i := range declared {
		a := &declared[i]
		if a.Type == model.ArgumentTypeNamed || len(words) == 0 {
			continue
		}
		switch {
		case a.Value != "" && words[0] == a.Value:
			words = words[1:]
		case a.Value == "" && a.ValueHint != "" && a.IsRepeated:
			f.values[a.ValueHint], words = strings.Join(words, "\n"), nil
		case a.Value == "" && a.ValueHint != "":
			f.values[a.ValueHint], words = words[0], words[1:]
		}
	}
}

// onlyEnv reports whether nothing but variables is missing: a person gives those later.
func onlyEnv(p *model.Package, missing []manifest.Missing) bool {
	return !slices.ContainsFunc(missing, func(x manifest.Missing) bool {
		return !slices.ContainsFunc(p.EnvironmentVariables, func(e model.KeyValueInput) bool {
			_, inside := e.Variables[x.Name]
			return e.Name == x.Name || inside
		})
	})
}

// same compares what the server of the hub would start with the old command line, "" when they agree.
func (f *fit) same(m *manifest.Manifest, spec manifest.ServerSpec, want line, missing []manifest.Missing) string {
	values := maps.Clone(f.values)
	for _, x := range missing { // something, to compare the rest
		values[x.Name] = "x"
	}
	l, missing, err := launch(m, spec, values)
	if err != nil || len(missing) > 0 {
		return "its values cannot be filled in"
	}
	got, ok := compared(l.Command, l.Args)
	switch {
	case !ok:
		return "the server of the hub is started in another way"
	case got.options != want.options && strings.TrimSpace(want.options) == "":
		return "the server of the hub is started with options that yours was not"
	case got.options != want.options:
		return "it is started with options that would be lost: " + strings.TrimSpace(want.options)
	case !slices.Equal(append(got.args, f.args...), want.args):
		return otherArguments
	}
	for name, value := range f.values {
		if have, set := l.Env[name]; set && have != value {
			return "its variable " + name + " would have another value"
		}
	}
	return ""
}

var template = lazyregexp.New(`\$?\{([^{}]+)\}`)

// remote gives the old headers to those that the server declares.
func (f *fit) remote(m *manifest.Manifest, spec manifest.ServerSpec, s migrate.Server) (*fit, string) {
	if s.Query != "" {
		return nil, "its address carries settings or a key, which cannot be kept"
	}
	declared := map[string]string{}
	for name, value := range spec.Headers {
		declared[http.CanonicalHeaderKey(name)] = value
	}
	names := map[string]string{}
	if spec.Remote != nil {
		for _, h := range spec.Remote.Headers {
			declared[http.CanonicalHeaderKey(h.Name)], names[http.CanonicalHeaderKey(h.Name)] = h.Value, h.Name
		}
	}
	want := map[string]string{}
	for _, name := range sortedKeys(s.Headers) {
		k := http.CanonicalHeaderKey(name)
		text, ok := declared[k]
		if !ok {
			return nil, "its header " + name + " is none that the server of the hub takes"
		}
		want[k] = s.Headers[name]
		switch at := template.FindStringSubmatchIndex(text); {
		case text == "":
			f.values[names[k]] = s.Headers[name]
		case at != nil:
			value, front := strings.CutPrefix(s.Headers[name], text[:at[0]])
			value, back := strings.CutSuffix(value, text[at[1]:])
			if !front || !back {
				return nil, "its header " + name + " has another form than the server of the hub takes"
			}
			f.values[text[at[2]:at[3]]] = value
		}
	}
	l, missing, err := launch(m, spec, f.values)
	if err != nil {
		return nil, err.Error()
	}
	for k, v := range want {
		found := len(missing) > 0
		for name, have := range l.Headers {
			found = found || http.CanonicalHeaderKey(name) == k && have == v
		}
		if !found {
			return nil, "its header " + k + " would have another value"
		}
	}
	f.needed(missing)
	return f, ""
}

// needed lists what a person has to give yet.
func (f *fit) needed(missing []manifest.Missing) {
	for _, x := range missing {
		f.needs = append(f.needs, x.Name)
	}
}
