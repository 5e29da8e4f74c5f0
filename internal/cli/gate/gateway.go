// Package gate is the verb that makes one MCP server of all that are installed.
package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/granted"

	"github.com/mcphub/mcphub/internal/gateway/aggregate"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type gatewayOptions struct {
	*app.App
	global    bool
	listen    string
	idle      time.Duration
	confined  granted.Flags
	allowHTTP bool
	shared    []string
	args      []string
}

// NewGateway makes mcpm gateway.
func NewGateway(a *app.App) *cobra.Command {
	o := &gatewayOptions{App: a}
	c := &cobra.Command{
		Use:   "gateway [NAME...]",
		Short: "Serve all installed servers as one MCP server",
		Long: "Gateway makes one MCP server of those of the project, or of the ones you name. Their tools and prompts are\n" +
			"called SERVER__NAME, and as they are when you name one server; resources keep their addresses. A server\n" +
			"starts when it is first needed, and ends when nobody used it for a while. What servers ask of the application\n" +
			"passes through, and so do progress, cancellation and logs; results stay as they are.\n\n" +
			"Without --listen it speaks on stdin and stdout, so that a host application can start it. With --listen it\n" +
			"speaks streamable HTTP at an address of this machine, with a token that it keeps under MCPM_HOME; each\n" +
			"client has servers of its own, but for those that --shared names: of these there is one for all, and it\n" +
			"cannot ask an application anything. Changes of mcp.json and mcpm-lock.json count at once.",
		Example: "  mcpm gateway\n  mcpm gateway -g --sandbox=container\n  mcpm gateway @acme/postgres tickets\n  mcpm gateway --listen 127.0.0.1:7117 --shared @acme/postgres",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			o.args = args
			return o.run(c.Context())
		},
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	c.Flags().StringVar(&o.listen, "listen", "", "speak HTTP at this `ADDR` of this machine, such as 127.0.0.1:7117")
	c.Flags().StringSliceVar(&o.shared, "shared", nil, "start one of the server `NAME` for all clients; all for every server")
	c.Flags().DurationVar(&o.idle, "idle", 10*time.Minute, "end a server that nobody used for so long; 0 for never")
	o.confined.SandboxFlag(c)
	c.Flags().BoolVar(&o.allowHTTP, "allow-http", false, "let remote servers be reached over plain http")
	return c
}

func (o *gatewayOptions) run(ctx context.Context) error {
	if o.idle < 0 {
		return app.Usage("--idle is %s; a time cannot be less than nothing", o.idle)
	}
	m, err := newMembers(ctx, o)
	if err != nil {
		return err
	}
	g := &aggregate.Gateway{Version: app.Version, Log: o.IO.Err, Idle: o.idle}
	g.SetMembers(m.now)
	watched, stop := context.WithCancel(ctx)
	defer stop()
	go m.follow(watched, g)
	if o.listen != "" {
		return o.serve(ctx, g, len(m.now))
	}
	o.IO.Debugf("mcpm: %s\n", app.Plural(len(m.now), "server"))
	return g.ServeLines(ctx, o.Files[0], o.Files[1])
}

// serve speaks HTTP until ctx ends.
func (o *gatewayOptions) serve(ctx context.Context, g *aggregate.Gateway, servers int) error {
	host, _, err := net.SplitHostPort(o.listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return app.Usage("--listen is %s, which is not an address of this machine with a port", app.Clean(o.listen)).WithHint("--listen 127.0.0.1:7117")
	}
	token, file, err := o.token()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return hub.Errorf(hub.Unavailable, "%s cannot be listened at: %v", o.listen, err).WithHint("another gateway may be there; choose another port")
	}
	h := aggregate.NewHandler(context.WithoutCancel(ctx), g, token)
	mux := http.NewServeMux()
	mux.Handle("/mcp", h)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	url := "http://" + l.Addr().String() + "/mcp"
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"url": url, "tokenFile": file, "servers": servers})
	} else {
		from := "in MCPM_GATEWAY_TOKEN"
		if file != "" {
			from = "in " + file
		}
		o.IO.Notef("Serving %s at %s\nThe token is %s; clients send it as \"Authorization: Bearer TOKEN\". Ctrl-C ends it.\n",
			app.Plural(servers, "server"), o.IO.Accent(url), from)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	h.Close()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	_ = srv.Shutdown(last) // what is still open then is cut
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
