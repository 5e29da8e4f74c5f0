package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/setting"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/tailscale/hujson"
)

// DefaultRegistry is asked when nothing is configured: a hub on this machine.
const DefaultRegistry = "http://localhost:8080"

// Settings are what .mcpmrc and MCPM_* say, merged.
type Settings struct {
	Registry         string
	AuthToken        string
	DefaultTransport string            // stdio, streamable-http or sse; "" takes what the server offers first
	DockerRuntime    string            // docker or podman
	Sandbox          bool              // whether servers run in a sandbox when nothing else is said
	Contained        bool              // whether that is a container for servers that node or Python runs
	RuntimeImages    map[string]string // "node", "python" to the image such a container is of, by its digest; never a project's
	Analytics        bool              // whether the hub is told that an install is one; it counts them. Only the user turns it on
	UpdateNotice     bool              // whether a newer mcpm is told of, at most once a day
	PrivateDownloads bool              // whether archives may come from this machine and its networks; never a project's
	Scopes           map[string]string // scope without "@" to the hub it is only looked up at
	HostPaths        map[string]string // host to the file a person named instead of the usual one; never a project's

	Unknown []string // what the files say that means nothing to this mcpm, a sentence each

	userHosts, projectHosts map[string]bool // host, or "*" for the others, to whether it gets servers

	from         map[string]string // key to the file or variable it came from
	userRegistry string            // what the user's own file says, before the project's
}

// rcKeys are the keys of .mcpmrc and the variable over each.
var rcKeys = map[string]string{
	"registry": "MCPM_REGISTRY", "authToken": "MCPM_TOKEN", "defaultTransport": "MCPM_DEFAULT_TRANSPORT",
	"dockerRuntime": "MCPM_DOCKER_RUNTIME", "analytics": "MCPM_ANALYTICS", "privateDownloads": "MCPM_PRIVATE_DOWNLOADS", "sandbox": "MCPM_SANDBOX",
	"updateNotice": "MCPM_UPDATE_NOTICE", "runtimeImage.node": "MCPM_RUNTIME_IMAGE_NODE", "runtimeImage.python": "MCPM_RUNTIME_IMAGE_PYTHON",
}

// switches are the keys of .mcpmrc that are true or false.
var switches = []string{"analytics", "privateDownloads", "sandbox", "updateNotice"}

func newSettings() *Settings {
	return &Settings{Registry: DefaultRegistry, UpdateNotice: true, Scopes: map[string]string{}, RuntimeImages: map[string]string{}, from: map[string]string{}}
}

