package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/guard/policy"
)

// maxFromClient is the largest message of a client, in bytes.
const maxFromClient = 64 << 20

// Up passes what the client says to the server, until in ends or the server takes no more.
func (g *Guard) Up(in io.Reader, server io.Writer) error {
	g.server.set(server)
	from := newLines(in, maxFromClient)
	for {
		p, err := from.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.over != nil {
			if e, err := p.over.envelope(nil); err == nil && e.request() {
				_ = g.client.line(errorLine(e.id, fmt.Sprintf("mcpm: the request has %d bytes; at most %d are taken", p.size, maxFromClient)))
			}
			continue
		}
		if err := each(p.line, g.upward); err != nil {
			return err
		}
	}
}

// upward decides about one message of the client. An error means that the server takes no more.
func (g *Guard) upward(line []byte) error {
	e, err := open(line)
	if err != nil {
		_ = g.client.line(errorLine(json.RawMessage("null"), "mcpm: a message was not passed on: "+err.Error()))
		return nil
	}
	switch {
	case e.answer:
		if g.answered(e, g.toClient) {
			return nil
		}
		return g.server.line(e.line)
	case e.method == "notifications/cancelled":
		var p struct {
			Params struct {
				ID json.RawMessage `json:"requestId"`
			} `json:"params"`
		}
		if json.Unmarshal(e.line, &p) == nil && len(p.Params.ID) > 0 {
			g.settle(p.Params.ID)
		}
		return g.server.line(e.line)
	case !e.request() && e.method == "tools/call": // a server could take it for a call all the same
		_ = g.client.line(errorLine(json.RawMessage("null"), "mcpm: a call without an id was not passed on"))
		return nil
	case !e.request():
		return g.server.line(e.line)
	}
	r := &request{id: e.id, method: e.method, begun: time.Now(), size: len(e.line)}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	if text := g.begin(r); text != "" {
		cancel()
		_ = g.client.line(errorLine(e.id, "mcpm: "+text))
		return nil
	}
	switch e.method {
	case "initialize":
		g.greeted(e)
	case "server/discover", "tools/list":
		var p struct {
			Params struct {
				Cursor *string         `json:"cursor"`
				Meta   json.RawMessage `json:"_meta"`
			} `json:"params"`
		}
		read := json.Unmarshal(e.line, &p) == nil
		g.introduced(p.Params.Meta)
		g.mu.Lock()
		r.whole, r.before = read && p.Params.Cursor == nil && e.method == "tools/list", g.changes
		g.mu.Unlock()
	case "tools/call":
		return g.callTool(ctx, e, r)
	}
	return g.server.line(e.line)
}

// begin notes a request that waits for its answer, or says why it may not.
func (g *Guard) begin(r *request) string {
	key := idKey(r.id)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending[key] != nil {
		return "a request with the id " + string(r.id) + " is not answered yet"
	}
	if len(g.pending) >= maxPending {
		return fmt.Sprintf("%d requests wait for answers", maxPending)
	}
	g.pending[key] = r
	return ""
}

// greeted notes whether the client can ask its person.
func (g *Guard) greeted(e *envelope) {
	var p struct {
		Params struct {
			Capabilities struct {
				Elicitation json.RawMessage `json:"elicitation"`
			} `json:"capabilities"`
		} `json:"params"`
	}
	can := json.Unmarshal(e.line, &p) == nil && len(p.Params.Capabilities.Elicitation) > 0 && string(p.Params.Capabilities.Elicitation) != "null"
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asks, g.intro = can, nil // a client that tried the newest protocol first, and speaks an older one now
}

// introductions are what a client says of itself with each request where there is no initialize (MCP 2026-07-28, SEP-2575).
var introductions = []string{"io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/clientCapabilities"}

