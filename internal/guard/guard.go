// Package guard stands between a client and an MCP server and decides what passes: tools that are defined as they were when
// they were accepted, calls that the rules allow, arguments without secrets, results without those that mcpm gave to a
// server, and nothing too large or too late. What it does not have to change passes as the bytes that came.
//
// It works on lines of JSON-RPC, for one server and one session of a client.
package guard

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/mcphub/mcphub/internal/guard/pins"
	"github.com/mcphub/mcphub/internal/guard/policy"
)

// Config is what a guard knows of its server.
type Config struct {
	Server, Version string
	Policy          *policy.Policy
	Pins            *pins.Store // nil for a working copy, whose tools change as its author likes
	Vault           *Vault      // has the secrets of the server
	Log             *audit.Log
	FindSecret      func(text string) string // the first token of a known form, "" for none; nil looks for none
	Accept          string                   // the command that accepts a tool, without its name

	// Tell tells a person what only a person can mend, once. Print takes lines of the server that are not messages.
	Tell  func(format string, args ...any)
	Print io.Writer
}

// Guard is one session with one server.
type Guard struct {
	Config
	// Of the ids of its own requests. The server is never shown the one that the client is: it could answer for the person.
	toServer, toClient string

	server, client sink

	mu        sync.Mutex
	pending   map[string]*request       // of the client, by idKey
	own       map[string]chan *envelope // requests of its own that have no answer yet, by id
	next      int
	questions map[string]question        // by what the client comes back with
	asks      bool                       // the client can ask its person
	intro     map[string]json.RawMessage // what the client says of itself with each request, nil for one that said it once
	changes   int                        // of the tools, as the server told
	settled   bool                       // a tool that is new is not trusted
	known     bool                       // the server's tools were listed, and are not said to be others since
	blocked   map[string]string          // why tools that the server lists are not to be used
	there     map[string]bool            // tools that were listed
	told      map[string]bool
	watching  bool
	listedAt  time.Time
	storms    map[string]*storm // by the method

	listing sync.Mutex // held while its own listing is under way
	done    chan struct{}
	end     sync.Once
}

// request is one of the client that has no answer yet.
type request struct {
	id     json.RawMessage
	method string
	tool   string
	begun  time.Time
	size   int
	masked string      // what was taken out of its arguments
	whole  bool        // of tools/list: it asks for the first page
	before int         // changes that the server told before
	timer  *time.Timer // of a call
	cancel func()      // ends what is done for it
}

// maxPending bounds how many requests of a client wait at once.
const maxPending = 10_000

// New makes a guard. Its streams are begun with Up and Down, or with Wrap.
func New(c Config) *Guard {
	if c.Policy == nil {
		c.Policy = policy.Default()
	}
	if c.Vault == nil {
		c.Vault = &Vault{}
	}
	if c.Tell == nil {
		c.Tell = func(string, ...any) {}
	}
	if c.Print == nil {
		c.Print = io.Discard
	}
	return &Guard{
		Config: c, toServer: "mcpm-guard-" + rand.Text() + "-", toClient: "mcpm-guard-" + rand.Text() + "-", done: make(chan struct{}),
		questions: map[string]question{}, pending: map[string]*request{}, own: map[string]chan *envelope{}, blocked: map[string]string{}, there: map[string]bool{}, told: map[string]bool{}, storms: map[string]*storm{},
	}
}

// sink is one side that lines are written to.
type sink struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sink) set(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w = w
}

// errGone says that a side is not there, or not any more.
var errGone = errors.New("it is gone")

// line writes one line in one step. line must have room for its end.
func (s *sink) line(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return errGone
	}
	_, err := s.w.Write(append(line, '\n'))
	return err
}

// Close ends what waits. Up and Down end with their streams.
func (g *Guard) Close() {
	g.end.Do(func() {
		close(g.done)
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, r := range g.pending {
			r.cancel()
			if r.timer != nil {
				r.timer.Stop()
			}
		}
	})
}

// note writes to the log.
func (g *Guard) note(e audit.Entry) {
	e.Time, e.Server, e.Version = time.Now(), g.Server, g.Version
	if err := g.Log.Write(e); err != nil {
		g.once("the log of %s cannot be written: %v", g.Server, err)
	}
}

// once tells a person the same thing once, and at most maxTold things.
func (g *Guard) once(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	g.mu.Lock()
	tell := !g.told[text] && len(g.told) < maxTold
	if tell {
		g.told[text] = true
	}
	g.mu.Unlock()
	if tell {
		g.Tell("%s", text)
	}
}

const maxTold = 50

// settle takes a request from those that wait; nil when it does not wait any more.
func (g *Guard) settle(id []byte) *request {
	key := idKey(id)
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.pending[key]
	delete(g.pending, key)
	if r == nil {
		return nil
	}
	r.cancel()
	if r.timer != nil {
		r.timer.Stop()
	}
	return r
}

// waits reports whether a request has no answer yet.
func (g *Guard) waits(r *request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pending[idKey(r.id)] == r
}

// refuse answers a request of the client in the place of the server. reason goes to the log, hint says what to do.
func (g *Guard) refuse(r *request, out int, reason, hint string) {
	if g.settle(r.id) == nil {
		return
	}
	g.note(audit.Entry{Tool: r.tool, Decision: audit.Denied, Reason: reason, Direction: direction(r.method), BytesIn: r.size, BytesOut: out, Millis: since(r.begun)})
	text := "mcpm: " + reason
	if r.tool != "" {
		text = fmt.Sprintf("mcpm: the tool %s of %s was not called: %s", visible(r.tool), g.Server, reason)
		if out > 0 {
			text = fmt.Sprintf("mcpm: the answer of the tool %s of %s was kept back: %s", visible(r.tool), g.Server, reason)
		}
	}
	if hint != "" {
		text += ". " + hint
	}
	_ = g.client.line(errorLine(r.id, text)) // a client that is gone needs no answer
}

func direction(method string) string {
	if method == "tools/list" {
		return "list"
	}
	return "call"
}

func since(t time.Time) float64 { return float64(time.Since(t).Microseconds()) / 1000 }

// errorLine is the answer to a request that was refused.
func errorLine(id json.RawMessage, text string) []byte {
	line, _ := json.Marshal(map[string]any{ // an id that was read before, and a text
		"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": -32000, "message": text},
	})
	return line
}

// call asks one side with an id of its prefix, and waits for the answer.
func (g *Guard) call(ctx context.Context, to *sink, prefix, method string, params any) (*envelope, error) {
	answer := make(chan *envelope, 1)
	g.mu.Lock()
	g.next++
	id := fmt.Sprint(prefix, g.next)
	g.own[id] = answer
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.own, id)
		g.mu.Unlock()
	}()
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	if err := to.line(line); err != nil {
		return nil, err
	}
	select {
	case e := <-answer:
		return e, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s was not answered in time", method)
	case <-g.done:
		return nil, errGone
	}
}

// answered hands an answer of the side that knows a prefix to whoever waits for it.
func (g *Guard) answered(e *envelope, prefix string) bool {
	var id string
	if json.Unmarshal(e.id, &id) != nil || !strings.HasPrefix(id, prefix) {
		return false
	}
	g.mu.Lock()
	waiting := g.own[id]
	delete(g.own, id)
	g.mu.Unlock()
	if waiting != nil {
		waiting <- e
	}
	return true
}
