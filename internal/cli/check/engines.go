package check

import (
	"context"
	"fmt"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// engines looks for Docker and Podman, and asks each for the version of what does its work. Their own programs are
// asked, so that contexts and DOCKER_HOST hold.
func (o *doctorOptions) engines(ctx context.Context) []finding {
	who := o.needed()[model.RegistryTypeOCI]
	docker, podman := make(chan finding, 1), make(chan finding, 1)
	go func() { docker <- o.engine(ctx, "docker", "version", "--format", "{{.Server.Version}}") }()
	go func() { podman <- o.engine(ctx, "podman", "info", "--format", "{{.Version.Version}}") }()
	out := []finding{<-docker, <-podman}
	used := 0 // as mcpm run chooses: the configured one, else docker, else podman
	if s, err := o.Settings(); err == nil && (s.DockerRuntime == "podman" || s.DockerRuntime == "" && out[0].Status == absent && out[1].Status != absent) {
		used = 1
	}
	if len(who) > 0 && out[used].Status != fine {
		out[used].Status, out[used].Text = problem, out[used].Text+", and it starts "+app.AndList(who)
		out[used].Hint = app.First(out[used].Hint, "install Docker or Podman, and see that it runs")
	}
	return out
}

func (o *doctorOptions) engine(ctx context.Context, name string, args ...string) finding {
	path, err := o.LookPath(name)
	if err != nil {
		return finding{Name: name, Status: absent, Text: "not found"}
	}
	text, err := o.say(ctx, path, args...)
	version := versionRE.FindString(text)
	switch {
	case err != nil:
		return finding{Name: name, Status: notice, Text: fmt.Sprintf("its engine does not answer: %v", err), Hint: "start it, or see who may use it"}
	case version == "":
		return finding{Name: name, Status: notice, Text: fmt.Sprintf("says of its engine only %q", app.Short(text))}
	}
	return finding{Name: name, Status: fine, Text: version + ", its engine answers"}
}
