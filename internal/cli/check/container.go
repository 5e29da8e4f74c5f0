package check

import (
	"context"
	"fmt"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// runtimeImages says of each image that servers run on in containers whether it is chosen, and here.
func (o *doctorOptions) runtimeImages(ctx context.Context, s *install.Settings) []finding {
	client, err := engine.Find(s.DockerRuntime, engine.Place{Getenv: o.Getenv, Home: o.Env.UserHome})
	if err != nil {
		return nil // that is told already
	}
	defer client.Close()
	var out []finding
	for _, name := range []string{"node", "python"} {
		key, ref := "runtimeImage."+name, s.RuntimeImages[name]
		f := finding{Name: name + " image", Status: absent, Text: "not chosen: servers of " + name + " are not started", Hint: `"` + key + `": "NAME@sha256:DIGEST" in ~/.mcpmrc; docker image ls --digests shows those that are here`}
		if ref != "" {
			f.Status, f.Text, f.Hint = fine, app.Clean(ref), ""
			if _, err := client.Image(ctx, ref); err != nil {
				f.Status, f.Text, f.Hint = notice, app.Clean(ref)+" is not here: "+app.Clean(err.Error()), "it is fetched when a server first needs it, if its registry has it"
			}
		}
		out = append(out, f)
	}
	return out
}

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
		f.Text = "--sandbox=container talks to an engine over its socket: " + app.Clean(err.Error())
		if _, err := o.LookPath("podman"); err == nil {
			f.Hint = "podman listens after systemctl --user start podman.socket, or podman system service"
		}
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
