package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/mcphub/mcphub/internal/manifest/value"
)

var (
	variableNameRE = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)
	memoryRE       = lazyregexp.New(`^[1-9][0-9]*(\.[0-9]+)?(Ki|Mi|Gi|K|M|G|k|m|g)?$`)
	mcpVersionRE   = lazyregexp.New(`^\d{4}-\d{2}-\d{2}$`)
)

func (v *validator) configuration() {
	if n := len(v.m.Configuration); n > MaxConfiguration {
		v.fail(CodeTooMany, "configuration", "%d inputs; at most %d are allowed", n, MaxConfiguration)
	}
	types := []string{"", "string", "number", "boolean", "filepath"}
	for _, name := range slices.Sorted(maps.Keys(v.m.Configuration)) {
		in, at := v.m.Configuration[name], jsonc.Join("configuration", name)
		if !variableNameRE.MatchString(name) {
			v.fail(CodeName, at, "%s cannot be written as ${...}: use letters, digits, '_', '.' and '-'", jsonc.Quote(name))
		} else if KnownVariable(name) {
			v.warn(CodeName, at, "${%s} is filled by mcpm; this input replaces it", name)
		}
		if !slices.Contains(types, in.Type) {
			v.fail(CodeValue, at+".type", "%s is not one of %s", jsonc.Quote(in.Type), strings.Join(types[1:], ", "))
		}
		v.length(at+".description", in.Description, MaxDescription)
		if len(in.Choices) > 256 {
			v.fail(CodeTooMany, at+".choices", "%d choices; at most 256 are allowed", len(in.Choices))
		}
		if in.Default == "" {
			continue
		}
		if len(in.Choices) > 0 && !slices.Contains(in.Choices, in.Default) {
			v.fail(CodeValue, at+".default", "the default %s is not among the choices", jsonc.Quote(in.Default))
		}
		if _, err := strconv.ParseFloat(in.Default, 64); in.Type == "number" && err != nil {
			v.fail(CodeValue, at+".default", "the default %s is not a number", jsonc.Quote(in.Default))
		}
		if in.Type == "boolean" && in.Default != "true" && in.Default != "false" {
			v.fail(CodeValue, at+".default", "the default %s is neither true nor false", jsonc.Quote(in.Default))
		}
		if in.Secret {
			v.warn(CodeValue, at+".default", "a secret with a default is no secret")
		}
	}
}

func (v *validator) permissions() {
	p := v.m.Permissions
	if p == nil {
		return
	}
	if p.Network != nil {
		for i, pattern := range p.Network.Outbound {
			if msg := value.BadHostPort(pattern); msg != "" && !strings.Contains(pattern, "${") {
				v.fail(CodePermission, jsonc.Index("permissions.network.outbound", i), "%s: %s", jsonc.Quote(pattern), msg)
			}
			v.variables(jsonc.Index("permissions.network.outbound", i), pattern)
		}
	}
	for i, f := range p.Filesystem {
		at := jsonc.Index("permissions.filesystem", i)
		if f.Path == "" {
			v.fail(CodeRequired, at+".path", "a path is needed")
		} else if !strings.HasPrefix(f.Path, "/") && !strings.HasPrefix(f.Path, "~") && !strings.HasPrefix(f.Path, "${") && !windowsPath(f.Path) {
			v.fail(CodePermission, at+".path", "%s is relative; start it with ${workspace}, ~ or /", jsonc.Quote(f.Path))
		}
		if f.Access != "read" && f.Access != "write" {
			v.fail(CodePermission, at+".access", "%s is neither read nor write", jsonc.Quote(f.Access))
		}
		v.variables(at+".path", f.Path)
	}
	v.variableNames("permissions.environment", p.Environment)
	v.variableNames("permissions.secrets", p.Secrets)
	if r := p.Resources; r != nil {
		if r.Memory != "" && !memoryRE.MatchString(r.Memory) {
			v.fail(CodePermission, "permissions.resources.memory", "%s is not an amount such as 512Mi", jsonc.Quote(r.Memory))
		}
		if r.CPUs < 0 || r.CPUs > 1024 {
			v.fail(CodePermission, "permissions.resources.cpus", "%v is not a number of processors", r.CPUs)
		}
		if r.Pids < 0 || r.Pids > 1<<22 {
			v.fail(CodePermission, "permissions.resources.pids", "%d is not a number of processes", r.Pids)
		}
	}
}

func (v *validator) variableNames(path string, names []string) {
	for i, name := range names {
		if !envRE.MatchString(name) {
			v.fail(CodePermission, jsonc.Index(path, i), "%s is not the name of an environment variable", jsonc.Quote(name))
		}
	}
}

func windowsPath(s string) bool {
	return len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/')
}

func (v *validator) dependencies() {
	m := v.m
	for _, group := range []struct {
		path string
		deps map[string]string
	}{{"dependencies", m.Dependencies}, {"devDependencies", m.DevDependencies}, {"overrides", m.Overrides}} {
		if len(group.deps) > MaxDependencies {
			v.fail(CodeTooMany, group.path, "%d dependencies; at most %d are allowed", len(group.deps), MaxDependencies)
		}
		for _, name := range slices.Sorted(maps.Keys(group.deps)) {
			v.dependency(jsonc.Join(group.path, name), name, group.deps[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Engines)) {
		at := jsonc.Join("engines", name)
		if name == "mcp" { // protocol versions are dates
			for _, part := range strings.FieldsFunc(m.Engines[name], func(r rune) bool { return strings.ContainsRune(" ,|", r) }) {
				if !mcpVersionRE.MatchString(strings.TrimLeft(part, "<>=")) {
					v.fail(CodeRange, at, "%s is not a version of the protocol, such as >=2025-06-18", jsonc.Quote(part))
				}
			}
			continue
		}
		if _, err := ParseRange(m.Engines[name]); err != nil {
			v.fail(CodeRange, at, "%s", messageOf(err))
		}
	}
	for i, w := range m.Workspaces {
		if bare := strings.TrimPrefix(w, "!"); strings.HasPrefix(bare, "/") || strings.Contains("/"+bare+"/", "/../") || bare == "" {
			v.fail(CodeValue, jsonc.Index("workspaces", i), "%s is not a path below the project", jsonc.Quote(w))
		}
	}
}

func (v *validator) dependency(at, name, rng string) {
	spec, err := hub.ParseSpec(name, rng)
	if strings.HasPrefix(at, "overrides") && !strings.HasPrefix(rng, hub.AliasPrefix) {
		spec.Range = rng
		spec.Name, err = hub.ParseLocalName(name)
	}
	if err != nil {
		v.fail(CodeName, at, "%s", messageOf(err))
		return
	}
	if own, err := hub.ParseName(v.m.Name); err == nil && own.Claim() == spec.Name.Claim() {
		v.fail(CodeDuplicate, at, "%s depends on itself", spec.Name)
	}
	if err := checkRange(spec.Range); err != nil {
		v.fail(CodeRange, at, "%s", messageOf(err))
	} else if _, local := hub.LocalRange(spec.Range); local && v.publish {
		v.fail(CodeRange, at, "%s has a meaning only in your workspace; write a range", jsonc.Quote(rng))
	}
}
