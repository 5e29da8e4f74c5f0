package manifest

import (
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Runner is what a command line of npx or uvx fetches and starts.
type Runner struct {
	Type     string   // model.RegistryTypeNPM or model.RegistryTypePyPI
	Name     string   // of the package
	Version  string   // as it is asked for: exact, a tag, or "" for the newest
	Extras   string   // of PyPI: "[cli]"
	With     []string // of PyPI: further requirements
	Python   string   // the interpreter asked for, such as "3.12"
	Registry string   // its address; "" for the one the user has configured
	Command  string   // the package's program; "" for the one npx or uvx would take
	Args     []string
}

var (
	runnerNPM  = lazyregexp.New(`^((?:@[^/@\s]+/)?[^/@\s]+)(?:@([\w.+-]+))?$`)
	runnerPyPI = lazyregexp.New(`^([A-Za-z0-9][\w.-]*)(\[[\w, .-]+\])?(?:(?:==|@)([\w.+!-]+))?$`)
)

// RunnerOf reads a command line. It reports false for one that is of no such runner, and Invalid, naming what it does not
// understand, for one that cannot be started without it.
func RunnerOf(command string, args []string) (Runner, bool, error) {
	switch command {
	case "npx", "bunx", "pnpx":
		r, err := npxRunner(args)
		return r, true, err
	case "uvx":
		r, err := uvxRunner(args)
		return r, true, err
	case "uv":
		if len(args) > 2 && args[0] == "tool" && args[1] == "run" {
			r, err := uvxRunner(args[2:])
			return r, true, err
		}
	}
	return Runner{}, false, nil
}

// RunnerIn returns the runner that an entry is started with, whatever values are still missing.
func RunnerIn(m *Manifest, spec ServerSpec) (Runner, bool, error) {
	l, _, err := Launch(m, spec, map[string]string{"workspace": ".", "HOME": ".", "bundle": "."})
	if err != nil {
		return Runner{}, false, err
	}
	return RunnerOf(l.Command, l.Args)
}

// options takes options off the front of args until the first word that is none; take says whether it knows one, and
// whether that has a value.
func options(runner string, args []string, take func(flag, value string) (known, valued bool)) ([]string, error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] == "--" {
			return args[1:], nil
		}
		flag, value, joined := strings.Cut(args[0], "=")
		next := ""
		if len(args) > 1 {
			next = args[1]
		}
		if !joined {
			value = next
		}
		known, valued := take(flag, value)
		if !known || valued && !joined && len(args) < 2 {
			return nil, hub.Errorf(hub.Invalid, "it is started by %s with the option %q, which cannot be kept when its packages are locked", runner, args[0])
		}
		args = args[1:]
		if valued && !joined {
			args = args[1:]
		}
	}
	if len(args) == 0 {
		return nil, hub.Errorf(hub.Invalid, "its command line names nothing for %s to start", runner)
	}
	return args, nil
}

func npxRunner(args []string) (Runner, error) {
	r := Runner{Type: model.RegistryTypeNPM}
	spec := ""
	rest, err := options("npx", args, func(flag, value string) (bool, bool) {
		switch flag {
		case "-y", "--yes", "-q", "--quiet":
			return true, false
		case "-p", "--package":
			first := spec == ""
			spec = value
			return first, true
		case "--registry":
			r.Registry = value
			return true, true
		}
		return false, false
	})
	if err != nil {
		return r, err
	}
	if spec == "" {
		spec = rest[0]
	} else {
		r.Command = rest[0]
	}
	parts := runnerNPM.FindStringSubmatch(spec)
	if parts == nil {
		return r, hub.Errorf(hub.Invalid, "%.120q is not a package of npm with a version", spec)
	}
	r.Name, r.Version, r.Args = parts[1], exactVersion(parts[2]), rest[1:]
	return r, nil
}

func uvxRunner(args []string) (Runner, error) {
	r := Runner{Type: model.RegistryTypePyPI}
	spec := ""
	rest, err := options("uvx", args, func(flag, value string) (bool, bool) {
		switch flag {
		case "-q", "--quiet", "--isolated", "--refresh":
			return true, false
		case "--from":
			spec = value
			return true, true
		case "--with":
			r.With = append(r.With, strings.Split(value, ",")...)
			return true, true
		case "-p", "--python":
			r.Python = value
			return true, true
		case "--default-index", "--index-url":
			r.Registry = value
			return true, true
		}
		return false, false
	})
	if err != nil {
		return r, err
	}
	if spec == "" {
		spec = rest[0]
	} else {
		r.Command = rest[0]
	}
	parts := runnerPyPI.FindStringSubmatch(spec)
	if parts == nil {
		return r, hub.Errorf(hub.Invalid, "%.120q is not a package of PyPI with a version", spec)
	}
	r.Name, r.Extras, r.Version, r.Args = parts[1], parts[2], exactVersion(parts[3]), rest[1:]
	return r, nil
}
