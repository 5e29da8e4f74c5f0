// Package mcpb reads what an MCP bundle, a .mcpb or .dxt archive, says of itself in its manifest.json: how its server is
// started, on which systems, and which values it asks for. The archive may come from anybody. Nothing is opened here.
package mcpb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// ManifestFile is the file at the root of an archive that says what it is.
const ManifestFile = "manifest.json"

// Limits of a manifest.json.
const (
	MaxManifest = 1 << 20 // bytes
	maxWords    = 256     // arguments, variables of the environment, values to ask for
	maxWord     = 8 << 10 // bytes of one
)

// Start is the part of a manifest.json that decides what runs. It is what a lockfile keeps.
type Start struct {
	Type       string             `json:"type"` // node, python, binary
	EntryPoint string             `json:"entryPoint,omitempty"`
	Command    string             `json:"command,omitempty"` // "" for the one that fits the type
	Args       []string           `json:"args,omitempty"`
	Env        map[string]string  `json:"env,omitempty"`
	Overrides  map[string]Command `json:"overrides,omitempty"` // by system, as the archive names it
	UserConfig map[string]Ask     `json:"userConfig,omitempty"`
	Platforms  []string           `json:"platforms,omitempty"` // darwin, linux, win32; nil for any
	Runtimes   map[string]string  `json:"runtimes,omitempty"`  // node or python to the versions that will do
}

