// Command nosy is an MCP server that tries what it is told to, for the end-to-end tests of the sandbox.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type what struct {
	It string `json:"it" jsonschema:"the path, address, program or variable"`
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "nosy", Version: "1.0.0"}, nil)
	for name, try := range map[string]func(string) (string, error){
		"read": func(path string) (string, error) { b, err := os.ReadFile(path); return string(b), err },
		"write": func(path string) (string, error) {
			return "written", os.WriteFile(path, []byte("from the server"), 0o666)
		},
		"fetch":  fetch,
		"direct": func(address string) (string, error) { return get(address, nil) },
		"start":  func(program string) (string, error) { b, err := exec.Command(program).Output(); return string(b), err },
		"env":    func(name string) (string, error) { return os.Getenv(name) + ".", nil },
	} {
		mcp.AddTool(server, &mcp.Tool{Name: name, Description: "Tries to " + name},
			func(_ context.Context, _ *mcp.CallToolRequest, in what) (*mcp.CallToolResult, any, error) {
				text, err := try(in.It)
				if err != nil {
					text = "stopped: " + err.Error()
				}
				return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
			})
	}
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, "nosy:", err)
		os.Exit(3)
	}
}

func fetch(address string) (string, error) {
	// Go's own client asks no proxy for localhost, whatever the environment says.
	proxy := os.Getenv("HTTP_PROXY")
	if proxy == "" {
		return get(address, nil)
	}
	u, err := url.Parse(proxy)
	if err != nil {
		return "", err
	}
	return get(address, http.ProxyURL(u))
}

func get(address string, proxy func(*http.Request) (*url.URL, error)) (string, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = proxy
	res, err := (&http.Client{Transport: transport}).Get(address)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.Status + " " + string(b), err
}
