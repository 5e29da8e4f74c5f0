package learn

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
)

// Report tells a person what was learned, on stderr: stdout is the server's.
func (l *Learned) Report(io *term.IO) {
	fmt.Fprintf(io.Err, "\nmcpm: for all that %s tried in this run it needs\n\n", io.Accent(term.Clean(strings.TrimSpace(l.Name+" "+l.Version))))
	fmt.Fprintf(io.Err, "%s\n\n", l.block())
	label := func(name, format string, args ...any) {
		fmt.Fprintf(io.Err, "  %s%s\n", io.Dim(fmt.Sprintf("%-10s", name)), io.Wrap(term.Clean(fmt.Sprintf(format, args...)), 12))
	}
	for _, h := range l.Hosts {
		if h.Direct && slices.ContainsFunc(l.Hosts, func(o Host) bool { return !o.Direct && o.rule() == h.rule() }) {
			continue // what became of it is told there
		}
		label("network", "%s: %s", h.rule(), h.say())
	}
	for _, f := range l.Files {
		label(f.Access, "%s", f.Path)
	}
	for _, p := range l.Programs {
		label("starts", "%s", p)
	}
	for _, w := range l.Wide {
		label("too wide", "%s; name the directory in it that is needed", w)
	}
	for _, w := range l.Lost {
		label("gone", "%s, which it wrote into its empty home", w)
	}
	for _, u := range l.Unused {
		label("not tried", "%s, which its mcp.json asks for", u)
	}
	for _, s := range l.Secrets {
		io.Warnf("it wanted to look at %s, where keys are kept: that is never granted", term.Clean(s))
	}
	if l.Container {
		io.Warnf("it runs in a container: only the hosts it tried are looked at, not files and programs")
	}
	if l.CutOff {
		io.Warnf("it tried more than mcpm keeps; this is not all")
	}
	fmt.Fprintf(io.Err, "\n%s\n", io.Wrap("It knows what was tried and nothing else: use all of the server, and look at each line before you put it into an mcp.json.", 0))
	if allow := l.allow(); allow != "" {
		fmt.Fprintf(io.Err, "Allow it: mcpm allow %s%s\n", term.Clean(l.Name), allow)
	}
}

// block is the part of an mcp.json.
func (l *Learned) block() string {
	data, err := json.MarshalIndent(map[string]any{"permissions": l.Permissions}, "", "  ")
	if err != nil {
		return err.Error() // texts and numbers: it cannot happen
	}
	return string(data)
}

func (h Host) say() string {
	switch {
	case h.Passed:
		return "passed"
	case h.Direct && h.never():
		return "not reached, as inside there is only the server itself; net=localhost:" + h.Port + " grants what listens there on this machine"
	case h.Direct:
		return "refused: " + egress.NoRule
	}
	return "refused: " + h.Reason
}

// plain are words that a shell takes as they are.
var plain = lazyregexp.New(`^~?[A-Za-z0-9@%+=:,./_*\[\]-]+$`)

// allow are the grants that do the same.
func (l *Learned) allow() string {
	var flags []string
	add := func(kind, value string) {
		word := kind + "=" + value
		if strings.ContainsAny(value, "*[]") || !plain.MatchString(value) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		flags = append(flags, " "+word)
	}
	if l.Permissions.Network != nil {
		for _, rule := range l.Permissions.Network.Outbound {
			add("net", rule)
		}
	}
	for _, f := range l.Permissions.Filesystem {
		path := f.Path
		for name, short := range map[string]string{"${workspace}": ".", "${HOME}": "~"} {
			if rest, ok := strings.CutPrefix(path, name); ok {
				path = short + rest
			}
		}
		add(f.Access, path)
	}
	if l.Permissions.Subprocess {
		flags = append(flags, " subprocess")
	}
	return strings.Join(flags, "")
}
