package aggregate

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
)

// Member is a server that the gateway can start.
type Member struct {
	Name   string // as it is installed
	Prefix string // in front of its tools and prompts, unique among the members; "" for the only one there is
	Stamp  string // changes when it has to be started anew

	// Open starts or reaches the server. It ends with ctx.
	Open func(ctx context.Context) (*gateway.Conn, error)
}

// Gateway is the one server. Members may change while it runs.
type Gateway struct {
	Version string
	Log     io.Writer     // one line for each thing a person should know; nil for nothing
	Idle    time.Duration // a server is ended when nobody used it for so long; 0 for never

	mu       sync.Mutex
	members  []Member
	sessions map[*session]bool
}

// SetMembers says which servers there are, in their order. Those that are not the same any more are ended in every session,
// and clients are told that the lists changed.
func (g *Gateway) SetMembers(members []Member) {
	g.mu.Lock()
	g.members = members
	var sessions []*session
	for s := range g.sessions {
		sessions = append(sessions, s)
	}
	g.mu.Unlock()
	for _, s := range sessions {
		s.reload(members)
	}
}

// open begins a session of a client; write passes it messages and must not wait for it.
func (g *Gateway) open(ctx context.Context, write func(out)) *session {
	ctx, cancel := context.WithCancel(ctx)
	s := &session{
		g: g, ctx: ctx, cancel: cancel, write: write,
		backends: map[string]*backend{}, calls: map[string]*underway{}, asked: map[string]*question{},
	}
	g.mu.Lock()
	if g.sessions == nil {
		g.sessions = map[*session]bool{}
	}
	g.sessions[s] = true
	members := g.members
	g.mu.Unlock()
	s.reload(members)
	if g.Idle > 0 {
		go s.rest(g.Idle)
	}
	return s
}

func (g *Gateway) forget(s *session) {
	g.mu.Lock()
	delete(g.sessions, s)
	g.mu.Unlock()
}

func (g *Gateway) say(format string, args ...any) {
	if g.Log != nil {
		fmt.Fprintf(g.Log, "mcpm: "+format+"\n", args...)
	}
}
