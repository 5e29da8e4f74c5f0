package mcpb

import (
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Machine is where an archive was unpacked.
type Machine struct {
	OS   string // as Go names it
	Home string // of the person
	Dir  string // with the archive's files
}

// platform is the system's name in archives.
func platform(goos string) string {
	if goos == "windows" {
		return "win32"
	}
	return goos
}

// Fits reports whether the archive is for a system, by Go's name of it.
func (s *Start) Fits(goos string) bool {
	return len(s.Platforms) == 0 || slices.Contains(s.Platforms, platform(goos))
}

// on returns what is started on a system: what is said for it replaces what is said for all.
func (s *Start) on(goos string) Command {
	c := Command{s.Command, s.Args, s.Env}
	if o, ok := s.Overrides[platform(goos)]; ok {
		c.Command = first(o.Command, c.Command)
		if len(o.Args) > 0 {
			c.Args = o.Args
		}
		if len(o.Env) > 0 {
			c.Env = o.Env
		}
	}
	return c
}

var pythonRE = lazyregexp.New(`^python(3(\.[0-9]{1,2})?)?$`)

// Program returns what is started on a system: a file of the archive, by its path with slashes, or node or Python by its
// name. Forbidden when that would be anything else: what npx, uvx or a program of the machine would run was not locked.
func (s *Start) Program(goos string) (file, program string, err error) {
	if !s.Fits(goos) {
		return "", "", hub.Errorf(hub.Forbidden, "it is for %s, and this machine is %s", strings.Join(s.Platforms, ", "), platform(goos)).
			WithHint("look for another version, or another server")
	}
	c := s.on(goos).Command
	switch base := strings.TrimSuffix(c, ".exe"); {
	case c == "" && s.Type == "binary":
		c = s.EntryPoint
	case c == "" && s.Type == "python":
		return "", "python3", nil
	case c == "" || base == "node":
		return "", "node", nil
	case pythonRE.MatchString(base):
		return "", base, nil
	case s.Type == "binary" && path.Clean(c) == path.Clean(s.EntryPoint):
	case !strings.HasPrefix(c, "${__dirname}") && (!strings.HasPrefix(c, "./") || strings.Contains(c, "${")):
		return "", "", hub.Errorf(hub.Forbidden, "it starts %s, which is neither node nor Python nor a file of its own: what that runs cannot be locked", jsonc.Quote(c)).
			WithHint("look for another version, or another server")
	}
	c = variableRE.ReplaceAllStringFunc(strings.TrimPrefix(c, "${__dirname}"), func(v string) string {
		if v == "${/}" || v == "${pathSeparator}" {
			return "/"
		}
		return v
	})
	file = path.Clean(strings.TrimPrefix(strings.ReplaceAll(c, `\`, "/"), "/"))
	if !filepath.IsLocal(filepath.FromSlash(file)) || file == "." || strings.Contains(file, "${") {
		return "", "", hub.Errorf(hub.Forbidden, "it starts %s, which is no file of its own", jsonc.Quote(c)).WithHint("look for another version, or another server")
	}
	return file, "", nil
}

// Launch says how the server is started: the command, and its arguments and environment as a server.json would have
// them, so that the values it asks for are given like others. Errors are those of Program.
func (s *Start) Launch(at Machine) (command string, args []model.Argument, env []model.KeyValueInput, err error) {
	file, program, err := s.Program(at.OS)
	if err != nil {
		return "", nil, nil, err
	}
	if command = program; file != "" {
		command = filepath.Join(at.Dir, filepath.FromSlash(file))
	}
	c := s.on(at.OS)
	words := c.Args
	if s.on(at.OS).Command == "" && s.Type != "binary" && len(words) == 0 {
		words = []string{"${__dirname}/" + strings.TrimPrefix(path.Clean(s.EntryPoint), "/")}
	}
	for i, word := range words {
		in, err := s.fill(word, at)
		if err != nil {
			return "", nil, nil, err
		}
		arg := model.Argument{Type: model.ArgumentTypePositional, InputWithVariables: in}
		if keys := asked(word); len(keys) == 1 && word == "${user_config."+keys[0]+"}" {
			arg.IsRepeated = s.UserConfig[keys[0]].Multiple
			if name := inputName(keys[0]); i > 0 && strings.HasPrefix(words[i-1], "-") && !strings.Contains(words[i-1], "=") {
				v := in.Variables[name]
				v.IsRequired = true // without it the option would take the next word for its value
				in.Variables[name] = v
			}
		}
		if word == "" {
			arg, err = empty()
		}
		if err != nil {
			return "", nil, nil, err
		}
		args = append(args, arg)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		in, err := s.fill(c.Env[name], at)
		if err != nil {
			return "", nil, nil, err
		}
		if in.Value != "" {
			env = append(env, model.KeyValueInput{Name: name, InputWithVariables: in})
		}
	}
	return command, args, env, nil
}

// empty is an argument that is an empty word on purpose, which only reading one can say.
func empty() (a model.Argument, err error) {
	err = json.Unmarshal([]byte(`{"type":"positional","value":""}`), &a)
	return a, err
}

var variableRE = lazyregexp.New(`\$\{([^{}]{1,100})\}`)

// asked lists the values that a text takes from a person.
func asked(text string) []string {
	var out []string
	for _, m := range variableRE.FindAllStringSubmatch(text, -1) {
		if key, ok := strings.CutPrefix(m[1], "user_config."); ok {
			out = append(out, key)
		}
	}
	return out
}

// fill puts what the machine has into a text, and leaves what a person is asked for as variables.
func (s *Start) fill(text string, at Machine) (model.InputWithVariables, error) {
	in := model.InputWithVariables{}
	var failed error
	in.Value = variableRE.ReplaceAllStringFunc(text, func(found string) string {
		key, ok := strings.CutPrefix(found[2:len(found)-1], "user_config.")
		if !ok {
			v, err := at.value(found)
			if err != nil {
				failed = err
			}
			return v
		}
		ask := s.UserConfig[key]
		v := model.Input{Description: ask.Description, IsRequired: ask.Required, IsSecret: ask.Sensitive}
		if v.Default, failed = at.fill(ask.Default, failed); !ask.Multiple {
			v.Format = map[string]model.Format{"number": model.FormatNumber, "boolean": model.FormatBoolean, "directory": model.FormatFilePath, "file": model.FormatFilePath}[ask.Type]
		}
		if in.Variables == nil {
			in.Variables = map[string]model.Input{}
		}
		in.Variables[inputName(key)] = v
		return "{" + inputName(key) + "}"
	})
	return in, failed
}

// fill puts what the machine has into a default.
func (at Machine) fill(text string, failed error) (string, error) {
	text = variableRE.ReplaceAllStringFunc(text, func(found string) string {
		v, err := at.value(found)
		if err != nil {
			failed = err
		}
		return v
	})
	return text, failed
}

// value returns what a variable of the format stands for on this machine. One that the format does not know stays.
func (at Machine) value(found string) (string, error) {
	separator := "/"
	if at.OS == "windows" {
		separator = `\`
	}
	below := ""
	switch found {
	case "${__dirname}":
		return at.Dir, nil
	case "${/}", "${pathSeparator}":
		return separator, nil
	case "${HOME}":
	case "${DESKTOP}":
		below = separator + "Desktop"
	case "${DOCUMENTS}":
		below = separator + "Documents"
	case "${DOWNLOADS}":
		below = separator + "Downloads"
	default:
		return found, nil
	}
	if at.Home == "" {
		return "", hub.Errorf(hub.Invalid, "it asks for %s, and you have no home directory", found).WithHint("set HOME")
	}
	return at.Home + below, nil
}

// taken are the names that mean something else where values are filled in.
var taken = []string{"version", "name", "workspace", "bundle", "HOME", "USER", "TMPDIR", "PATH"}

// inputName is what a value is called in mcpm config.
func inputName(key string) string {
	if slices.Contains(taken, key) {
		return "config_" + key
	}
	return key
}
