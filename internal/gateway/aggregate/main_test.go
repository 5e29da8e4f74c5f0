//lint:file-ignore SA1019 sampling and roots are deprecated in the protocol of 2026-07-28, and passed on for those who have them

package aggregate_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/gateway/aggregate"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestMain lets the test binary be the servers that the tests start.
func TestMain(m *testing.M) {
	mode := os.Getenv("AGGREGATE_TEST")
	switch mode {
	case "":
		os.Exit(m.Run())
	case "raw":
		raw()
	case "hang":
		time.Sleep(time.Minute)
	case "broken":
		fmt.Fprintln(os.Stderr, "cannot open the database")
		os.Exit(3)
	default:
		if err := newServer(mode).Run(context.Background(), &mcp.StdioTransport{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

type in struct {
	Text string `json:"text"`
}

type empty struct{}

func text(format string, args ...any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, args...)}}}
}

// newServer is a server that uses all of the protocol.
func newServer(name string) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: name, Version: "1"}, &mcp.ServerOptions{
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
		CompletionHandler: func(_ context.Context, r *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{name + ":" + r.Params.Ref.Name + r.Params.Ref.URI}}}, nil
		},
	})
	tool := func(tool string, fn func(context.Context, *mcp.CallToolRequest, in) (*mcp.CallToolResult, error)) {
		mcp.AddTool(s, &mcp.Tool{Name: tool}, func(ctx context.Context, r *mcp.CallToolRequest, v in) (*mcp.CallToolResult, empty, error) {
			res, err := fn(ctx, r, v)
			return res, empty{}, err
		})
	}
	tool("echo", func(_ context.Context, _ *mcp.CallToolRequest, v in) (*mcp.CallToolResult, error) {
		return text("%s %s", name, v.Text), nil
	})
	tool("pid", func(context.Context, *mcp.CallToolRequest, in) (*mcp.CallToolResult, error) {
		return text("%d", os.Getpid()), nil
	})
	tool("ask", func(ctx context.Context, r *mcp.CallToolRequest, v in) (*mcp.CallToolResult, error) {
		made, err := r.Session.CreateMessage(ctx, &mcp.CreateMessageParams{MaxTokens: 9, Messages: []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: v.Text}}}})
		if err != nil {
			return nil, err
		}
		roots, err := r.Session.ListRoots(ctx, nil)
		if err != nil {
			return nil, err
		}
		told, err := r.Session.Elicit(ctx, &mcp.ElicitParams{Message: "sure?"})
		if err != nil {
			return nil, err
		}
		return text("%s %s %s", made.Content.(*mcp.TextContent).Text, roots.Roots[0].URI, told.Action), nil
	})
	tool("wait", func(ctx context.Context, r *mcp.CallToolRequest, v in) (*mcp.CallToolResult, error) {
		for i := range 3 {
			_ = r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: r.Params.GetProgressToken(), Progress: float64(i)})
		}
		if v.Text == "" {
			return text("done"), nil
		}
		<-ctx.Done()
		_ = os.WriteFile(v.Text, []byte("cancelled"), 0o600)
		return nil, ctx.Err()
	})
	tool("grow", func(context.Context, *mcp.CallToolRequest, in) (*mcp.CallToolResult, error) {
		s.AddTool(&mcp.Tool{Name: "grown", InputSchema: map[string]any{"type": "object"}}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return text("yes"), nil })
		return text("ok"), nil
	})
	tool("die", func(context.Context, *mcp.CallToolRequest, in) (*mcp.CallToolResult, error) {
		os.Exit(4)
		return nil, nil
	})
	tool(strings.Repeat("long", 20), func(context.Context, *mcp.CallToolRequest, in) (*mcp.CallToolResult, error) { return text("long"), nil })
	read := func(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: r.Params.URI, Text: name}}}, nil
	}
	s.AddResource(&mcp.Resource{Name: "shared", URI: "shared://one"}, read)
	s.AddResource(&mcp.Resource{Name: "own", URI: name + "://own"}, read)
	s.AddResourceTemplate(&mcp.ResourceTemplate{Name: "t", URITemplate: name + "://t/{x}"}, read)
	s.AddPrompt(&mcp.Prompt{Name: "greet"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Description: name}, nil
	})
	tool("touch", func(ctx context.Context, _ *mcp.CallToolRequest, _ in) (*mcp.CallToolResult, error) {
		return text("ok"), s.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: "shared://one"})
	})
	return s
}

// members are servers of this binary in the given modes.
func members(t *testing.T, modes ...string) []aggregate.Member {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out []aggregate.Member
	for _, mode := range modes {
		s := &gateway.Server{Command: exe, Env: append(os.Environ(), "AGGREGATE_TEST="+mode)}
		out = append(out, aggregate.Member{Name: "@acme/" + mode, Prefix: mode, Open: func(ctx context.Context) (*gateway.Conn, error) {
			return gateway.Open(ctx, s, &gateway.Lines{Prefix: mode + ": ", To: testWriter{t}}, "test", nil)
		}})
	}
	return out
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// within fails a test that waits for too long.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
