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
	if len(who) > 0 && out[0].Status != fine { // servers in containers are started with docker
		out[0].Status, out[0].Text = problem, out[0].Text+", and it starts "+app.AndList(who)
		out[0].Hint = app.First(out[0].Hint, "install Docker, and see that it runs")
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
