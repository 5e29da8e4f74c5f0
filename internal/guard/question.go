package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/mcphub/mcphub/internal/guard/audit"
)

// question is a call that its client repeats with the person's answer: in the newest protocol no server asks by itself
// (MCP 2026-07-28, SEP-2322).
type question struct {
	tool   string
	params map[string]json.RawMessage // of the call as it was made
	till   time.Time
}

const (
	questionTime = 15 * time.Minute // within which the client comes back
	maxQuestions = 100              // that wait at once
	maxAsked     = 1 << 20          // bytes of a call that is kept for its answer
	consentKey   = "mcpm-guard"     // the name of the question
)

// comesBack reports whether the client repeats a call with the answers that it was asked for, and can ask its person.
func (g *Guard) comesBack() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	var can struct {
		Elicitation json.RawMessage `json:"elicitation"`
	}
	return g.intro != nil && json.Unmarshal(g.intro[introductions[2]], &can) == nil && len(can.Elicitation) > 0 && string(can.Elicitation) != "null"
}

// question answers a call with the question whether it may be made.
func (g *Guard) question(r *request, params map[string]json.RawMessage) {
	if r.size > maxAsked {
		g.refuse(r, 0, fmt.Sprintf("it has %d bytes, and a person is asked about at most %d", r.size, maxAsked), "")
		return
	}
	now := time.Now()
	g.mu.Lock()
	maps.DeleteFunc(g.questions, func(_ string, q question) bool { return now.After(q.till) })
	full := len(g.questions) >= maxQuestions
	g.next++
	state := fmt.Sprint(g.toClient, g.next)
	if !full {
		g.questions[state] = question{tool: r.tool, params: params, till: now.Add(questionTime)}
	}
	g.mu.Unlock()
	if full {
		g.refuse(r, 0, fmt.Sprintf("%d questions wait for answers", maxQuestions), "")
		return
	}
	if g.settle(r.id) == nil {
		return
	}
	g.note(audit.Entry{Tool: r.tool, Decision: audit.Asked, Direction: "call", BytesIn: r.size, Millis: since(r.begun)})
	form := g.consent(r.tool, params["arguments"])
	form["mode"] = "form"
	line, _ := json.Marshal(map[string]any{ // of texts, and JSON that was read before
		"jsonrpc": "2.0", "id": r.id, "result": map[string]any{
			"resultType": "input_required", "requestState": state,
			"inputRequests": map[string]any{consentKey: map[string]any{"method": "elicitation/create", "params": form}},
		},
	})
	_ = g.client.line(line) // a client that is gone needs no question
}

// allowed returns the parameters of a call that the person was asked about, as it was first made; nil when they did not allow
// it, or when it is another call now. A question is answered once.
func (g *Guard) allowed(state, tool string, params map[string]json.RawMessage) map[string]json.RawMessage {
	g.mu.Lock()
	q, known := g.questions[state]
	delete(g.questions, state)
	g.mu.Unlock()
	var answers map[string]decision
	if !known || time.Now().After(q.till) || q.tool != tool || !alike(q.params["arguments"], params["arguments"]) {
		return nil
	}
	if json.Unmarshal(params["inputResponses"], &answers) != nil || !answers[consentKey].yes() {
		return nil
	}
	return q.params
}

// alike reports whether two values say the same, however they are written.
func alike(a, b json.RawMessage) bool {
	var x, y any
	if bytes.Equal(a, b) {
		return true
	}
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// textOf is a JSON text, "" for anything else.
func textOf(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // anything else has none
	return s
}