// LoadSettings merges the user's ~/.mcpmrc, the project's .mcpmrc over it and MCPM_* variables over both. Of a member, the one
// at the root of its workspace comes before its own: a scope that is mapped there is looked up nowhere else in the members.
func LoadSettings(userHome, projectDir string, getenv func(string) string) (*Settings, error) {
	s := newSettings()
	files := []string{}
	if userHome != "" {
		files = append(files, filepath.Join(userHome, RCFile))
	}
	for _, dir := range []string{ProjectAt(projectDir).Root, projectDir} {
		if own := filepath.Join(dir, RCFile); dir != "" && !slices.Contains(files, own) {
			files = append(files, own)
		}
	}
	for i, file := range files {
		data, err := ReadFile(file, 1<<20)
		if err != nil {
			return nil, err
		}
		if data == nil {
			continue
		}
		if err := s.merge(data, file, i > 0 || userHome == ""); err != nil {
			return nil, err
		}
		if i == 0 {
			s.userRegistry = s.Registry
		}
	}
	for key, name := range rcKeys {
		if v := getenv(name); v != "" {
			if err := s.set(key, v, name); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// ParseRC checks one .mcpmrc on its own.
func ParseRC(data []byte, file string) (*Settings, error) {
	s := newSettings()
	return s, s.merge(data, file, false)
}

// merge lays one file over s. A project's file comes with other people's code, so it may not bring a
// token: with a registry of its own choice beside it, it would show what the user asks for under a foreign name. Nor
// does it turn analytics on, only off.
func (s *Settings) merge(data []byte, file string, project bool) error {
	std, err := hujson.Standardize(data)
	if err != nil {
		return hub.Errorf(hub.Invalid, "%s is not JSON: %s", file, strings.TrimPrefix(err.Error(), "hujson: "))
	}
	var raw map[string]any
	if err := json.Unmarshal(std, &raw); err != nil || raw == nil {
		return hub.Errorf(hub.Invalid, "%s must hold one JSON object", file)
	}
	for key, value := range raw {
		if key == "hosts" || key == "hostPaths" {
			if err := s.mergeHosts(key, value, file, project); err != nil {
				return err
			}
			continue
		}
		text, ok := value.(string)
		if b, isBool := value.(bool); isBool && slices.Contains(switches, key) {
			text, ok = fmt.Sprint(b), true
		}
		if !ok {
			if rcKeys[key] == "" && !strings.HasPrefix(key, "@") {
				s.unknown(key, file) // a key of a later version may hold anything
				continue
			}
			return hub.Errorf(hub.Invalid, "%s: %q must be a string", file, key)
		}
		if project && key == "authToken" {
			return hub.Errorf(hub.Forbidden, "%s holds an authToken; a project's file is shared with others", file).
				WithHint("remove it there and run mcpm login, or set MCPM_TOKEN")
		}
		if project && key == "sandbox" && (text == "false" || text == "0") && (s.Sandbox || s.from[key] == "") {
			return hub.Errorf(hub.Forbidden, "%s switches the sandbox off; a repository must not", file).WithHint("remove it there, or run a server with --sandbox=false")
		}
		if project && key == "sandbox" && text != "container" && s.Contained {
			continue // it may ask for a stronger one, and not for another
		}
		if project && (key == "privateDownloads" || strings.HasPrefix(key, "runtimeImage.")) {
			return hub.Errorf(hub.Forbidden, "%s sets %s, which only you may", file, key).
				WithHint("remove it there, and set %s or write it into your own .mcpmrc", rcKeys[key])
		}
		if project && key == "updateNotice" && !s.UpdateNotice {
			continue // a project may turn it off, and not on
		}
		was, from := s.Analytics, s.from[key]
		if rcKeys[key] == "" && !scoped(key) {
			s.unknown(key, file)
			continue
		}
		if err := s.set(key, text, file); err != nil {
			return err
		}
		if project && s.Analytics && !was { // to be told of is the user's choice, not that of a repository
			s.Analytics, s.from[key] = false, from
		}
	}
	return nil
}

func scoped(key string) bool {
	return strings.HasPrefix(key, "@") && strings.HasSuffix(key, ":registry")
}

func (s *Settings) unknown(key, file string) {
	known := append(slices.Collect(maps.Keys(rcKeys)), "hosts", "hostPaths")
	if scope, _, ok := strings.Cut(key, ":"); ok && strings.HasPrefix(key, "@") {
		known = append(known, scope+":registry")
	}
	text := fmt.Sprintf("%s: %.60q is no setting", file, key)
	if near := jsonc.Nearest(key, known); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	s.Unknown = append(s.Unknown, text)
	slices.Sort(s.Unknown)
}

func (s *Settings) set(key, value, from string) error {
	if scope, ok := strings.CutSuffix(key, ":registry"); ok && strings.HasPrefix(key, "@") {
		name, err := hub.ParseScope(scope)
		if err != nil {
			return hub.Errorf(hub.Invalid, "%s: %q: %s", from, key, err.Error()).WithHint(`write "@acme:registry": "https://hub.acme.example"`)
		}
		u, err := setting.Registry(value, from, key)
		if err != nil {
			return err
		}
		s.Scopes[name] = u
		return nil
	}
	switch key {
	case "registry":
		u, err := setting.Registry(value, from, key)
		if err != nil {
			return err
		}
		s.Registry = u
	case "authToken":
		if strings.ContainsAny(value, " \t\r\n") {
			return hub.Errorf(hub.Invalid, "%s: %s holds white space", from, key)
		}
		s.AuthToken = value
	case "defaultTransport":
		if err := setting.OneOf(value, from, key, "stdio", "streamable-http", "sse"); err != nil {
			return err
		}
		s.DefaultTransport = value
	case "dockerRuntime":
		if err := setting.OneOf(value, from, key, "docker", "podman"); err != nil {
			return err
		}
		s.DockerRuntime = value
	case "runtimeImage.node", "runtimeImage.python":
		if err := setting.Image(value, from, key); err != nil {
			return err
		}
		s.RuntimeImages[strings.TrimPrefix(key, "runtimeImage.")] = value
	case "sandbox":
		if err := setting.OneOf(value, from, key, "true", "false", "1", "0", "container"); err != nil {
			return err
		}
		s.Contained = value == "container"
		s.Sandbox = s.Contained || value == "true" || value == "1"
	case "analytics", "privateDownloads", "updateNotice":
		if err := setting.OneOf(value, from, key, "true", "false", "1", "0"); err != nil {
			return err
		}
		on := map[string]*bool{"analytics": &s.Analytics, "privateDownloads": &s.PrivateDownloads, "updateNotice": &s.UpdateNotice}[key]
		*on = value == "true" || value == "1"
	default:
		return nil
	}
	s.from[key] = from
	return nil
}

// TokenFor returns the token that MCPM_TOKEN or authToken gives for a registry, or "". It is for the
// registry the user chose, by MCPM_REGISTRY (or --registry), else in the user's own file, else the default:
// a project that names another one does not get it, in CI either.
func (s *Settings) TokenFor(registry string) string {
	own := s.userRegistry
	if own == "" {
		own = DefaultRegistry
	}
	if s.from["authToken"] == rcKeys["authToken"] && s.from["registry"] == rcKeys["registry"] {
		own = s.Registry
	}
	if registry != own {
		return ""
	}
	return s.AuthToken
}

// From returns the file or variable that set a key, "" for the default.
func (s *Settings) From(key string) string { return s.from[key] }

// RegistryFor returns the hub a server is looked up at. A scope that is mapped to a hub is asked there
// and nowhere else, so that a stranger's package of the same name cannot take its place.
func (s *Settings) RegistryFor(name hub.Name) string {
	if r, ok := s.Scopes[name.Scope()]; ok {
		return r
	}
	return s.Registry
}

// ParseRegistry checks the address of a hub that was given as from says, such as "--registry".
func ParseRegistry(value, from string) (string, error) {
	return setting.Registry(value, from, "the hub")
}
