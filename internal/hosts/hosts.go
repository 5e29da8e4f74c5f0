// Package hosts knows the host applications (Claude Desktop, Cursor ...) as data: where each keeps its
// MCP servers on each operating system, in which format and under which key, and in which words it names
// a local and a remote server. It renders an entry and edits the text of such a file, keeping comments,
// order, indentation and line endings; taking an entry out again gives back the very bytes there were.
// It opens no file.
package hosts

import (
	"path"
	"strings"
)

// Format is the language of a host's file.
type Format string

// The formats. JSONC is JSON with comments and trailing commas; an edit of either keeps what it finds.
const (
	JSON  Format = "json"
	JSONC Format = "jsonc"
)

// Scope says whose file it is.
type Scope string

// The scopes.
const (
	User    Scope = "user"
	Project Scope = "project"
)

// Host is one host application. All() is the table.
type Host struct {
	ID        string // "claude-desktop"
	Name      string // "Claude Desktop"
	Format    Format
	Key       string // member of the file that holds the servers
	AfterEdit string // what a person has to do after an edit, or ""

	files  []file
	shape  shape
	detect []file // directories that show the application is there, beside the directories of its files
}

// file is a place as the table writes it: "{home}", "{config}" ({home}/.config or XDG_CONFIG_HOME),
// "{appsupport}", "{appdata}", "{project}" or "{$VAR}" first. A place whose root is unknown is left out.
type file struct {
	os    string // linux, darwin, windows or any
	scope Scope
	path  string
}

// shape is how a host spells a server.
type shape struct {
	stdioType string            // value of "type" for a local server, "" for none
	remote    map[string]string // transport to value of "type"; "" for none. nil: no remote servers
}

var httpOrSSE = map[string]string{"streamable-http": "http", "sse": "sse"}

var table = []Host{
	{
		ID: "claude-desktop", Name: "Claude Desktop", Format: JSON, Key: "mcpServers",
		AfterEdit: "restart Claude Desktop",
		files: []file{
			{"darwin", User, "{appsupport}/Claude/claude_desktop_config.json"},
			{"windows", User, "{appdata}/Claude/claude_desktop_config.json"},
			{"linux", User, "{config}/Claude/claude_desktop_config.json"},
		},
	},
	{
		ID: "claude-code", Name: "Claude Code", Format: JSON, Key: "mcpServers",
		AfterEdit: "start a new Claude Code session",
		files: []file{
			{"any", User, "{$CLAUDE_CONFIG_DIR}/.claude.json"},
			{"any", User, "{home}/.claude.json"},
			{"any", Project, "{project}/.mcp.json"},
		},
		detect: []file{{"any", User, "{$CLAUDE_CONFIG_DIR}"}, {"any", User, "{home}/.claude"}},
		shape:  shape{stdioType: "stdio", remote: httpOrSSE},
	},
	{
		ID: "cursor", Name: "Cursor", Format: JSON, Key: "mcpServers",
		files: []file{
			{"any", User, "{home}/.cursor/mcp.json"},
			{"any", Project, "{project}/.cursor/mcp.json"},
		},
		shape: shape{remote: map[string]string{"streamable-http": "", "sse": ""}},
	},
	{
		ID: "vscode", Name: "VS Code", Format: JSONC, Key: "servers",
		files: []file{
			{"darwin", User, "{appsupport}/Code/User/mcp.json"},
			{"windows", User, "{appdata}/Code/User/mcp.json"},
			{"linux", User, "{config}/Code/User/mcp.json"},
			{"any", Project, "{project}/.vscode/mcp.json"},
		},
		detect: []file{
			{"darwin", User, "{appsupport}/Code"}, {"windows", User, "{appdata}/Code"}, {"linux", User, "{config}/Code"},
		},
		shape: shape{stdioType: "stdio", remote: httpOrSSE},
	},
}

// All returns every host application, in the order they are shown.
func All() []Host { return append([]Host(nil), table...) }

// ByID returns the host application with that id.
func ByID(id string) (Host, bool) {
	for _, h := range table {
		if h.ID == id {
			return h, true
		}
	}
	return Host{}, false
}

