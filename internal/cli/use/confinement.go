package use

import (
	"sync"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/spf13/cobra"
)

// confinement are the flags that say what a server may do.
type confinement struct {
	cmd     *cobra.Command
	sandbox confine.Flag
	grants  confine.Grants
	learn   bool
	learnTo string // file, "" for stderr
}

func (f *confinement) flags(c *cobra.Command) {
	f.cmd = c
	c.Flags().Var(&f.sandbox, "sandbox", confine.Usage)
	c.Flags().Lookup("sandbox").NoOptDefVal = "true"
	c.Flags().StringArrayVar((*[]string)(&f.grants), "allow", nil, "grant more: `KIND=VALUE`, as mcpm help sandbox tells")
}

// learnFlags are those of verbs that run a server to its end.
func (f *confinement) learnFlags(c *cobra.Command) {
	c.Flags().BoolVar(&f.learn, "learn", false, "run it in a sandbox, and at its end propose the permissions for all it tried (Linux)")
	c.Flags().StringVar(&f.learnTo, "learn-to", "", "the same, and write it to `FILE` as JSON")
}

// wanted says how the server is to be confined: as the flag says, else the setting.
func (f *confinement) wanted(a *app.App) (confine.Flag, error) {
	s, err := a.Settings()
	if err != nil {
		return confine.Flag{}, err
	}
	f.learn = f.learn || f.learnTo != ""
	confined := confine.Flag{On: s.Sandbox || f.learn, Container: s.Contained}
	if f.cmd.Flags().Changed("sandbox") {
		confined = f.sandbox
	}
	if f.learn && !confined.On {
		return confined, app.Usage("--learn is for a server in a sandbox, and --sandbox=false has it run without").WithHint("leave out --sandbox=false")
	}
	if f.learn {
		if err := learnable(goos); err != nil {
			return confined, err
		}
	}
	if len(f.grants) > 0 && !confined.On {
		return confined, app.Usage("--allow is for a server in a sandbox").WithHint("add --sandbox")
	}
	return confined, nil
}

// maxDenials is how many refused hosts are told of, each once, so that a server cannot fill a log with them.
const maxDenials = 20

// denied tells of connections that were refused, each host once.
func (o *runOptions) denied(name hub.Name) func(egress.Denial) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(d egress.Denial) {
		mu.Lock()
		defer mu.Unlock()
		to := d.Host + ":" + d.Port
		if told[to] || len(told) >= maxDenials {
			return
		}
		told[to] = true
		o.IO.Warnf("%s wanted to reach %s: %s", name, app.Clean(to), d.Reason)
	}
}
