package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestMain lets the test binary be the programs that the tests start.
func TestMain(m *testing.M) {
	switch mode := os.Getenv("GATEWAY_TEST"); mode {
	case "":
		os.Exit(m.Run())
	case "mcp":
		if err := newServer().Run(context.Background(), &mcp.StdioTransport{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "listen":
		h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return newServer() }, nil)
		_ = (&http.Server{Addr: os.Getenv("TEST_ADDR"), Handler: h, ReadHeaderTimeout: time.Second}).ListenAndServe()
	case "mute":
		fmt.Fprintln(os.Stderr, "cannot open the database")
		os.Exit(3)
	case "cat":
		s := bufio.NewScanner(os.Stdin)
		for s.Scan() {
			fmt.Println(s.Text())
		}
		fmt.Fprintln(os.Stderr, "bye")
	case "wait": // says its pid, and then which signal came
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM, syscall.SIGUSR1)
		fmt.Println(os.Getpid())
		sig := <-ch
		fmt.Println(sig)
		os.Exit(40)
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Minute)
	case "run": // mcpm run in small
		code, err := gateway.Local(context.Background(), self("wait"), os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(code)
	default:
		code, _ := strconv.Atoi(strings.TrimPrefix(mode, "exit="))
		os.Exit(code)
	}
}

// self is the test binary in one of its modes.
func self(mode string, args ...string) *gateway.Server {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GATEWAY_TEST=") {
			env = append(env, kv)
		}
	}
	return &gateway.Server{Command: exe, Args: args, Env: append(env, "GATEWAY_TEST="+mode)}
}

type addIn struct {
	A int `json:"a"`
	B int `json:"b"`
}

type addOut struct {
	Sum int `json:"sum"`
}

// newServer is an MCP server with two tools, a resource and a prompt.
func newServer() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "calc", Version: "1.2.3"}, &mcp.ServerOptions{Instructions: "adds numbers"})
	mcp.AddTool(s, &mcp.Tool{Name: "add", Description: "Add two numbers"},
		func(_ context.Context, _ *mcp.CallToolRequest, in addIn) (*mcp.CallToolResult, addOut, error) {
			return nil, addOut{in.A + in.B}, nil
		})
	mcp.AddTool(s, &mcp.Tool{Name: "slow", Description: "Answer late, with progress"},
		func(ctx context.Context, req *mcp.CallToolRequest, in addIn) (*mcp.CallToolResult, addOut, error) {
			if token := req.Params.GetProgressToken(); token != nil {
				_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: 0.5})
			}
			time.Sleep(50 * time.Millisecond)
			return nil, addOut{in.A - in.B}, nil
		})
	s.AddResource(&mcp.Resource{Name: "pi", URI: "calc://pi", Description: "The number"},
		func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: "calc://pi", Text: "3.14"}}}, nil
		})
	s.AddPrompt(&mcp.Prompt{Name: "ask", Description: "Ask for a sum"},
		func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return &mcp.GetPromptResult{}, nil
		})
	return s
}
