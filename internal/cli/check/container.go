package check

import (
	"context"
	"fmt"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// container says which engine containers are started with, over its socket, and tries one. What was left of earlier ones
// is removed.
func (o *doctorOptions) container(ctx context.Context) finding {
	f := finding{Name: "container", Status: absent}
	runtime := ""
	if s, err := o.Settings(); err == nil {
		runtime = s.DockerRuntime
	}
	client, err := engine.Find(runtime, engine.Place{Getenv: o.Getenv, Home: o.Env.UserHome})
	if err != nil {
		f.Text = app.Clean(err.Error())
		return f
	}
	defer client.Close()
	f.Status = notice
	begun := time.Now()
	info, err := client.Info(ctx)
	if err != nil {
		f.Text, f.Hint = app.Clean(err.Error()), "start it, or see who may use it"
		return f
	}
	name := "docker"
	if info.Podman {
		name = "podman"
	}
	what := fmt.Sprintf("%s %s", name, app.Clean(info.ServerVersion))
	if info.Rootless {
		what += " (rootless)"
	}
	left, err := sandbox.Reap(ctx, client)
	if err == nil {
		err = sandbox.TryContainer(ctx, client, "version")
	}
	if err != nil {
		f.Text = what + " does not do for a sandbox: " + app.Clean(err.Error())
		return f
	}
	f.Status, f.Text = fine, fmt.Sprintf("%s, tried, and it works, in %d ms", what, time.Since(begun).Milliseconds())
	if left > 0 {
		f.Text += "; " + app.Plural(left, "container") + " left from before removed"
	}
	return f
}
