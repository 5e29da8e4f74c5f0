// Package policy reads what .mcpmrc says under "guard": which tools may be called, what becomes of secrets, how large an
// answer may be and how long a call may take. A project's file comes with other people's code, so it only makes things
// stricter.
package policy

import (
	"strings"
	"time"
)

// Action is what becomes of a call. The larger one is the stricter.
type Action int

// The actions.
const (
	Allow Action = iota
	Ask          // the person at the client is asked each time
	Deny
)

// Secrets is what becomes of an argument with a secret in it. The larger one is the stricter.
type Secrets int

// What becomes of secrets.
const (
	Pass Secrets = iota
	Mask         // the server gets a placeholder
	Block
)

// What holds where nothing is said.
const (
	DefaultMaxResult = 16 << 20 // bytes
	DefaultTimeout   = 10 * time.Minute
)

// Policy is what holds for one server.
type Policy struct {
	Off       bool // the guard does not stand between
	Secrets   Secrets
	MaxResult int64         // bytes of one message from the server
	Timeout   time.Duration // of one call

	files []rules // the user's, then the project's: the strictest answer counts
}

// rules are those of one file: of the server by its name, else of all.
type rules struct{ named, all map[string]Action }

// Default is what holds where nothing is said.
func Default() *Policy {
	return &Policy{Secrets: Block, MaxResult: DefaultMaxResult, Timeout: DefaultTimeout}
}

// Tool says what becomes of a call of a tool, and by which rule; "" when none fits.
func (p *Policy) Tool(name string) (Action, string) {
	action, by := Allow, ""
	for _, r := range p.files {
		a, pattern, found := best(r.named, name)
		if !found {
			a, pattern, found = best(r.all, name)
		}
		if found && (a > action || by == "") {
			action, by = a, pattern
		}
	}
	return action, by
}

// best takes the rule that fits most exactly: the name itself, else the longest pattern, and of two equally long ones the
// stricter.
func best(list map[string]Action, name string) (action Action, by string, found bool) {
	if a, ok := list[name]; ok {
		return a, name, true
	}
	for pattern, a := range list {
		if !fits(pattern, name) {
			continue
		}
		if !found || len(pattern) > len(by) || len(pattern) == len(by) && (a > action || a == action && pattern < by) {
			action, by, found = a, pattern, true
		}
	}
	return action, by, found
}

// fits reports whether a name is what a pattern means, in which * stands for any characters, and for none.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}
