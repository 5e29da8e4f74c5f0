// Command remote is an MCP server that the end-to-end tests reach over the network, by either transport, and
// one that fails on purpose.
//
//	remote serve FILE      serve at /mcp (streamable HTTP) and /sse (the older transport), and write host:port to FILE
//	remote listen ADDR     serve at /mcp at that address
//	remote free FILE       write a host:port to FILE at which nobody listens
//	remote fill FILE DOC.. wait until FILE is there, and put what it says for ADDR into the documents
//	remote fail CODE       say so on stderr and exit with CODE
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "remote:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("serve FILE, listen ADDR, free FILE, fill FILE DOC... or fail CODE")
	}
	switch args[0] {
	case "serve":
		return serve(args[1])
	case "listen":
		mux := http.NewServeMux()
		mux.Handle("/mcp", mcp.NewStreamableHTTPHandler(server("streamable HTTP"), &mcp.StreamableHTTPOptions{DisableLocalhostProtection: true}))
		return (&http.Server{Addr: args[1], Handler: mux, ReadHeaderTimeout: 10 * time.Second}).ListenAndServe()
	case "free":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		return os.WriteFile(args[1], []byte(l.Addr().String()), 0o600)
	case "fill":
		return fill(args[1], args[2:])
	case "fail":
		code, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "this server fails with %d\n", code)
		os.Exit(code)
	}
	return fmt.Errorf("no such thing: %s", args[0])
}

type place struct {
	City string `json:"city" jsonschema:"the city to tell the weather of"`
}

func server(over string) func(*http.Request) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "remote", Version: "1.0.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "forecast", Description: "Tells the weather of a city"},
		func(_ context.Context, _ *mcp.CallToolRequest, in place) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "It snows in " + in.City + ", over " + over}}}, nil, nil
		})
	return func(*http.Request) *mcp.Server { return s }
}

func serve(file string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", mcp.NewStreamableHTTPHandler(server("streamable HTTP"), nil))
	mux.Handle("/sse", mcp.NewSSEHandler(server("SSE"), nil))
	if err := os.WriteFile(file+".new", []byte(l.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	return (&http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

func fill(file string, docs []string) error {
	var addr []byte
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if addr, err = os.ReadFile(file); err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(end) {
			return err
		}
	}
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			return err
		}
		if err := os.WriteFile(doc, []byte(strings.ReplaceAll(string(text), "ADDR", string(addr))), 0o600); err != nil {
			return err
		}
	}
	return nil
}