// Command is what differs on one system.
type Command struct {
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// Ask is a value that a person is asked for.
type Ask struct {
	Type        string `json:"type"` // string, number, boolean, directory, file
	Description string `json:"description,omitempty"`
	Required    bool   `json:"required,omitempty"`
	Sensitive   bool   `json:"sensitive,omitempty"`
	Multiple    bool   `json:"multiple,omitempty"`
	Default     string `json:"default,omitempty"` // several as lines
}

// file is manifest.json as it is written, of every version of the format so far.
type file struct {
	ManifestVersion string `json:"manifest_version"`
	DXTVersion      string `json:"dxt_version"`
	Server          struct {
		Type       string `json:"type"`
		EntryPoint string `json:"entry_point"`
		Config     struct {
			Command
			Overrides map[string]Command `json:"platform_overrides"`
		} `json:"mcp_config"`
	} `json:"server"`
	Compatibility struct {
		Platforms []string          `json:"platforms"`
		Runtimes  map[string]string `json:"runtimes"`
	} `json:"compatibility"`
	UserConfig map[string]struct {
		Type        string          `json:"type"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Required    bool            `json:"required"`
		Sensitive   bool            `json:"sensitive"`
		Multiple    bool            `json:"multiple"`
		Default     json.RawMessage `json:"default"`
		Min         *float64        `json:"min"`
		Max         *float64        `json:"max"`
	} `json:"user_config"`
}

var versionRE = lazyregexp.New(`^0\.[0-9]{1,3}(\.[0-9]{1,3})?$`)

// Parse reads a manifest.json. TooLarge over MaxManifest, Malformed when it is not JSON of its form, Invalid when it says
// something that cannot be started as it was locked: a version of the format that is not known, a type that is not, a
// value that it asks for in a way that is not.
func Parse(raw []byte) (*Start, error) {
	if len(raw) > MaxManifest {
		return nil, hub.Errorf(hub.TooLarge, "its manifest.json has %d bytes; at most %d are read", len(raw), MaxManifest)
	}
	var f file
	if err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), &f); err != nil {
		return nil, hub.Errorf(hub.Malformed, "its manifest.json is not readable: %v", err)
	}
	if v := f.ManifestVersion + f.DXTVersion; f.ManifestVersion != "" && f.DXTVersion != "" && f.ManifestVersion != f.DXTVersion || !versionRE.MatchString(first(f.ManifestVersion, f.DXTVersion)) {
		return nil, hub.Errorf(hub.Invalid, "its manifest_version is %s, which is not one of 0.1 to 0.4", jsonc.Quote(v)).
			WithHint("look for a newer mcpm, or another version of the server")
	}
	s := &Start{
		Type: f.Server.Type, EntryPoint: f.Server.EntryPoint, Command: f.Server.Config.Command.Command, Args: f.Server.Config.Args, Env: f.Server.Config.Env,
		Overrides: f.Server.Config.Overrides, Platforms: f.Compatibility.Platforms, Runtimes: f.Compatibility.Runtimes,
	}
	for key, u := range f.UserConfig {
		ask := Ask{Type: u.Type, Description: first(u.Description, u.Title), Required: u.Required, Sensitive: u.Sensitive, Multiple: u.Multiple}
		var err error
		if ask.Default, err = defaultOf(u.Default); err != nil {
			return nil, hub.Errorf(hub.Invalid, "the default of its value %s %s", jsonc.Quote(key), err.Error())
		}
		switch {
		case u.Min != nil && u.Max != nil:
			ask.Description += fmt.Sprintf(" (from %v to %v)", *u.Min, *u.Max)
		case u.Min != nil:
			ask.Description += fmt.Sprintf(" (at least %v)", *u.Min)
		case u.Max != nil:
			ask.Description += fmt.Sprintf(" (at most %v)", *u.Max)
		}
		if s.UserConfig == nil {
			s.UserConfig = map[string]Ask{}
		}
		s.UserConfig[key] = ask
	}
	return s, s.check()
}

// defaultOf writes a default as it would be typed.
func defaultOf(raw json.RawMessage) (string, error) {
	var v any
	if len(raw) == 0 {
		return "", nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", err
	}
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		return x, nil
	case bool:
		return strconv.FormatBool(x), nil
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	case []any:
		lines := make([]string, len(x))
		for i, e := range x {
			text, ok := e.(string)
			if !ok || strings.ContainsAny(text, "\r\n") {
				return "", hub.Errorf(hub.Invalid, "is a list of what is no text")
			}
			lines[i] = text
		}
		return strings.Join(lines, "\n"), nil
	}
	return "", hub.Errorf(hub.Invalid, "is neither text, number, boolean nor a list of texts")
}

var keyRE = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// check refuses what no archive that can be started says. A lockfile may come with a stranger's project, so what it keeps
// is held to the same rules.
func (s *Start) check() error {
	bad := func(format string, args ...any) *hub.Error { return hub.Errorf(hub.Invalid, format, args...) }
	switch {
	case s.Type == "uv":
		return bad("it is of the type uv, which looks its packages up and builds them at every start: they cannot be locked").
			WithHint("look for a version that is a package of PyPI, or brings its packages along")
	case !slices.Contains([]string{"node", "python", "binary"}, s.Type):
		return bad("its server.type is %s; node, python and binary are started", jsonc.Quote(s.Type))
	case s.Command == "" && s.EntryPoint == "":
		return bad("its manifest.json has neither a command nor an entry_point")
	case len(s.UserConfig) > maxWords || len(s.Overrides) > maxWords || len(s.Runtimes) > maxWords || len(s.Platforms) > maxWords:
		return bad("its manifest.json lists more than %d of one thing", maxWords)
	}
	for _, p := range s.Platforms {
		if !slices.Contains([]string{"darwin", "linux", "win32"}, p) {
			return bad("its platform %s is not one of darwin, linux, win32", jsonc.Quote(p))
		}
	}
	commands := []Command{{s.Command, s.Args, s.Env}, {Command: s.EntryPoint}}
	for _, key := range slices.Sorted(maps.Keys(s.Overrides)) {
		commands = append(commands, s.Overrides[key])
	}
	for _, c := range commands {
		if err := s.checkCommand(c); err != nil {
			return err
		}
	}
	names := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(s.UserConfig)) {
		ask := s.UserConfig[key]
		switch {
		case !keyRE.MatchString(key):
			return bad("it asks for a value called %s, which is no name", jsonc.Quote(key))
		case !slices.Contains([]string{"string", "number", "boolean", "directory", "file"}, ask.Type):
			return bad("its value %s has the type %s, which is none of string, number, boolean, directory, file", key, jsonc.Quote(ask.Type))
		case len(ask.Default) > maxWord || strings.ContainsRune(ask.Default, 0):
			return bad("the default of its value %s is too long", key)
		case names[inputName(key)] != "":
			return bad("its values %s and %s would have one name", names[inputName(key)], key)
		}
		names[inputName(key)] = key
	}
	return nil
}

func (s *Start) checkCommand(c Command) error {
	if len(c.Args) > maxWords || len(c.Env) > maxWords {
		return hub.Errorf(hub.Invalid, "its command has more than %d arguments or variables", maxWords)
	}
	for _, word := range slices.Concat([]string{c.Command}, c.Args, slices.Collect(maps.Keys(c.Env)), slices.Collect(maps.Values(c.Env))) {
		if len(word) > maxWord || strings.ContainsRune(word, 0) {
			return hub.Errorf(hub.Invalid, "its command has a word of %d bytes that no program can be given", len(word))
		}
		for _, key := range asked(word) {
			if _, ok := s.UserConfig[key]; !ok {
				return hub.Errorf(hub.Invalid, "its command takes the value %s, which it does not ask for", jsonc.Quote(key))
			}
		}
	}
	if len(asked(c.Command)) > 0 {
		return hub.Errorf(hub.Invalid, "its command %s is made from a value that a person gives", jsonc.Quote(c.Command))
	}
	return nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