// Remote reports whether the host's file can name a remote server.
func (h Host) Remote() bool { return h.shape.remote != nil }

// Env is the machine as far as paths depend on it, so that each system's paths are tested on any other.
type Env struct {
	OS      string              // GOOS
	Home    string              // the user's home directory
	Getenv  func(string) string // XDG_CONFIG_HOME, APPDATA, CLAUDE_CONFIG_DIR
	Project string              // the project's directory, or "" for none
}

// Path is one place where a host looks for its file.
type Path struct {
	OS    string // linux, darwin, windows or any
	Scope Scope
	Path  string // absolute for Paths; as in documentation for Places
}

// Paths returns the files of the host on the machine of env, the one to write first. Of several places
// for one scope only the first that applies counts: a variable that moves the file wins over the default.
func (h Host) Paths(env Env) []Path {
	var out []Path
	seen := map[Scope]bool{}
	for _, f := range h.files {
		p, ok := f.resolve(env)
		if !ok || seen[f.scope] {
			continue
		}
		seen[f.scope] = true
		out = append(out, Path{f.os, f.scope, p})
	}
	return out
}

// UserPath returns the user's own file of the host, or "" when the host has none on this system.
func (h Host) UserPath(env Env) string {
	for _, p := range h.Paths(env) {
		if p.Scope == User {
			return p.Path
		}
	}
	return ""
}

// Traces returns paths of which any one that exists shows that the host is installed: its user file, and
// directories only it makes.
func (h Host) Traces(env Env) []string {
	var out []string
	if p := h.UserPath(env); p != "" {
		out = append(out, p)
		if len(h.detect) == 0 {
			out = append(out, env.dir(p))
		}
	}
	for _, f := range h.detect {
		if p, ok := f.resolve(env); ok {
			out = append(out, p)
		}
	}
	return out
}

// Places returns the files of the host on every system, spelled for people: "~/.cursor/mcp.json".
func (h Host) Places() []Path {
	roots := strings.NewReplacer("{home}", "~", "{config}", "~/.config", "{appsupport}", "~/Library/Application Support",
		"{appdata}", "%APPDATA%", "{project}/", "", "{$CLAUDE_CONFIG_DIR}", "$CLAUDE_CONFIG_DIR")
	var out []Path
	for _, f := range h.files {
		p := roots.Replace(f.path)
		if f.os == "windows" {
			p = strings.ReplaceAll(p, "/", `\`)
		}
		out = append(out, Path{f.os, f.scope, p})
	}
	return out
}

func (f file) resolve(env Env) (string, bool) {
	if f.os != "any" && f.os != env.OS {
		return "", false
	}
	root, rest, _ := strings.Cut(f.path, "}")
	root = env.root(strings.TrimPrefix(root, "{"))
	if root == "" {
		return "", false
	}
	if env.OS == "windows" {
		return strings.ReplaceAll(root+rest, "/", `\`), true
	}
	return path.Clean(root + rest), true
}

func (e Env) root(name string) string {
	get := e.Getenv
	if get == nil {
		get = func(string) string { return "" }
	}
	switch {
	case strings.HasPrefix(name, "$"):
		return get(name[1:])
	case name == "project":
		return e.Project
	case e.Home == "" && name != "appdata":
		return ""
	}
	switch name {
	case "home":
		return e.Home
	case "appsupport":
		return e.Home + "/Library/Application Support"
	case "config":
		if x := get("XDG_CONFIG_HOME"); path.IsAbs(x) { // the XDG rule: a relative one is ignored
			return x
		}
		return e.Home + "/.config"
	case "appdata":
		if x := get("APPDATA"); x != "" {
			return x
		}
		if e.Home != "" {
			return e.Home + `\AppData\Roaming`
		}
	}
	return ""
}

// dir is path.Dir in the spelling of env's system.
func (e Env) dir(p string) string {
	if i := strings.LastIndexAny(p, `/\`); i > 0 && (e.OS == "windows" || p[i] == '/') {
		return p[:i]
	}
	return path.Dir(p)
}
