package app

import (
	"context"
	"os/exec"
	"runtime"
	"time"

	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/resolve"
)

// protocols are the revisions of MCP that this version knows. Which of them is spoken is between the host
// application and the server.
const protocols = "2025-11-25 2025-06-18 2025-03-26 2024-11-05"

// engineTime is how long a program may take to say its version.
const engineTime = 2 * time.Second

var engineRE = lazyregexp.New(`\d+\.\d+\.\d+`)

// Environment is what the resolver is told of this machine. A program is asked for its version only when a
// version of a server needs it. Without hosts, what servers say of host applications is not checked.
func (a *App) Environment(ctx context.Context, hosts bool) (resolve.Environment, error) {
	env := resolve.Environment{
		Engines:  map[string]string{"mcp": protocols},
		Platform: goos + "/" + runtime.GOARCH,
		Find:     func(engine string) string { return a.engine(ctx, engine) },
	}
	if hosts {
		r, err := a.Registrar(true)
		if err != nil {
			return env, err
		}
		for _, h := range r.Taking() {
			env.Hosts = append(env.Hosts, h.ID)
		}
	}
	return env, nil
}

// engine returns the version of a program on this machine, "" when it is not there or does not say.
func (a *App) engine(ctx context.Context, name string) string {
	command := map[string]string{"node": "node", "python": "python3"}[name]
	if command == "" {
		return ""
	}
	if name == "python" && goos == "windows" {
		command = "python"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, ok := a.engines[name]
	if !ok {
		ctx, cancel := context.WithTimeout(ctx, engineTime)
		defer cancel()
		out, err := exec.CommandContext(ctx, command, "--version").Output()
		if err == nil {
			v = engineRE.FindString(string(out))
		}
		a.engines[name] = v
	}
	return v
}
