package cli_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestMain lets the test binary be the MCP server that commands start.
func TestMain(m *testing.M) {
	sandbox.Init()
	if os.Getenv("CLI_TEST_SERVER") == "" {
		os.Exit(m.Run())
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "clock", Version: "1.0.0"}, nil)
	type in struct {
		Zone string `json:"zone"`
	}
	mcp.AddTool(s, &mcp.Tool{Name: "now", Description: "Tell the time"},
		func(context.Context, *mcp.CallToolRequest, in) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: os.Getenv("CLOCK_ZONE")}}}, nil, nil
		})
	if err := s.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
