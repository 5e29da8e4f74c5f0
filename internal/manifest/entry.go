package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

var entryRE = lazyregexp.New(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)

// Entry returns the entry of Servers that is started when nobody names one, and its key. Entries with the
// preferred transport come first, then stdio before streamable-http before sse; among equals one called
// "default", then what needs least on the machine (a file of the bundle, an npm or PyPI package, a command,
// a container), then by key.
// "http" is short for streamable-http, "" for no preference. NotFound when there is no entry.
func (m *Manifest) Entry(transportPreference string) (key string, spec ServerSpec, err error) {
	if len(m.Servers) == 0 {
		return "", ServerSpec{}, hub.Errorf(hub.NotFound, "%s has no entry under servers, so there is nothing to start", m.label())
	}
	if transportPreference == "http" {
		transportPreference = model.TransportTypeStreamableHTTP
	}
	keys := slices.Sorted(maps.Keys(m.Servers))
	slices.SortStableFunc(keys, func(a, b string) int {
		return slices.Compare(m.rank(a, transportPreference), m.rank(b, transportPreference))
	})
	return keys[0], m.Servers[keys[0]], nil
}

// EntryNamed returns the entry called key. NotFound, naming those there are, when there is none.
func (m *Manifest) EntryNamed(key string) (ServerSpec, error) {
	spec, ok := m.Servers[key]
	if !ok {
		return spec, hub.Errorf(hub.NotFound, "%s has no entry %s", m.label(), jsonc.Quote(key)).
			WithHint("there are: %s", strings.Join(slices.Sorted(maps.Keys(m.Servers)), ", "))
	}
	return spec, nil
}

func (m *Manifest) label() string {
	if m.Name == "" {
		return "mcp.json"
	}
	return m.Name
}

var transportRank = map[string]int{model.TransportTypeStdio: 0, model.TransportTypeStreamableHTTP: 1, model.TransportTypeSSE: 2}

var packageRank = map[string]int{
	model.RegistryTypeNPM: 1, model.RegistryTypePyPI: 2, model.RegistryTypeOCI: 4, model.RegistryTypeNuGet: 5,
	model.RegistryTypeMCPB: 6, model.RegistryTypeCargo: 7,
}

const commandRank = 3 // of a command that is not of the bundle: it may not be on the machine

func (m *Manifest) rank(key, preferred string) []int {
	s := m.Servers[key]
	t := s.transportOf()
	r := []int{1, transportRank[t], 1, 0}
	if t == preferred {
		r[0] = 0
	}
	if key == "default" {
		r[2] = 0
	}
	if p, ok := m.PackageOf(s); ok {
		if r[3] = packageRank[p.RegistryType]; r[3] == 0 {
			r[3] = 9
		}
	} else if s.Command != "" && !s.NeedsBundle() {
		r[3] = commandRank
	}
	return r
}

// Missing is a value that has to be given before an entry can be started.
type Missing struct {
	Name        string
	Description string
	Secret      bool
}

// Launched says how an entry is started or reached, with everything filled in. Command is run as it is,
// without a shell; Env is set in addition to what the caller passes on.
type Launched struct {
	Transport string // stdio, streamable-http, sse
	Command   string // "" for a remote
	Args      []string
	Env       map[string]string
	Dir       string // directory to start in: the unpacked bundle; "" for the caller's
	URL       string // of a remote, or where the started command listens
	Headers   map[string]string
}

// Launch fills in an entry. vars holds the values people gave, by the name of the configuration, variable
// or argument, and those the caller knows: workspace, bundle (the directory the bundle was unpacked to),
// HOME. version and name come from m. Packages are started by the runner of their kind: npx, uvx, docker
// run, dnx; an archive (mcpb) by the Command that was filled in when it was unpacked.
//
// What is required and has no value is returned as Missing, by name; Launched is then not to be used.
// Invalid when a value is not among its choices or of its type, when a value would be read as an option
// where an argument is expected, or when the entry cannot be started at all (an archive that is not unpacked, cargo).
func Launch(m *Manifest, spec ServerSpec, vars map[string]string) (Launched, []Missing, error) {
	f := &filler{m: m, vars: vars, missing: map[string]Missing{}}
	l := Launched{Transport: spec.transportOf()}
	switch {
	case spec.Package != nil:
		p, _ := m.PackageOf(spec)
		f.pkg(&l, p, spec.Command)
	case spec.Remote != nil:
		f.remote(&l, spec.Remote)
	case spec.URL != "":
		f.plainRemote(&l, spec)
	case spec.Command != "":
		f.command(&l, spec)
	default:
		f.fail("the entry has neither command nor package nor remote nor url")
	}
	if f.err != nil {
		return Launched{}, nil, f.err
	}
	var missing []Missing
	for _, name := range slices.Sorted(maps.Keys(f.missing)) {
		missing = append(missing, f.missing[name])
	}
	return l, missing, nil
}

// filler fills values in and remembers what was missing and the first thing that was wrong.
type filler struct {
	m       *Manifest
	vars    map[string]string
	missing map[string]Missing
	secrets []string // values that no error may show
	err     error
}

func (f *filler) fail(format string, args ...any) {
	if f.err == nil {
		f.err = hub.Errorf(hub.Invalid, "%s: %s", f.m.label(), fmt.Sprintf(format, args...))
	}
}
