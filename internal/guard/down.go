package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/guard/audit"
)

// Down passes what the server says to the client, until out ends or the client takes no more.
func (g *Guard) Down(out io.Reader, client io.Writer) error {
	g.client.set(client)
	from := newLines(out, g.Policy.MaxResult)
	for {
		p, err := from.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.over != nil {
			g.tooLarge(p)
			continue
		}
		if err := each(p.line, g.downward); err != nil {
			return err
		}
	}
}

// tooLarge answers a request in the place of a message that was not kept.
func (g *Guard) tooLarge(p piece) {
	reason := fmt.Sprintf("it has %d bytes, and at most %d are passed on", p.size, g.Policy.MaxResult)
	e, err := p.over.envelope(nil)
	if err == nil && e.answer && len(e.id) > 0 {
		if r := g.find(e.id); r != nil {
			g.refuse(r, p.size, reason, "\"maxResult\" under guard in .mcpmrc lets up to 64Mi pass")
			return
		}
	}
	g.note(audit.Entry{Decision: audit.Denied, Reason: "a message was dropped: " + reason, Direction: "result", BytesOut: p.size})
	g.once("%s: a message was dropped: %s", g.Server, reason)
}

// find returns a request that has no answer yet, or nil.
func (g *Guard) find(id []byte) *request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pending[idKey(id)]
}

// downward decides about one message of the server. An error means that the client takes no more.
func (g *Guard) downward(line []byte) error {
	e, err := open(line)
	if err != nil && bytes.IndexByte(line, '{') < 0 { // something that it prints, which no client takes for a message
		text, _ := g.Vault.hide(string(line))
		return g.client.line([]byte(text))
	}
	if err != nil {
		g.unread(line, err)
		return nil
	}
	if !e.answer {
		if strings.HasSuffix(e.method, "/list_changed") && !g.changed(e) {
			return nil
		}
		clean, _ := g.Vault.hideIn(e.line)
		return g.client.line(clean)
	}
	if len(e.id) == 0 {
		clean, _ := g.Vault.hideIn(e.line)
		return g.client.line(clean) // an error about a message that the server could not read
	}
	if g.answered(e, g.toServer) {
		return nil
	}
	r := g.find(e.id)
	if r == nil {
		return nil // it was cancelled, or took too long, or never was
	}
	if r.method == "tools/list" && g.Pins != nil {
		return g.listed(e, r)
	}
	return g.deliver(e, r)
}

// deliver passes the answer to a request.
func (g *Guard) deliver(e *envelope, r *request) error {
	clean, found := g.Vault.hideIn(e.line)
	if g.settle(r.id) == nil {
		return nil
	}
	if r.method == "tools/call" {
		g.passed(r, len(e.line), found)
	}
	return g.client.line(clean)
}

// passed notes a call whose answer passes.
func (g *Guard) passed(r *request, size int, found []string) {
	n := audit.Entry{Tool: r.tool, Decision: audit.Allowed, Direction: "call", BytesIn: r.size, BytesOut: size, Millis: since(r.begun)}
	if r.masked != "" {
		n.Decision, n.Reason = audit.Masked, "its arguments held "+r.masked
	}
	if len(found) > 0 {
		n.Decision, n.Direction = audit.Masked, "result"
		n.Reason = strings.TrimPrefix(n.Reason+"; its answer held "+list(found), "; ")
	}
	g.note(n)
}

// maxPrinted is how much of a line that is no message is shown, in bytes.
const maxPrinted = 2000

// unread keeps what cannot be read, or in two ways, from the client. What looks like a message behind other text is shown
// to the person.
func (g *Guard) unread(line []byte, err error) {
	if line[0] != '{' && line[0] != '[' {
		text, _ := g.Vault.hide(string(line))
		fmt.Fprintf(g.Print, "%.*s\n", maxPrinted, text)
		return
	}
	var s scanner
	s.feed(line)
	reason := "a message was dropped: " + err.Error()
	if len(s.id) > 0 {
		if r := g.find(s.id); r != nil {
			g.refuse(r, len(line), "the answer cannot be passed on: "+err.Error(), "")
			return
		}
	}
	g.note(audit.Entry{Decision: audit.Denied, Reason: reason, Direction: "result", BytesOut: len(line)})
	g.once("%s: %s", g.Server, reason)
}

// storm counts the changes that a server tells.
type storm struct {
	from time.Time
	n    int
	late bool // one is sent at the end of the time
}

// How many changes of lists pass in what time; those beyond become one.
const (
	stormMost = 10
	stormTime = 5 * time.Second
)

// changed notes that lists are others, and reports whether the client is told now.
func (g *Guard) changed(e *envelope) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.method == "notifications/tools/list_changed" {
		g.known = false
		g.changes++
	}
	s := g.storms[e.method]
	if s == nil {
		if len(g.storms) >= maxTold { // names that it makes up
			return false
		}
		s = &storm{}
		g.storms[e.method] = s
	}
	if now := time.Now(); now.Sub(s.from) > stormTime {
		s.from, s.n = now, 0
	}
	if s.n++; s.n <= stormMost {
		return true
	}
	if !s.late {
		s.late = true
		time.AfterFunc(stormTime, func() {
			g.mu.Lock()
			s.late = false
			g.mu.Unlock()
			_ = g.client.line([]byte(`{"jsonrpc":"2.0","method":"` + e.method + `"}`)) // a client that is gone needs not be told
		})
	}
	return false
}

// toolsIn takes the tools out of the answer to tools/list, and the cursor of the next page.
func toolsIn(line []byte) (top, result map[string]json.RawMessage, tools []json.RawMessage, next string, err error) {
	if top, err = members(line, envelopeNames...); err != nil {
		return
	}
	if result, err = members(top["result"], "tools", "nextCursor"); err != nil {
		return
	}
	if raw := result["tools"]; len(raw) > 0 {
		if err = json.Unmarshal(raw, &tools); err != nil {
			return
		}
	}
	if raw := result["nextCursor"]; len(raw) > 0 {
		err = json.Unmarshal(raw, &next)
	}
	return
}
