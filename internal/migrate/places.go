package migrate

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
)

// Place is where another tool keeps its list. Pattern, when set, matches the files in the directory Path.
type Place struct {
	Tool    string // what people call it
	Format  Format // "" for a file that cannot be read; Why says what to do
	Path    string
	Pattern string
	Why     string
}

// Places lists where the other tools keep what they know on the machine of env.
func Places(env hosts.Env) []Place {
	get := env.Getenv
	if get == nil {
		get = func(string) string { return "" }
	}
	if env.Home == "" {
		return nil
	}
	config := env.Home + "/.config/mcpm/"
	docker := env.Home + "/.docker/mcp/"
	state := env.Home + "/.local/state"
	switch env.OS {
	case "darwin":
		state = env.Home + "/Library/Application Support"
	case "windows":
		state = get("LOCALAPPDATA")
		if state == "" {
			state = env.Home + "/AppData/Local"
		}
	}
	if x := get("XDG_STATE_HOME"); path.IsAbs(x) {
		state = x
	}
	all := []Place{
		{Tool: "mcpm.sh", Format: MCPMServers, Path: config + "servers.json"},
		{Tool: "mcpm.sh", Format: MCPMProfiles, Path: config + "profiles.json"},
		{Tool: "Docker", Format: DockerRegistry, Path: docker + "registry.yaml"},
		{Tool: "Docker", Path: docker + "mcp-toolkit.db", Why: "Docker keeps its profiles in a database: docker mcp profile export PROFILE FILE.yaml, then mcpm migrate --from FILE.yaml"},
		{Tool: "ToolHive", Format: ToolHive, Path: state + "/toolhive/runconfigs", Pattern: "*.json"},
	}
	if env.Project != "" {
		all = append(all, Place{Tool: "getmcpm", Format: Getmcpm, Path: env.Project + "/mcpm.yaml"})
	}
	if env.OS == "windows" {
		for i := range all {
			all[i].Path = strings.ReplaceAll(all[i].Path, "/", `\`)
		}
	}
	return all
}

// Detect says what a file that a person named is: by its content, not by its name. "" when it is none of these.
func Detect(text []byte) Format {
	raw, err := asJSON(text)
	if err != nil {
		return ""
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(raw, &top) != nil {
		return ""
	}
	starts := func(key, with string) bool { return strings.HasPrefix(string(top[key]), with) }
	switch {
	case top["schema_version"] != nil && (top["image"] != nil || top["remote_url"] != nil):
		return ToolHive
	case starts("registry", "{"):
		return DockerRegistry
	case starts("servers", "["):
		return DockerProfile
	case starts("servers", "{") && starts("version", `"1"`):
		return Getmcpm
	}
	for _, v := range top {
		var one struct {
			Command, URL string
		}
		switch {
		case strings.HasPrefix(string(v), "["):
			var list []mcpmEntry
			if json.Unmarshal(v, &list) == nil && len(list) > 0 && list[0].Name != "" {
				return MCPMProfiles
			}
		case json.Unmarshal(v, &one) == nil && one.Command+one.URL != "":
			return MCPMServers
		}
	}
	return ""
}
