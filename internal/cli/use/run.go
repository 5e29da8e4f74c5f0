package use

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/granted"
	"github.com/mcphub/mcphub/internal/cli/guarded"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/signin"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/spf13/cobra"
)

type runOptions struct {
	*app.App
	members   members.Picked
	global    bool
	entry     string
	allowHTTP bool
	confined  granted.Flags
	name      string
	extra     []string
}

func NewRun(a *app.App) *cobra.Command {
	o := &runOptions{App: a}
	c := &cobra.Command{
		Use:   "run NAME [-- ARGS...]",
		Short: "Run an installed server on stdin and stdout",
		Long: "Run starts the locked version of a server; a remote server looks like a local one. Host applications call\n" +
			"this; it never asks and never writes to stdout itself. The exit code is the server's.\n\n" +
			"The guard stands between (mcpm help guard): tools that changed are kept back until you accept them, and\n" +
			"secrets are kept in. All other bytes pass as they are.",
		Example: "  mcpm run @acme/postgres\n  mcpm run @acme/postgres -- --read-only\n  mcpm run -g @acme/tickets\n" +
			"  mcpm run @acme/tickets --allow net=api.acme.example:443\n  mcpm run @acme/tickets --learn",
		Args: func(c *cobra.Command, list []string) error {
			n := len(list)
			if dash := c.ArgsLenAtDash(); dash >= 0 {
				n = dash
			}
			switch {
			case n == 0:
				return app.Usage("mcpm run needs the name of a server").WithHint("mcpm list shows what is installed")
			case n > 1:
				return app.Usage("mcpm run takes one name; put arguments for the server after --").WithHint("mcpm run %s -- %s", list[0], list[1])
			}
			return nil
		},
		RunE: func(c *cobra.Command, list []string) error {
			o.name, o.extra = list[0], list[1:]
			return o.run(c.Context())
		},
	}
	o.members.OneFlag(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "the one installed for all projects")
	c.Flags().StringVar(&o.entry, "entry", "", "the `KEY` of servers in its mcp.json, when it has several")
	c.Flags().BoolVar(&o.allowHTTP, "allow-http", false, "let a remote server be reached over plain http")
	o.confined.SandboxFlag(c)
	o.confined.AllowFlag(c)
	o.confined.LearnFlags(c)
	return c
}

func (o *runOptions) run(ctx context.Context) error {
	if o.global && o.members.Any() {
		return app.Usage("-w and --filter choose a member of a workspace, and -g means none").WithHint("give one or the other")
	}
	if err := o.members.Enter(o.App); err != nil {
		return err
	}
	r, err := typed.Installed(o.App, o.name, o.global)
	if err != nil {
		return err
	}
	if r.Given {
		return app.Usage("run starts the locked version; %s names one", o.name).WithHint("mcpm install %s@%s, then mcpm run %s", r.Name, r.Rng, r.Name)
	}
	in, err := o.Find(r.Name, o.global)
	if err != nil {
		return err
	}
	confined, err := o.confined.For(o.App, in)
	if err != nil {
		return err
	}
	l, err := o.Launch(in.Project, in.Name, in.Manifest, app.LaunchOptions{
		Bundle: in.Bundle, Locked: in.Locked, Entry: o.entry, Args: o.extra, AllowHTTP: o.allowHTTP, Context: ctx, Confined: confined.On, Contained: confined.Container, Grants: confined.Grants,
	})
	if err != nil {
		return in.Wrap(err)
	}
	if len(l.Missing) > 0 {
		return in.Needs(l.Missing, l.Spec)
	}
	learning, err := o.learn(in, l.Server)
	if err != nil {
		return err
	}
	g, err := guarded.New(o.App).For(in, l.Key, l.Spec, l.Secrets)
	if err != nil {
		return err
	}
	files := o.Files
	if g != nil {
		var finish func()
		if files, finish, err = g.Files(o.Files); err != nil {
			return err
		}
		defer finish()
	}
	if l.Server.Remote() && l.Server.Command == "" {
		if len(o.extra) > 0 {
			return app.Usage("%s is a remote server; it takes no arguments", in.Name)
		}
		return o.bridge(ctx, in, l.Server, files)
	}
	o.tell(in, l.Server, learning != nil)
	if l.Server.Remote() {
		return o.startAndBridge(ctx, l.Server, files)
	}
	// The server's own signals are passed on by Local; ctx, which the same signals end, is not for it.
	code, err := gateway.Local(context.WithoutCancel(ctx), l.Server, files[0], files[1], files[2])
	if err == nil && code != 0 {
		err = app.Silent(code)
		if l.Server.Sandbox != nil && learning == nil && code < 128 {
			confined.Ended(o.App, in)
		}
	}
	if learning == nil {
		return err
	}
	if lerr := learning.end(); lerr != nil && err == nil {
		err = lerr
	}
	return err
}

// tell says with which rights a server runs, as far as that is not the rule.
func (o *runOptions) tell(in *app.Installed, s *gateway.Server, learning bool) {
	switch {
	case s.Sandbox != nil && s.Sandbox.Container != nil && s.Sandbox.Container.Open:
		o.IO.Notef("mcpm: %s %s runs in a container, unsandboxed, with what its command gives it\n", in.Name, in.Version())
	case s.Sandbox != nil:
		if !learning {
			granted.Watch(o.App, in, s)
		}
		o.IO.Debugf("mcpm: %s %s runs in a sandbox\n", in.Name, in.Version())
	default:
		o.IO.Notef("mcpm: %s %s runs unsandboxed, with your rights\n", in.Name, in.Version())
	}
}

// bridge runs a remote server.
func (o *runOptions) bridge(ctx context.Context, in *app.Installed, s *gateway.Server, files [3]*os.File) error {
	b := o.newBridge(s, files)
	b.HTTP = signin.Client(o.App, in.Project, in.Name, s)
	return o.untilSignal(ctx, b.Run)
}

// startAndBridge runs a local server that speaks HTTP.
func (o *runOptions) startAndBridge(ctx context.Context, s *gateway.Server, files [3]*os.File) error {
	return o.untilSignal(ctx, func(ctx context.Context) error {
		code, err := gateway.StartAndBridge(ctx, o.newBridge(s, files), files[2])
		if err == nil && code != 0 {
			err = app.Silent(code)
		}
		return err
	})
}

func (o *runOptions) newBridge(s *gateway.Server, files [3]*os.File) *gateway.Bridge {
	return &gateway.Bridge{
		Server: s, In: files[0], Out: files[1], Log: o.IO.Err, UserAgent: "mcpm/" + app.Version, HTTP: o.HTTP,
	}
}

// untilSignal runs fn and ends it at the first signal; the exit code is then 128 plus its number.
func (o *runOptions) untilSignal(ctx context.Context, fn func(context.Context) error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	go func() {
		select {
		case sig := <-signals:
			code := app.ExitInterrupt
			if n, ok := sig.(syscall.Signal); ok {
				code = 128 + int(n)
			}
			cancel(app.Silent(code))
		case <-ctx.Done():
		}
	}()
	err := fn(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