// introduced keeps what a client says of itself, for the requests of the guard's own.
func (g *Guard) introduced(meta json.RawMessage) {
	var all map[string]json.RawMessage
	if len(meta) == 0 || json.Unmarshal(meta, &all) != nil || all[introductions[0]] == nil {
		return
	}
	said := map[string]json.RawMessage{}
	for _, key := range introductions {
		if v := all[key]; v != nil {
			said[key] = v
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.intro = said
}

// callTool decides about a call of a tool.
func (g *Guard) callTool(ctx context.Context, e *envelope, r *request) error {
	top, err := members(e.line)
	if err == nil {
		top, err = members(top["params"], "name", "arguments", "_meta", "inputResponses", "requestState")
	}
	if err == nil && (json.Unmarshal(top["name"], &r.tool) != nil || r.tool == "") {
		err = errors.New("the name of the tool is missing")
	}
	if err != nil {
		g.refuse(r, 0, "the call can be read in two ways, or not at all: "+err.Error(), "")
		return nil
	}
	g.introduced(top["_meta"])
	action, by := g.Policy.Tool(r.tool)
	if action == policy.Deny {
		g.refuse(r, 0, fmt.Sprintf("the rule %q under guard in .mcpmrc forbids it", by), "Change the rule to let it be called: mcpm help guard")
		return nil
	}
	line := e.line
	if state := textOf(top["requestState"]); strings.HasPrefix(state, g.toClient) { // the client comes back with an answer
		if top = g.allowed(state, r.tool, top); top == nil {
			g.refuse(r, 0, "the person who was asked did not allow it", "")
			return nil
		}
		if action == policy.Ask {
			action = policy.Allow
		}
		line = withParams(line, top)
	}
	if args := top["arguments"]; len(args) > 0 && g.Policy.Secrets != policy.Pass {
		clean, found := g.withoutSecrets(args)
		if len(found) > 0 && g.Policy.Secrets == policy.Block {
			g.refuse(r, 0, "its arguments hold a secret ("+list(found)+")",
				"\"secrets\": \"mask\" under guard in .mcpmrc hands on a placeholder in its place, \"pass\" the secret itself: mcpm help guard")
			return nil
		}
		if len(found) > 0 {
			r.masked = list(found)
			masked := maps.Clone(top)
			masked["arguments"] = clean
			line = withParams(line, masked)
		}
	}
	if action == policy.Ask || g.Pins != nil && !g.isKnown() {
		go g.callLater(ctx, line, r, action, by, top)
		return nil
	}
	if reason := g.verdict(r.tool); reason != "" {
		g.block(r, reason)
		return nil
	}
	return g.send(line, r)
}

// callLater is what of a call waits for a listing, or for a person.
func (g *Guard) callLater(ctx context.Context, line []byte, r *request, action policy.Action, by string, params map[string]json.RawMessage) {
	if g.Pins != nil && !g.isKnown() {
		if err := g.list(ctx); err != nil {
			g.refuse(r, 0, "its definition cannot be compared: "+err.Error(), "")
			return
		}
	}
	if reason := g.verdict(r.tool); reason != "" {
		g.block(r, reason)
		return
	}
	if action == policy.Ask && g.comesBack() {
		g.question(r, params)
		return
	}
	if action == policy.Ask {
		if reason, hint := g.ask(ctx, r, by, params["arguments"]); reason != "" {
			g.refuse(r, 0, reason, hint)
			return
		}
	}
	if g.waits(r) {
		_ = g.send(line, r) // a server that is gone is noticed where it is read
	}
}

// send passes a call on, and begins its time.
func (g *Guard) send(line []byte, r *request) error {
	g.mu.Lock()
	r.timer = time.AfterFunc(g.Policy.Timeout, func() { g.expire(r) })
	g.mu.Unlock()
	return g.server.line(line)
}

// expire ends a call that takes too long.
func (g *Guard) expire(r *request) {
	if !g.waits(r) {
		return
	}
	g.refuse(r, 0, fmt.Sprintf("it did not answer within %s", g.Policy.Timeout), "\"timeout\" under guard in .mcpmrc gives it longer")
	if line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": map[string]any{"requestId": r.id, "reason": "timeout"}}); err == nil {
		_ = g.server.line(line) // it may be gone
	}
}

// block refuses a call of a tool that is not to be used.
func (g *Guard) block(r *request, reason string) {
	hint := ""
	if g.Accept != "" {
		hint = "A person looks at it and accepts it with: " + g.Accept
	}
	g.refuse(r, 0, reason, hint)
}
