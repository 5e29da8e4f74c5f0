// Package playground lets somebody who looks at a server try one of its tools on the hub. A server that was published as a
// bundle is started in a sandbox that grants nothing: its own files to read, no network, no other program, little memory and
// time. A remote one is reached at its public address. Each call has a server of its own, which ends with it, and nothing of
// the hub is within its reach: no variable, no file, no address.
package playground

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Limits of a call.
const (
	CallTime     = 20 * time.Second // from its turn to the answer
	MaxArguments = 64 << 10         // bytes
	maxAnswer    = 4 << 20          // bytes of all that the server says
	waitTime     = 10 * time.Second // for a turn
)

// Config is what a Service is made from.
type Config struct {
	Blobs   hub.Blobs    // where bundles are kept
	HTTP    *http.Client // for remote servers; it has to refuse addresses that are not public
	Dir     string       // for bundles while they are tried; what is in it is removed
	Version string       // of the hub, told to servers
	AtOnce  int          // calls at once, others wait
}

// Service tries tools. Its methods may be called by many at once.
type Service struct {
	Config
	turns chan struct{}
}

// New makes a Service, and removes what an earlier one left in Config.Dir.
func New(c Config) (*Service, error) {
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(c.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	return &Service{Config: c, turns: make(chan struct{}, max(1, c.AtOnce))}, nil
}

// Way is how a version is tried.
type Way struct {
	Remote string // its address; "" for a bundle that is started on the hub
	spec   manifest.ServerSpec
}

// Host is where arguments are sent to; "" when they stay on the hub.
func (w Way) Host() string {
	u, err := url.Parse(w.Remote)
	if err != nil {
		return w.Remote
	}
	return u.Host
}

// WayOf says how a version can be tried. Invalid, with the reason, when it cannot.
func WayOf(m *manifest.Manifest, v *hub.Version) (Way, error) {
	var why error
	for _, local := range []bool{true, false} {
		for _, key := range entries(m) {
			spec := m.Servers[key]
			if local != (spec.Command != "" && spec.NeedsBundle() && v.Bundle != nil) {
				continue
			}
			way, err := wayOf(m, spec, local)
			if err == nil {
				return way, nil
			}
			why = err
		}
	}
	if why == nil {
		why = hub.Errorf(hub.Invalid, "it is neither published as a bundle nor reached at an address")
	}
	return Way{}, why
}

func entries(m *manifest.Manifest) []string {
	var out []string
	for key := range m.Servers {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func wayOf(m *manifest.Manifest, spec manifest.ServerSpec, local bool) (Way, error) {
	if !local && spec.URL == "" && spec.Remote == nil {
		return Way{}, hub.Errorf(hub.Invalid, "it is started from a package, which the hub does not fetch")
	}
	l, missing, err := manifest.Launch(m, spec, map[string]string{"bundle": "/", "workspace": "/", "HOME": "/"})
	if err != nil {
		return Way{}, err
	}
	if len(missing) > 0 {
		return Way{}, hub.Errorf(hub.Invalid, "it needs a value for %s, which nobody should give to a hub", missing[0].Name)
	}
	if local {
		if l.Transport != "" && l.Transport != "stdio" {
			return Way{}, hub.Errorf(hub.Invalid, "it listens on a port")
		}
		return Way{spec: spec}, nil
	}
	return Way{Remote: l.URL, spec: spec}, nil
}

// Tool returns what a version declares of a tool, false when it declares none.
func Tool(v *hub.Version, name string) (hub.Capability, bool) {
	for _, c := range v.Capabilities {
		if c.Type == hub.Tool && c.Name == name {
			return c, true
		}
	}
	return hub.Capability{}, false
}

// Call calls a tool of a version once. Invalid when it has no such tool, cannot be tried or the arguments are too long,
// RateLimited when too many others are at it, Unavailable when the server gives no answer.
func (s *Service) Call(ctx context.Context, m *manifest.Manifest, v *hub.Version, tool string, arguments json.RawMessage) (*Answer, error) {
	if _, ok := Tool(v, tool); !ok {
		return nil, hub.Errorf(hub.Invalid, "version %s declares no tool %q", v.Version, tool)
	}
	if len(arguments) > MaxArguments {
		return nil, hub.Errorf(hub.TooLarge, "the arguments have %d bytes, and %d are allowed", len(arguments), MaxArguments)
	}
	way, err := WayOf(m, v)
	if err != nil {
		return nil, err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, stop := context.WithTimeout(ctx, CallTime)
	defer stop()
	server, clean, err := s.prepare(ctx, way, m, v)
	if err != nil {
		return nil, err
	}
	defer clean()
	return s.ask(ctx, server, tool, arguments)
}

// enter waits for a turn.
func (s *Service) enter(ctx context.Context) (leave func(), err error) {
	late := time.NewTimer(waitTime)
	defer late.Stop()
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-late.C:
		return nil, hub.Errorf(hub.RateLimited, "too many others are trying tools").WithHint("try again in a minute")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask starts or reaches the server and calls the tool.
func (s *Service) ask(ctx context.Context, server *gateway.Server, tool string, arguments json.RawMessage) (*Answer, error) {
	said := new(tail)
	conn, err := gateway.Open(ctx, server, said, "mcphub/"+s.Version, s.HTTP)
	if err != nil && server.Sandbox != nil {
		return nil, hub.Errorf(hub.Unavailable, "the server cannot be started on this hub").WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	defer conn.Stop()
	begun := time.Now()
	client := mcp.NewClient(&mcp.Implementation{Name: "mcphub playground", Version: s.Version}, &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}})
	out := &bounded{ReadCloser: conn.Out}
	out.left.Store(maxAnswer)
	session, err := client.Connect(ctx, &mcp.IOTransport{Reader: out, Writer: conn.In, MaxLineLength: maxAnswer}, nil)
	if err != nil {
		return nil, noAnswer(ctx, out, err, said)
	}
	defer session.Close()
	if len(arguments) == 0 {
		arguments = json.RawMessage("{}")
	}
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return nil, noAnswer(ctx, out, err, said)
	}
	a := answerOf(res)
	a.Took = time.Since(begun)
	return a, nil
}

// noAnswer says why there is none, with the last that the server said.
func noAnswer(ctx context.Context, out *bounded, err error, said *tail) error {
	e := hub.Errorf(hub.Unavailable, "the server gave no answer: %v", err)
	switch {
	case out.over():
		e = hub.Errorf(hub.Unavailable, "the server said more than %d MiB", maxAnswer>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e = hub.Errorf(hub.Unavailable, "the server gave no answer within %s", CallTime)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if last := said.String(); last != "" {
		e = e.WithHint("it said: %s", last)
	}
	return e
}
