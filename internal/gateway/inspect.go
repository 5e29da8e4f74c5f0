package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Limits of Inspect: a server that lists more is cut off with an error.
const (
	maxListed     = 10_000
	maxStderrTail = 4 << 10
)

// Report is what a server says of itself.
type Report struct {
	Name         string           `json:"name"`
	Version      string           `json:"version"`
	Protocol     string           `json:"protocol"`
	Instructions string           `json:"instructions,omitempty"`
	Capabilities []hub.Capability `json:"capabilities"`
	Took         time.Duration    `json:"-"` // from start to the end of initialize
}

// Inspect starts or reaches a server, initialises it, lists its tools, resources (with templates) and
// prompts, and ends it. ctx bounds it all. Unavailable, with the last lines the server wrote to stderr, when
// it does not speak MCP or ends early.
func Inspect(ctx context.Context, s *Server, client, version string) (*Report, error) {
	tail := &tailWriter{}
	transport, stop, err := transportOf(s, tail)
	if err != nil {
		return nil, err
	}
	defer stop()
	begun := time.Now()
	c := mcp.NewClient(&mcp.Implementation{Name: client, Version: version}, nil)
	session, err := c.Connect(ctx, transport, nil)
	if err != nil {
		return nil, silentServer(ctx, s, err, tail)
	}
	defer session.Close()
	r := &Report{Took: time.Since(begun), Capabilities: []hub.Capability{}}
	init := session.InitializeResult()
	if init == nil {
		return nil, hub.Errorf(hub.Unavailable, "the server gave no answer to initialize")
	}
	r.Protocol, r.Instructions = init.ProtocolVersion, init.Instructions
	if init.ServerInfo != nil {
		r.Name, r.Version = init.ServerInfo.Name, init.ServerInfo.Version
	}
	if err := r.list(ctx, session, init.Capabilities); err != nil {
		return nil, silentServer(ctx, s, err, tail)
	}
	return r, nil
}

func (r *Report) list(ctx context.Context, s *mcp.ClientSession, has *mcp.ServerCapabilities) error {
	if has == nil {
		return nil
	}
	if has.Tools != nil {
		err := collect(r, s.Tools(ctx, nil), func(t *mcp.Tool) hub.Capability {
			schema, _ := json.Marshal(t.InputSchema) // it came as JSON
			return hub.Capability{Type: hub.Tool, Name: t.Name, Title: t.Title, Description: t.Description, Schema: schema}
		})
		if err != nil {
			return err
		}
	}
	if has.Resources != nil {
		err := collect(r, s.Resources(ctx, nil), func(x *mcp.Resource) hub.Capability {
			return hub.Capability{Type: hub.Resource, Name: x.Name, Title: x.Title, Description: x.Description, URI: x.URI}
		})
		if err != nil {
			return err
		}
		err = collect(r, s.ResourceTemplates(ctx, nil), func(x *mcp.ResourceTemplate) hub.Capability {
			return hub.Capability{Type: hub.Resource, Name: x.Name, Title: x.Title, Description: x.Description, URI: x.URITemplate}
		})
		if err != nil && !strings.Contains(err.Error(), "not found") { // an old server need not know templates
			return err
		}
	}
	if has.Prompts == nil {
		return nil
	}
	return collect(r, s.Prompts(ctx, nil), func(p *mcp.Prompt) hub.Capability {
		c := hub.Capability{Type: hub.Prompt, Name: p.Name, Title: p.Title, Description: p.Description}
		if len(p.Arguments) > 0 {
			c.Schema, _ = json.Marshal(p.Arguments) // plain strings and booleans
		}
		return c
	})
}

func collect[T any](r *Report, all iter.Seq2[*T, error], convert func(*T) hub.Capability) error {
	for item, err := range all {
		if err != nil {
			return err
		}
		if len(r.Capabilities) >= maxListed {
			return fmt.Errorf("it lists more than %d capabilities", maxListed)
		}
		r.Capabilities = append(r.Capabilities, convert(item))
	}
	return nil
}

// transportOf makes the SDK's transport; stop ends what it started.
func transportOf(s *Server, errw io.Writer) (mcp.Transport, func(), error) {
	if !s.Remote() && s.Sandbox != nil {
		return confinedTransport(s, errw)
	}
	if !s.Remote() {
		path, err := lookPath(s)
		if err != nil {
			return nil, nil, err
		}
		cmd := exec.Command(path, s.Args...)
		cmd.Env, cmd.Dir, cmd.Stderr = s.Env, s.Dir, errw
		stop := prepareGroup(cmd)
		return &mcp.CommandTransport{Command: cmd, TerminateDuration: 2 * time.Second}, stop, nil
	}
	if s.Command != "" {
		return nil, nil, hub.Errorf(hub.Invalid, "a server that is started here and listens at a URL cannot be asked yet").
			WithHint("start it by hand and describe its URL as a remote")
	}
	u, err := s.check()
	if err != nil {
		return nil, nil, err
	}
	h := &http.Client{Transport: headerTransport{s.Headers, u.Host}}
	if s.Transport == "sse" {
		return &mcp.SSEClientTransport{Endpoint: s.URL, HTTPClient: h}, func() {}, nil
	}
	return &mcp.StreamableClientTransport{Endpoint: s.URL, HTTPClient: h, DisableStandaloneSSE: true}, func() {}, nil
}

// headerTransport adds the server's headers to requests to its own host only.
type headerTransport struct {
	headers map[string]string
	host    string
}

func (t headerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == t.host {
		req = req.Clone(req.Context())
		for k, v := range t.headers {
			req.Header.Set(k, v)
		}
	}
	return http.DefaultTransport.RoundTrip(req)
}

// silentServer explains why there was no conversation.
func silentServer(ctx context.Context, s *Server, err error, tail *tailWriter) error {
	what := s.Command
	if s.Remote() {
		what = redact(s.URL)
	}
	e := hub.Errorf(hub.Unavailable, "%s does not answer as an MCP server", what).WithCause(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Message = what + " did not answer in time"
		e.Hint = "give it more time with --timeout"
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	default:
		e.Hint = "see what it says when you start it by hand"
	}
	for _, line := range tail.last(3) {
		e.Issues = append(e.Issues, hub.Issue{Message: line})
	}
	if len(e.Issues) == 0 && ctx.Err() == nil {
		e.Issues = append(e.Issues, hub.Issue{Message: err.Error()})
	}
	return e
}
