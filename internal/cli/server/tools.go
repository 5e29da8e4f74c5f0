package server

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Limits of what a model may ask for.
const (
	maxFound    = 20
	maxTogether = 5
)

// server makes the MCP server.
func (o *options) server() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "mcpm", Title: "mcpm", Version: app.Version}, &mcp.ServerOptions{Instructions: instructions})
	readOnly := &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true}
	add(s, &mcp.Tool{Name: "search_servers", Title: "Search servers", Annotations: readOnly,
		Description: "Find MCP servers by what they are for, in natural language or words. Filters can be among the words: tool:query lang:python license:mit transport:stdio host:cursor publisher:acme."}, o.search)
	add(s, &mcp.Tool{Name: "get_server", Title: "Look at a server", Annotations: readOnly,
		Description: "What one server offers and asks for: tools, resources, prompts, permissions, values and secrets, and how it runs."}, o.look)
	add(s, &mcp.Tool{Name: "compare_servers", Title: "Compare servers", Annotations: readOnly,
		Description: "Two to five servers side by side, each as get_server tells of it."}, o.compare)
	add(s, &mcp.Tool{Name: "installation", Title: "What installing would change", Annotations: readOnly,
		Description: "What would be fetched, what the server asks for, and which files of host applications would change. Nothing is changed."}, o.installation)
	add(s, &mcp.Tool{Name: "list_installed", Title: "List installed servers", Annotations: readOnly,
		Description: "The servers that are installed here, with their versions."}, o.list)
	no, yes := false, true
	mcp.AddTool(s, &mcp.Tool{Name: "install_server", Title: "Install a server", Annotations: &mcp.ToolAnnotations{DestructiveHint: &no, OpenWorldHint: &yes},
		Description: "Install a server on this machine and register it with host applications. The person is asked first, with what it asks for."}, o.install)
	return s
}

// add makes a tool of a function. Its errors are answers, so that the model can read what to do instead.
func add[In any](s *mcp.Server, t *mcp.Tool, fn func(context.Context, *mcp.CallToolRequest, In) (any, error)) {
	mcp.AddTool(s, t, func(ctx context.Context, r *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		out, err := fn(ctx, r, in)
		return nil, out, err
	})
}

type searchIn struct {
	Query string `json:"query" jsonschema:"what the person wants to do, or words of the server"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many, 1 to 20; 10 when left out"`
}

func (o *options) search(ctx context.Context, _ *mcp.CallToolRequest, in searchIn) (any, error) {
	if in.Limit == 0 {
		in.Limit = 10
	}
	if in.Limit < 1 || in.Limit > maxFound {
		return nil, hub.Errorf(hub.Invalid, "limit is %d; it must be 1 to %d", in.Limit, maxFound)
	}
	return o.read(ctx, "search", "--limit", strconv.Itoa(in.Limit), "--", in.Query)
}

type nameIn struct {
	Name string `json:"name" jsonschema:"as search_servers gives it; with @RANGE for versions that fit"`
}

func (o *options) look(ctx context.Context, _ *mcp.CallToolRequest, in nameIn) (any, error) {
	return o.read(ctx, "info", "--", in.Name)
}

type compareIn struct {
	Names []string `json:"names" jsonschema:"two to five, as search_servers gives them"`
}

func (o *options) compare(ctx context.Context, r *mcp.CallToolRequest, in compareIn) (any, error) {
	if len(in.Names) < 2 || len(in.Names) > maxTogether {
		return nil, hub.Errorf(hub.Invalid, "%d names are given; compare 2 to %d", len(in.Names), maxTogether)
	}
	var all []any
	for _, n := range in.Names {
		one, err := o.look(ctx, r, nameIn{n})
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return map[string]any{"servers": all}, nil
}

func (o *options) list(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (any, error) {
	return o.read(ctx, "list", o.scope()...)
}

// read runs a verb that changes nothing, and returns its answer in JSON.
func (o *options) read(ctx context.Context, verb string, args ...string) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	told := o.verb(ctx, append([]string{verb, "--json"}, args...)...)
	if told.code != 0 {
		return nil, told.failure()
	}
	if len(told.out) > maxAnswer {
		return nil, hub.Errorf(hub.TooLarge, "the answer has %d bytes, and at most %d are given", len(told.out), maxAnswer)
	}
	if !json.Valid([]byte(told.out)) {
		return nil, hub.Errorf(hub.Unavailable, "mcpm %s gave no answer", verb)
	}
	return json.RawMessage(told.out), nil
}
