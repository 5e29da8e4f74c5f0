package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const (
	askTime  = 5 * time.Minute
	maxShown = 600 // bytes of the arguments that a person is shown
)

// ask asks the person at the client whether a tool may be called. reason is "" when it may.
func (g *Guard) ask(ctx context.Context, r *request, by string, args json.RawMessage) (reason, hint string) {
	g.mu.Lock()
	can := g.asks
	g.mu.Unlock()
	if !can {
		return fmt.Sprintf("the rule %q under guard in .mcpmrc wants a person asked, and this client cannot ask (it has no elicitation)", by),
			"Change the rule to \"allow\" to let it be called, or use a client that can ask"
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	e, err := g.call(ctx, &g.client, g.toClient, "elicitation/create", g.consent(r.tool, args))
	if err != nil {
		return "nobody answered whether it may be called", ""
	}
	var answer struct {
		Result decision `json:"result"`
	}
	if json.Unmarshal(e.line, &answer) != nil || !answer.Result.yes() {
		return "the person who was asked did not allow it", ""
	}
	return "", ""
}

// decision is what a person answered.
type decision struct {
	Action  string `json:"action"`
	Content struct {
		Allow bool `json:"allow"`
	} `json:"content"`
}

func (d decision) yes() bool { return d.Action == "accept" && d.Content.Allow }

// consent is the question whether a tool may be called, as the parameters of elicitation/create.
func (g *Guard) consent(tool string, args json.RawMessage) map[string]any {
	text, _ := g.Vault.hide(string(args))
	if len(text) > maxShown {
		text = text[:maxShown] + "..."
	}
	message := fmt.Sprintf("mcpm: may the tool %s of %s be called?", visible(tool), g.Server)
	if text != "" {
		message += "\nIts arguments: " + visible(text)
	}
	return map[string]any{
		"message": message,
		"requestedSchema": map[string]any{
			"type":       "object",
			"properties": map[string]any{"allow": map[string]any{"type": "boolean", "title": "Allow this call", "default": false}},
			"required":   []string{"allow"},
		},
	}
}
