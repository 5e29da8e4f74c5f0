// Package hosts knows the host applications (Claude Desktop, Cursor ...) as data: where each keeps its
// MCP servers on each operating system, in which format and under which key, and in which words it names
// a local and a remote server. It renders an entry and, with its sub-room edit, edits the text of such a
// file, keeping comments, order, indentation and line endings; taking an entry out again gives back the
// very bytes there were. It opens no file.
package hosts

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts/edit"
)

// Format is the language of a host's file.
type Format string

// The formats. JSONC is JSON with comments and trailing commas; an edit of either keeps what it finds.
const (
	JSON  Format = "json"
	JSONC Format = "jsonc"
	YAML  Format = "yaml"
	TOML  Format = "toml"
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
	Key       string // member of the file that holds the servers; a dot in it is part of the name
	List      bool   // the servers are a list, each with a "name", not a mapping by name
	AfterEdit string // what a person has to do after an edit, or ""

	named  bool   // an entry repeats its name as "name"
	fresh  string // what a new file begins with, where an empty one is not enough
	files  []file
	shape  shape
	detect []file // what shows that the application is there; without it, the directories of its files
}

// file is a place as the table writes it. It begins with a root: "{home}", "{config}" ({home}/.config or
// XDG_CONFIG_HOME), "{appsupport}", "{appdata}", "{localappdata}", "{project}", "{$VAR}", or "{base}", which is
// the second, third and fourth by system. A place whose root is unknown is left out.
type file struct {
	os    string // linux, darwin, windows or any
	scope Scope
	path  string
}

// Undo is what Remove needs to give back a file as it was before the first Insert.
type Undo = edit.Undo

func (h Host) spot() edit.Spot {
	return edit.Spot{Language: string(h.Format), Key: h.Key, List: h.List, Named: h.named, Fresh: h.fresh}
}

// Insert puts a rendered entry into the text of the host's file and returns the new text. A text without
// any value counts as an empty file. Exists when name is there already; Invalid when the text is not in the
// host's format, or cannot be edited without changing more than the entry.
func (h Host) Insert(src []byte, name string, value json.RawMessage) ([]byte, Undo, error) {
	return edit.Insert(src, h.spot(), name, value)
}

// Remove takes an entry out again. With last, undo is what the first Insert gave: what that made beside
// the entry goes too, unless somebody uses it now. A text that does not hold name comes back unchanged.
func (h Host) Remove(src []byte, name string, undo Undo, last bool) ([]byte, error) {
	return edit.Remove(src, h.spot(), name, undo, last)
}

// Entries returns the servers in the text of the host's file: name to standard JSON. nil when there are none.
func (h Host) Entries(src []byte) (map[string]json.RawMessage, error) {
	return edit.Entries(src, h.spot())
}

// JSON returns the text of the host's file as standard JSON, for readers that do not know its format.
func (h Host) JSON(src []byte) (json.RawMessage, error) {
	return edit.Standard(src, h.spot())
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

	// Override holds, by host, the user file a person chose instead of the usual one. "~/" is the home directory.
	Override map[string]string
}

// Path is one place where a host looks for its file.
type Path struct {
	OS    string // linux, darwin, windows or any
	Scope Scope
	Path  string // absolute for Paths; as in documentation for Places
}

// Paths returns the files of the host on the machine of env, the one to write first. Of several places
// for one scope only the first that applies counts: a variable that moves the file wins over the default,
// and what a person chose wins over both.
func (h Host) Paths(env Env) []Path {
	var out []Path
	seen := map[Scope]bool{}
	if p := env.override(h.ID); p != "" {
		out, seen[User] = append(out, Path{"any", User, p}), true
	}
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
		if len(h.detect) == 0 || env.override(h.ID) != "" {
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
	var out []Path
	for _, f := range h.files {
		for _, f := range f.bySystem() {
			root, rest, _ := strings.Cut(strings.TrimPrefix(f.path, "{"), "}")
			p := spelled[root] + rest
			if strings.HasPrefix(root, "$") {
				p = root + rest
			}
			if f.scope == Project {
				p = strings.TrimPrefix(p, "/")
			}
			if f.os == "windows" {
				p = strings.ReplaceAll(p, "/", `\`)
			}
			out = append(out, Path{f.os, f.scope, p})
		}
	}
	return out
}

// spelled is how people write the roots of places.
var spelled = map[string]string{
	"home": "~", "config": "~/.config", "appsupport": "~/Library/Application Support",
	"appdata": "%APPDATA%", "localappdata": "%LOCALAPPDATA%", "project": "",
}

// bySystem spells out a place under {base}.
func (f file) bySystem() []file {
	rest, ok := strings.CutPrefix(f.path, "{base}")
	if !ok {
		return []file{f}
	}
	return []file{{"darwin", f.scope, "{appsupport}" + rest}, {"windows", f.scope, "{appdata}" + rest}, {"linux", f.scope, "{config}" + rest}}
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
	if name == "base" {
		name = map[string]string{"darwin": "appsupport", "windows": "appdata"}[e.OS]
		if name == "" {
			name = "config"
		}
	}
	switch {
	case strings.HasPrefix(name, "$"):
		return get(name[1:])
	case name == "project":
		return e.Project
	case name == "appdata":
		return e.windowsDir(get("APPDATA"), `\AppData\Roaming`)
	case name == "localappdata":
		return e.windowsDir(get("LOCALAPPDATA"), `\AppData\Local`)
	case e.Home == "":
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
	}
	return ""
}

func (e Env) windowsDir(set, usual string) string {
	if set == "" && e.Home != "" {
		return e.Home + usual
	}
	return set
}

func (e Env) override(id string) string {
	p := e.Override[id]
	if rest, ok := strings.CutPrefix(p, "~/"); ok && e.Home != "" {
		p = e.Home + "/" + rest
	}
	if e.OS == "windows" {
		return strings.ReplaceAll(p, "/", `\`)
	}
	return p
}

// dir is path.Dir in the spelling of env's system.
func (e Env) dir(p string) string {
	if i := strings.LastIndexAny(p, `/\`); i > 0 && (e.OS == "windows" || p[i] == '/') {
		return p[:i]
	}
	return path.Dir(p)
}
