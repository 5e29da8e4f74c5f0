package edit

import (
	"encoding/json"

	"github.com/mcphub/mcphub/internal/hub"
)

// entriesOf returns the servers of a file that was read into values. A member of a list without a name
// cannot be spoken of and is left out.
func (s Spot) entriesOf(all map[string]any) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	add := func(name string, value any) error {
		b, err := json.Marshal(value)
		if err != nil {
			return hub.Errorf(hub.Invalid, "%q cannot be read: %v", name, err)
		}
		out[name] = b
		return nil
	}
	switch servers := all[s.Key].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if s.List {
			return nil, hub.Errorf(hub.Invalid, "%q is not a list", s.Key)
		}
		for name, v := range servers {
			if err := add(name, v); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		if !s.List {
			return nil, hub.Errorf(hub.Invalid, "%q is not a mapping", s.Key)
		}
		for _, v := range servers {
			m, _ := v.(map[string]any)
			name, ok := m["name"].(string)
			if !ok {
				continue
			}
			if _, twice := out[name]; twice {
				return nil, hub.Errorf(hub.Invalid, "%q has two servers called %q", s.Key, name).WithHint("give each its own name")
			}
			if err := add(name, v); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	what := "mapping"
	if s.List {
		what = "list"
	}
	return nil, hub.Errorf(hub.Invalid, "%q is not a %s", s.Key, what)
}
