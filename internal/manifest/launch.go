package manifest

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/mcphub/mcphub/internal/manifest/value"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// resolve returns the value of ${name} in mcp.json: given by the caller, or the default of its
// configuration. ok is false when it has none.
func (f *filler) resolve(name string) (value string, ok bool) {
	if v, given := f.vars[name]; given {
		f.check(name, v, f.rule(name))
		return v, true
	}
	switch name {
	case "version":
		return f.m.Version, true
	case "name":
		return f.m.Name, true
	}
	in := f.m.Configuration[name]
	return in.Default, in.Default != ""
}

// need notes that name has no value.
func (f *filler) need(name string) {
	in, declared := f.m.Configuration[name]
	f.missing[name] = Missing{Name: name, Description: in.Description, Secret: in.Secret || !declared && LooksSecret(name)}
}

func (f *filler) optional(name string) bool {
	in, declared := f.m.Configuration[name]
	return declared && !in.Required
}

// expand fills the variables of s. What is required and absent is noted; optional and absent is "".
func (f *filler) expand(s string) string {
	return Expand(s, func(name string) string {
		v, ok := f.resolve(name)
		if !ok && !f.optional(name) {
			f.need(name)
		}
		return v
	})
}

// unset reports whether s is nothing but one optional variable that has no value.
func (f *filler) unset(s string) bool {
	name := soleVariable(s)
	if name == "" || !f.optional(name) {
		return false
	}
	_, ok := f.resolve(name)
	return !ok
}

func (f *filler) command(l *Launched, s ServerSpec) {
	l.Dir = f.vars["bundle"]
	l.Command = f.expand(s.Command)
	if l.Dir != "" && strings.Contains(l.Command, "/") && !filepath.IsAbs(l.Command) && !path.IsAbs(l.Command) {
		inside := path.Clean(l.Command)
		if inside == ".." || strings.HasPrefix(inside, "../") {
			f.fail("the command %s leaves the bundle", jsonc.Quote(s.Command))
		}
		l.Command = filepath.Join(l.Dir, filepath.FromSlash(inside))
	}
	for i, arg := range s.Args {
		if f.unset(arg) {
			// An option in front of an absent value would take the next word for its value, so the
			// value is needed after all. "--option=${VALUE}" has no such trouble.
			if i > 0 && isOption(s.Args[i-1]) {
				f.need(soleVariable(arg))
			}
			continue
		}
		v := f.expand(arg)
		f.noSmuggling(arg, v, "args")
		l.Args = append(l.Args, v)
	}
	f.extraEnv(l, s.Env)
}

func isOption(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") && len(variablesIn(arg)) == 0
}

// noSmuggling refuses a word that starts with "-" only because of what was filled in.
func (f *filler) noSmuggling(template, value, where string) {
	if strings.HasPrefix(value, "-") && !strings.HasPrefix(template, "-") {
		f.fail("%s: the value %s starts with '-', so the program would read it as an option", where, f.shown(value))
	}
}

func (f *filler) extraEnv(l *Launched, env map[string]string) {
	for name, value := range env {
		if f.unset(value) {
			continue
		}
		f.setEnv(l, name, f.expand(value))
	}
}

func (f *filler) setEnv(l *Launched, name, value string) {
	if strings.ContainsRune(value, 0) || strings.ContainsAny(name, "=\x00") || name == "" {
		f.fail("the environment variable %s cannot be set", jsonc.Quote(name))
		return
	}
	if l.Env == nil {
		l.Env = map[string]string{}
	}
	l.Env[name] = value
}

func (f *filler) setHeader(l *Launched, name, value string) {
	if strings.ContainsAny(value, "\r\n\x00") {
		f.fail("the header %s has a line break in its value", name)
		return
	}
	if l.Headers == nil {
		l.Headers = map[string]string{}
	}
	l.Headers[name] = value
}

func (f *filler) plainRemote(l *Launched, s ServerSpec) {
	l.URL = f.expand(s.URL)
	for name, value := range s.Headers {
		if slices.ContainsFunc(variablesIn(value), func(v string) bool { return f.unset("${" + v + "}") }) {
			continue // "Bearer " without a token is worse than no header
		}
		f.setHeader(l, name, f.expand(value))
	}
}

func (f *filler) remote(l *Launched, t *model.Transport) {
	l.URL = f.substitute(t.URL, t.Variables)
	f.headers(l, t.Headers)
}

func (f *filler) headers(l *Launched, headers []model.KeyValueInput) {
	for _, h := range headers {
		if f.anyUnset(&h.InputWithVariables) {
			continue
		}
		if v, ok, _ := f.input(h.Name, &h.InputWithVariables); ok {
			f.setHeader(l, h.Name, v)
		}
	}
}

// input returns the value of an input of server.json called name. ok is false when it is left out; given
// says that the value came from the caller rather than from the publisher.
func (f *filler) input(name string, in *model.InputWithVariables) (value string, ok, given bool) {
	if in.Value != "" {
		if braceRE.FindString(in.Value) == in.Value && f.anyUnset(in) {
			return "", false, false
		}
		return f.substitute(in.Value, in.Variables), true, len(in.Variables) > 0
	}
	if v, there := f.vars[name]; there {
		f.check(name, v, ruleOf(in.Input))
		return v, true, true
	}
	if in.Default != "" {
		return in.Default, true, false
	}
	if in.IsRequired {
		f.missing[name] = Missing{Name: name, Description: in.Description, Secret: in.IsSecret}
	}
	return "", false, false
}

var braceRE = lazyregexp.New(`\{([^{}]+)\}`)

// anyUnset reports whether the value of an input uses an optional variable that has no value.
func (f *filler) anyUnset(in *model.InputWithVariables) bool {
	for _, found := range braceRE.FindAllString(in.Value, -1) {
		name := found[1 : len(found)-1]
		v, declared := in.Variables[name]
		if !declared || v.IsRequired || v.Value != "" || v.Default != "" {
			continue
		}
		if _, set := f.resolve(name); !set {
			return true
		}
	}
	return false
}

// substitute replaces {name} for the declared variables; any other brace stays as it is.
func (f *filler) substitute(s string, declared map[string]model.Input) string {
	return braceRE.ReplaceAllStringFunc(s, func(found string) string {
		name := found[1 : len(found)-1]
		in, ok := declared[name]
		if !ok {
			return found
		}
		if v, set := f.resolve(name); set && in.Value == "" {
			f.check(name, v, ruleOf(in))
			return v
		}
		v, _, _ := f.input(name, &model.InputWithVariables{Input: in})
		return v
	})
}

func (f *filler) rule(name string) value.Rule {
	in := f.m.Configuration[name]
	return value.Rule{Type: in.Type, Choices: in.Choices, Secret: in.Secret}
}

func ruleOf(in model.Input) value.Rule {
	return value.Rule{Type: string(in.Format), Choices: in.Choices, Secret: in.IsSecret}
}

// check refuses a value that its input does not take, and remembers a secret so that no later error shows it.
func (f *filler) check(name, v string, r value.Rule) {
	if r.Secret = r.Secret || LooksSecret(name); r.Secret && v != "" {
		f.secrets = append(f.secrets, v)
	}
	if err := r.Check(name, v); err != nil {
		f.fail("%s", err.Error())
	}
}

// shown is a value as an error may show it.
func (f *filler) shown(value string) string {
	if slices.ContainsFunc(f.secrets, func(s string) bool { return strings.Contains(value, s) }) {
		return "of a secret"
	}
	return jsonc.Quote(value)
}
