package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxShown is the longest plan that a person is asked about, in bytes: of a longer one the end may not be seen.
const maxShown = 4000

type installIn struct {
	Name string `json:"name" jsonschema:"as search_servers gives it; with @RANGE for versions that fit"`
	Host string `json:"host,omitempty" jsonschema:"register it with this host application only, such as cursor or claude-desktop; all that are found when left out"`
}

// args are the arguments of mcpm install.
func (in installIn) args(scope []string, more ...string) []string {
	args := append(append([]string{"install"}, scope...), more...)
	if in.Host != "" {
		args = append(args, "--host="+in.Host)
	}
	return append(args, "--", in.Name)
}

type plan struct {
	Changes string `json:"changes" jsonschema:"what would change, as mcpm tells it"`
	Command string `json:"command" jsonschema:"does it, in a terminal"`
}

func (o *options) installation(ctx context.Context, _ *mcp.CallToolRequest, in installIn) (any, error) {
	return o.plan(ctx, in)
}

// plan says what installing would change.
func (o *options) plan(ctx context.Context, in installIn) (*plan, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if _, err := app.ParseRef(in.Name); err != nil {
		return nil, err
	}
	told := o.verb(ctx, in.args(o.scope(), "--dry-run")...)
	if told.code != 0 {
		return nil, told.failure()
	}
	changes, _, _ := strings.Cut(told.out+"\n"+told.err, "\nNothing was changed")
	return &plan{Changes: strings.TrimSpace(changes), Command: o.command(in)}, nil
}

// command is what a person types to install it.
func (o *options) command(in installIn) string {
	words := append([]string{"mcpm", "install"}, o.scope()...)
	if in.Host != "" {
		words = append(words, "--host", in.Host)
	}
	words = append(words, in.Name)
	for i, w := range words {
		if !plainRE.MatchString(w) {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'" // as shells have it; a range may have a > in it
		}
	}
	return strings.Join(words, " ")
}

var plainRE = lazyregexp.New(`^[\w@/.^~=+-]+$`)

type installed struct {
	Installed bool   `json:"installed"`
	Said      string `json:"said" jsonschema:"what mcpm said, or why it was not installed"`
	Command   string `json:"command,omitempty" jsonschema:"for the person to run in a terminal, where they could not be asked here"`
}

// install asks the person with what installing would change, and does exactly that when they agree: it is called again with
// their answer (SEP-2322), or the SDK asks an older client and calls it again.
func (o *options) install(ctx context.Context, r *mcp.CallToolRequest, in installIn) (*mcp.CallToolResult, any, error) {
	o.busy.Lock()
	defer o.busy.Unlock()
	p, err := o.plan(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	if can := r.ClientCapabilities(); can == nil || can.Elicitation == nil {
		return nil, installed{Said: "this application cannot ask the person, so nothing was installed", Command: p.Command}, nil
	}
	if len(p.Changes) > maxShown {
		return nil, installed{Said: "what it asks for is too long to be shown here, so nothing was installed", Command: p.Command}, nil
	}
	text := "Install " + app.Clean(in.Name) + "?\n\n" + p.Changes
	if len(r.Params.InputResponses) == 0 {
		return &mcp.CallToolResult{RequestState: digest(text), InputRequests: mcp.InputRequestMap{
			consent: &mcp.ElicitParams{Message: text, RequestedSchema: json.RawMessage(`{"type":"object","properties":{}}`)},
		}}, nil, nil
	}
	answer, ok := r.Params.InputResponses[consent].(*mcp.ElicitResult)
	if !ok || answer.Action != "accept" {
		return nil, installed{Said: "the person did not agree, so nothing was installed"}, nil
	}
	if r.Params.RequestState != digest(text) {
		return nil, nil, hub.Errorf(hub.Conflict, "what would be installed is not what the person agreed to").WithHint("call install_server again, so that they are asked again")
	}
	ctx, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	told := o.verb(ctx, in.args(o.scope(), "--yes")...)
	if told.code != 0 {
		return nil, nil, told.failure()
	}
	return nil, installed{Installed: true, Said: strings.TrimSpace(told.out + "\n" + told.err)}, nil
}

// consent is the name of the question.
const consent = "consent"

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// failure is what a verb said when it failed.
func (s said) failure() error {
	text := strings.TrimSpace(s.err + "\n" + s.out)
	if text == "" {
		text = "mcpm failed and did not say why"
	}
	if len(text) > maxShown {
		text = text[:maxShown] + "..."
	}
	return errors.New(strings.ToValidUTF8(text, ""))
}
