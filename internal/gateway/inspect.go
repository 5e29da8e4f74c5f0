package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
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
// prompts, and ends it. ctx bounds it all. Requests to a remote one are sent with h, nil for the usual client; an error of
// ours that it ends with, such as that nobody is signed in, is returned. Unavailable, with the last lines the server wrote to
// stderr, when it does not speak MCP or ends early.
func Inspect(ctx context.Context, s *Server, h *http.Client, client, version string) (*Report, error) {
	tail := &tailWriter{}
	var refused refusal
	begun := time.Now()
	conn, err := Open(ctx, s, tail, client+"/"+version, refused.of(h))
	if err != nil {
		return nil, err
	}
	defer conn.Stop()
	c := mcp.NewClient(&mcp.Implementation{Name: client, Version: version}, nil)
	session, err := c.Connect(ctx, &mcp.IOTransport{Reader: conn.Out, Writer: conn.In}, nil)
	if why := refused.why(); err != nil && why != nil {
		return nil, why
	}
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

// refusal remembers why a request was not made or not answered, when that is an error of ours: on its way through the
// protocol it becomes a text.
type refusal struct {
	next http.RoundTripper
	mu   sync.Mutex
	err  *hub.Error
}

// of returns a client that does as h does.
func (r *refusal) of(h *http.Client) *http.Client {
	if h == nil {
		return nil
	}
	c := *h
	r.next, c.Transport = h.Transport, r
	if r.next == nil {
		r.next = http.DefaultTransport
	}
	return &c
}

// RoundTrip implements [http.RoundTripper].
func (r *refusal) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if he := (*hub.Error)(nil); errors.As(err, &he) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = he
	}
	return resp, err
}

func (r *refusal) why() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		return nil
	}
	return r.err
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
		if s.Command == "" {
			e.Hint = "see that it runs, and that its URL is right"
		}
	}
	for _, line := range tail.last(3) {
		e.Issues = append(e.Issues, hub.Issue{Message: line})
	}
	if len(e.Issues) == 0 && ctx.Err() == nil {
		e.Issues = append(e.Issues, hub.Issue{Message: err.Error()})
	}
	return e
}
