package install

import (
	"encoding/json"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts/edit"
	"github.com/mcphub/mcphub/internal/hub"
)

// OtherHosts stands in "hosts" of .mcpmrc for every host application that is not named there.
const OtherHosts = "*"

// mergeHosts reads "hosts" and "hostPaths". A project's file comes with other people's code: it may leave
// host applications out, never bring one in, and never say where a file is.
func (s *Settings) mergeHosts(key string, value any, file string, project bool) error {
	members, ok := value.(map[string]any)
	if !ok {
		return hub.Errorf(hub.Invalid, "%s: %q must be an object", file, key).WithHint(`write "hosts": {"cursor": false}, "hostPaths": {"cursor": "~/elsewhere/mcp.json"}`)
	}
	if key == "hostPaths" && project {
		return hub.Errorf(hub.Forbidden, "%s holds hostPaths; a project's file must not say where mcpm writes", file).
			WithHint("remove it there; mcpm hosts path HOST FILE keeps it in your own ~/%s", RCFile)
	}
	for host, v := range members {
		if key == "hosts" {
			on, ok := v.(bool)
			if !ok {
				return hub.Errorf(hub.Invalid, "%s: hosts.%s must be true or false", file, host)
			}
			into := &s.userHosts
			if project {
				into = &s.projectHosts
			}
			if *into == nil {
				*into = map[string]bool{}
			}
			(*into)[host] = on
			continue
		}
		p, ok := v.(string)
		if !ok || !filepath.IsAbs(p) && !strings.HasPrefix(p, "~/") {
			return hub.Errorf(hub.Invalid, "%s: hostPaths.%s must be an absolute path, or one that begins with ~/", file, host)
		}
		if s.HostPaths == nil {
			s.HostPaths = map[string]string{}
		}
		s.HostPaths[host] = p
	}
	return nil
}

// TakesHost reports whether a host application gets servers, as far as the user's own .mcpmrc says: those that
// are found do unless it leaves them out, and one that is not found when it is named. What a project's file
// leaves out is for its servers alone, see Registrar.
func (s *Settings) TakesHost(id string, found bool) bool {
	if on, named := s.userHosts[id]; named {
		return on
	}
	on, named := s.userHosts[OtherHosts]
	return found && (on || !named)
}

// leavesOut reports whether the "hosts" of a project's .mcpmrc leave a host application out.
func leavesOut(choice map[string]bool, id string) bool {
	on, named := choice[id]
	if !named {
		on, named = choice[OtherHosts]
	}
	return named && !on
}

// projectHosts reads the "hosts" of a project's .mcpmrc. The global project has none, and the file in the
// user's home directory is the user's own.
func projectHosts(p Project, userHome string) (map[string]bool, error) {
	file := filepath.Join(p.Dir, RCFile)
	if p.Global || userHome != "" && file == filepath.Join(userHome, RCFile) {
		return nil, nil
	}
	data, err := ReadFile(file, 1<<20)
	if err != nil || data == nil {
		return nil, err
	}
	s := newSettings()
	if err := s.merge(data, file, true); err != nil {
		return nil, err
	}
	return s.projectHosts, nil
}

// HostChoice says which file decided about a host application: "user" or "project", and what; "" when none names it.
func (s *Settings) HostChoice(id string) (from string, on bool) {
	if leavesOut(s.projectHosts, id) {
		return "project", false
	}
	if on, named := s.userHosts[id]; named {
		return "user", on
	}
	if on, named := s.userHosts[OtherHosts]; named && !on {
		return "user", false
	}
	return "", false
}

// NamedHosts returns what "hosts" names in the user's own .mcpmrc, or in the project's.
func (s *Settings) NamedHosts(project bool) []string {
	if project {
		return slices.Sorted(maps.Keys(s.projectHosts))
	}
	return slices.Sorted(maps.Keys(s.userHosts))
}

// EditRC sets a member of an object in a .mcpmrc, or with a nil value removes it. Comments and order stay. A
// new file gets perm.
func EditRC(file, key, member string, value any, perm fs.FileMode) error {
	text, err := ReadFile(file, 1<<20)
	if err != nil {
		return err
	}
	out, err := editRC(text, key, member, value)
	if err != nil {
		return inFile(file, err)
	}
	if string(out) == string(text) {
		return nil
	}
	return WriteFile(file, out, perm)
}

func editRC(text []byte, key, member string, value any) ([]byte, error) {
	spot := edit.Spot{Language: "json", Key: key}
	text, err := edit.Remove(text, spot, member, edit.Undo{KeyAdded: true}, value == nil)
	if err != nil || value == nil {
		return text, err
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	out, _, err := edit.Insert(text, spot, member, raw)
	return out, err
}
