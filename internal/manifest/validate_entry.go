package manifest

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/mcphub/mcphub/internal/manifest/serverjson"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

var (
	envRE    = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	headerRE = lazyregexp.New("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	toolRE   = lazyregexp.New(`^[A-Za-z0-9_./-]{1,128}$`)
	shells   = []string{"sh", "bash", "zsh", "dash", "fish", "cmd", "cmd.exe", "powershell", "pwsh"}
)

func (v *validator) entry(key string, s ServerSpec) {
	at := jsonc.Join("servers", key)
	if !entryRE.MatchString(key) {
		v.fail(CodeName, at, "the key %s may hold letters, digits, '.', '_' and '-', at most 64 characters", jsonc.Quote(key))
	}
	var ways []string
	for way, given := range map[string]bool{"command": s.Command != "", "package": s.Package != nil, "remote": s.Remote != nil, "url": s.URL != ""} {
		if given {
			ways = append(ways, way)
		}
	}
	slices.Sort(ways)
	switch len(ways) {
	case 0:
		v.fail(CodeStart, at, "exactly one of command, package, remote and url must say how to start it; none is given")
	case 1:
	default:
		v.fail(CodeStart, at, "exactly one of command, package, remote and url must say how to start it; given are %s", strings.Join(ways, " and "))
	}
	v.transport(at, s)
	v.command(at, s)
	v.environment(at, s)
	if s.URL != "" {
		v.url(at+".url", s.URL)
		v.variables(at+".url", s.URL)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		p := jsonc.Join(at+".headers", name)
		if !headerRE.MatchString(name) || strings.ContainsAny(s.Headers[name], "\r\n") {
			v.fail(CodeValue, p, "%s is not a header, or its value has a line break", jsonc.Quote(name))
		}
		v.variables(p, s.Headers[name])
	}
	if s.Package != nil {
		v.findings(serverjson.CheckPackage(at+".package", s.Package))
	}
	if s.Remote != nil {
		v.findings(serverjson.CheckRemote(at+".remote", s.Remote))
	}
	if s.Capabilities != nil {
		v.capabilities(at+".capabilities.tools", s.Capabilities.Tools)
		v.capabilities(at+".capabilities.resources", s.Capabilities.Resources)
		v.capabilities(at+".capabilities.prompts", s.Capabilities.Prompts)
	}
}

// findings takes over what is wrong with a package or remote. In somebody's own project an unpinned
// version is theirs to choose.
func (v *validator) findings(found []serverjson.Finding) {
	for _, f := range found {
		f.Code = CodePackage
		if f.Reference == "package-version-required" && !v.publish {
			f.Severity = hub.SeverityWarning
		}
		v.issues = append(v.issues, f.Issue)
	}
}

func (v *validator) transport(at string, s ServerSpec) {
	allowed := []string{model.TransportTypeStdio, model.TransportTypeStreamableHTTP, model.TransportTypeSSE}
	if s.Transport == "" {
		return
	}
	at += ".transport"
	if !slices.Contains(allowed, s.Transport) {
		hint := ""
		if s.Transport == "http" || s.Transport == "https" {
			hint = "; did you mean \"streamable-http\"?"
		} else if near := jsonc.Nearest(s.Transport, slices.Clone(allowed)); near != "" {
			hint = "; did you mean \"" + near + "\"?"
		}
		v.fail(CodeValue, at, "%s is not one of %s%s", jsonc.Quote(s.Transport), strings.Join(allowed, ", "), hint)
		return
	}
	stdio := s.Transport == model.TransportTypeStdio
	switch {
	case s.Command != "" && !stdio:
		v.fail(CodeValue, at, "a command speaks over stdio, not %s", s.Transport)
	case (s.URL != "" || s.Remote != nil) && stdio:
		v.fail(CodeValue, at, "a url speaks over streamable-http or sse, not stdio")
	case s.Package != nil && s.Package.Transport.Type != "" && s.Package.Transport.Type != s.Transport,
		s.Remote != nil && s.Remote.Type != "" && s.Remote.Type != s.Transport:
		v.fail(CodeValue, at, "the transport %s is not the one of the package or remote", s.Transport)
	}
}

func (v *validator) command(at string, s ServerSpec) {
	if s.Command == "" {
		if len(s.Args) > 0 {
			v.fail(CodeStart, at+".args", "args belong to a command; a package has packageArguments")
		}
		return
	}
	if strings.ContainsAny(s.Command, "\x00\r\n") || strings.TrimSpace(s.Command) != s.Command {
		v.fail(CodeValue, at+".command", "%s is not the name or path of a program", jsonc.Quote(s.Command))
	} else if strings.Contains(s.Command, " ") && !strings.ContainsAny(s.Command, `/\`) {
		v.fail(CodeValue, at+".command", "%s has a space: put the words after the program into args", jsonc.Quote(s.Command))
	}
	if v.publish && (path.IsAbs(s.Command) || strings.HasPrefix(path.Clean(s.Command), "../")) {
		v.fail(CodeValue, at+".command", "%s is a path on your machine; name a program, or a file of the bundle", jsonc.Quote(s.Command))
	}
	if slices.Contains(shells, path.Base(s.Command)) {
		v.warn(CodeShell, at+".command", "%s is a shell; what it runs cannot be pinned or checked", s.Command)
	}
	v.variables(at+".command", s.Command)
	if len(s.Args) > 256 {
		v.fail(CodeTooMany, at+".args", "%d arguments; at most 256 are allowed", len(s.Args))
	}
	for i, arg := range s.Args {
		v.variables(jsonc.Index(at+".args", i), arg)
	}
	if v.publish {
		if p, ok := v.m.PackageOf(s); ok && !pinned(p) {
			v.warn(CodePackage, at, "the package %s is not pinned to a version, so users get whatever is newest", jsonc.Quote(p.Identifier))
		}
	}
}

func (v *validator) environment(at string, s ServerSpec) {
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		p := jsonc.Join(at+".env", name)
		if !envRE.MatchString(name) {
			v.fail(CodeName, p, "%s is not the name of an environment variable", jsonc.Quote(name))
		}
		v.variables(p, s.Env[name])
		if v.publish && LooksSecret(name) && s.Env[name] != "" && len(variablesIn(s.Env[name])) == 0 && len(s.Env[name]) >= 16 {
			v.warn(CodeValue, p, "the value of %s is written out; if it is a secret, use ${%s} and declare it in configuration", name, name)
		}
	}
}

// variables warns of ${NAME} that nothing declares.
func (v *validator) variables(at, s string) {
	for _, name := range variablesIn(s) {
		if v.m.declares(name) || KnownVariable(name) {
			continue
		}
		hint := ""
		if near := jsonc.Nearest(name, slices.Concat(slices.Collect(maps.Keys(v.m.Configuration)), knownVariables)); near != "" {
			hint = "; did you mean ${" + near + "}?"
		}
		v.warn(CodeVariable, at, "${%s} is not declared in configuration%s", name, hint)
	}
}

func (v *validator) capabilities(at string, list []hub.Capability) {
	if len(list) > MaxCapabilities {
		v.fail(CodeTooMany, at, "%d items; at most %d are allowed", len(list), MaxCapabilities)
	}
	seen := map[string]bool{}
	for i, c := range list {
		p := jsonc.Index(at, i)
		switch {
		case strings.TrimSpace(c.Name) == "":
			v.fail(CodeRequired, p+".name", "a name is needed")
		case len(c.Name) > 256:
			v.fail(CodeTooLong, p+".name", "a name of %d bytes; at most 256 are allowed", len(c.Name))
		case seen[c.Name]:
			v.fail(CodeDuplicate, p+".name", "%s is declared twice", jsonc.Quote(c.Name))
		case c.Type == hub.Tool && !toolRE.MatchString(c.Name):
			v.warn(CodeName, p+".name", "the tool name %s has characters that some hosts refuse", jsonc.Quote(c.Name))
		}
		seen[c.Name] = true
		if len(c.Description) > MaxCapText {
			v.fail(CodeTooLong, p+".description", "%d bytes; at most %d are allowed", len(c.Description), MaxCapText)
		}
		if len(c.Schema) > MaxSchema {
			v.fail(CodeTooLong, p+".schema", "%d bytes; at most %d are allowed", len(c.Schema), MaxSchema)
		}
		if c.Type == hub.Tool && len(c.Schema) > 0 && c.Schema[0] != '{' {
			v.fail(CodeType, p+".schema", "the input schema of a tool must be an object")
		}
	}
}
