package policy

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/tailscale/hujson"
)

// all stands in "guard" for every server.
const all = "*"

// said is one entry of "guard".
type said struct {
	off       bool
	tools     map[string]Action
	secrets   *Secrets
	maxResult int64
	timeout   time.Duration
}

var (
	actions = map[string]Action{"allow": Allow, "ask": Ask, "deny": Deny}
	secrets = map[string]Secrets{"pass": Pass, "mask": Mask, "block": Block}
)

// Load merges what the user's ~/.mcpmrc says of a server, and what that of its workspace and of the project do. names are
// what the server is called here and at the hub. MCPM_GUARD=0 leaves the guard out.
func Load(userHome string, project install.Project, names []hub.Name, getenv func(string) string) (*Policy, error) {
	p := Default()
	switch v := getenv("MCPM_GUARD"); v {
	case "", "1", "true":
	case "0", "false":
		p.Off = true
		return p, nil
	default:
		return nil, hub.Errorf(hub.Invalid, "MCPM_GUARD is %q, which is none of 1, true, 0, false", v)
	}
	user := ""
	if userHome != "" {
		user = filepath.Join(userHome, install.RCFile)
		if err := p.merge(user, names, false); err != nil {
			return nil, err
		}
	}
	if project.Global {
		return p, nil
	}
	seen := []string{user}
	for _, dir := range []string{project.Root, project.Dir} {
		file := filepath.Join(dir, install.RCFile)
		if dir == "" || slices.Contains(seen, file) {
			continue
		}
		seen = append(seen, file)
		if err := p.merge(file, names, true); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Policy) merge(file string, names []hub.Name, project bool) error {
	data, err := install.ReadFile(file, 1<<20)
	if err != nil || data == nil {
		return err
	}
	std, err := hujson.Standardize(data)
	if err != nil {
		return hub.Errorf(hub.Invalid, "%s is not JSON: %s", file, strings.TrimPrefix(err.Error(), "hujson: "))
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(std, &top); err != nil {
		return hub.Errorf(hub.Invalid, "%s must hold one JSON object", file)
	}
	raw, ok := top["guard"]
	if !ok {
		return nil
	}
	var entries map[string]json.RawMessage
	if string(raw) == "false" {
		entries = map[string]json.RawMessage{all: raw}
	} else if err := json.Unmarshal(raw, &entries); err != nil || entries == nil {
		return hub.Errorf(hub.Invalid, "%s: \"guard\" must be an object, or false", file).WithHint(`write "guard": {"@acme/db": {"tools": {"drop_*": "deny"}}}`)
	}
	var named, others *said
	for key, raw := range entries {
		s, err := read(raw)
		if err != nil {
			return hub.Errorf(hub.Invalid, "%s: guard.%s: %s", file, key, err.Error())
		}
		if project && s.off {
			return hub.Errorf(hub.Forbidden, "%s switches the guard off; a repository must not", file).
				WithHint("remove it there, and write it into your own ~/%s", install.RCFile)
		}
		if key == all {
			others = s
			continue
		}
		n, err := hub.ParseLocalName(key)
		if err != nil {
			return hub.Errorf(hub.Invalid, "%s: guard: %s", file, err.Error())
		}
		if slices.Contains(names, n) {
			named = s
		}
	}
	p.take(named, others, project)
	return nil
}

// take lays one file over p: the user's replaces the default, a project's only makes it stricter.
func (p *Policy) take(named, others *said, project bool) {
	var r rules
	for _, s := range []*said{others, named} { // what is said of the server by its name comes last, and counts
		if s == nil {
			continue
		}
		if !project {
			p.Off = s.off
		}
		if s == named {
			r.named = s.tools
		} else {
			r.all = s.tools
		}
		if s.secrets != nil && (!project || *s.secrets > p.Secrets) {
			p.Secrets = *s.secrets
		}
		if s.maxResult > 0 && (!project || s.maxResult < p.MaxResult) {
			p.MaxResult = s.maxResult
		}
		if s.timeout > 0 && (!project || s.timeout < p.Timeout) {
			p.Timeout = s.timeout
		}
	}
	p.files = append(p.files, r)
}

const (
	leastResult, mostResult = 1 << 10, 64 << 20
	mostTimeout             = 24 * time.Hour
)

// read reads one entry. What it does not know is refused: a rule with a wrong letter must not be one that does not count.
func read(raw json.RawMessage) (*said, error) {
	if string(raw) == "false" {
		return &said{off: true}, nil
	}
	var e struct {
		Tools     map[string]string `json:"tools"`
		Secrets   string            `json:"secrets"`
		MaxResult string            `json:"maxResult"`
		Timeout   string            `json:"timeout"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s; it has tools, secrets, maxResult and timeout, or is false", strings.TrimPrefix(err.Error(), "json: "))
	}
	s := &said{tools: map[string]Action{}}
	for pattern, word := range e.Tools {
		a, ok := actions[word]
		if !ok {
			return nil, hub.Errorf(hub.Invalid, "tools.%s is %q, which is none of allow, ask, deny", pattern, word)
		}
		s.tools[pattern] = a
	}
	if e.Secrets != "" {
		v, ok := secrets[e.Secrets]
		if !ok {
			return nil, hub.Errorf(hub.Invalid, "secrets is %q, which is none of block, mask, pass", e.Secrets)
		}
		s.secrets = &v
	}
	if e.MaxResult != "" {
		n, err := size(e.MaxResult)
		if err != nil || n < leastResult || n > mostResult {
			return nil, hub.Errorf(hub.Invalid, "maxResult is %q; write bytes between 1Ki and 64Mi, such as 4Mi", e.MaxResult)
		}
		s.maxResult = n
	}
	if e.Timeout != "" {
		t, err := time.ParseDuration(e.Timeout)
		if err != nil || t <= 0 || t > mostTimeout {
			return nil, hub.Errorf(hub.Invalid, "timeout is %q; write a time up to 24h, such as 90s", e.Timeout)
		}
		s.timeout = t
	}
	return s, nil
}

// size reads bytes as people write them: 500000, 512Ki, 4Mi.
func size(text string) (int64, error) {
	factor := int64(1)
	for unit, f := range map[string]int64{"Ki": 1 << 10, "Mi": 1 << 20} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			text, factor = number, f
		}
	}
	n, err := strconv.ParseInt(text, 10, 32)
	return n * factor, err
}
