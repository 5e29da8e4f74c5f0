// Command hostapp is a host application for the client scenarios of the official conformance suite: it knows mcpm only, has it
// link a remote server at the address that is its last argument, sign in where the server wants it, and speaks to it through
// mcpm run.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const name = "@conformance/remote"

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Second)
	defer stop()
	if err := run(ctx, os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "hostapp:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	dir, err := os.MkdirTemp("", "hostapp-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	manifest, err := json.Marshal(map[string]any{"name": name, "version": "1.0.0", "description": "A server of the suite.",
		"servers": map[string]any{"default": map[string]string{"transport": "streamable-http", "url": url}}})
	if err != nil {
		return err
	}
	for _, sub := range []string{"remote", "user"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "remote", "mcp.json"), manifest, 0o644); err != nil {
		return err
	}
	h := host{ctx: ctx, dir: filepath.Join(dir, "user"), env: append(os.Environ(), "MCPM_HOME="+filepath.Join(dir, "home"), "MCPM_SECRETS=file", "MCPM_GUARD=0")}
	if out, err := h.mcpm("link", filepath.Join(dir, "remote")).CombinedOutput(); err != nil {
		return fmt.Errorf("link: %w\n%s", err, out)
	}
	scenario := os.Getenv("MCP_CONFORMANCE_SCENARIO")
	if strings.HasPrefix(scenario, "auth/") {
		if err := h.signIn(); err != nil {
			return err
		}
	}
	err = h.speak()
	for range 3 { // a server may want more scopes for a call than for the list
		command := wanted(err)
		if command == nil {
			break
		}
		if err := h.signIn(command...); err != nil {
			return err
		}
		err = h.speak()
	}
	return err
}

// wanted reads the flags of the command that mcpm tells to run when a call needs more scopes.
func wanted(err error) []string {
	if err == nil {
		return nil
	}
	_, flags, ok := strings.Cut(err.Error(), "mcpm auth "+name+" --scope ")
	if !ok {
		return nil
	}
	flags, _, _ = strings.Cut(flags, "\n")
	return strings.Fields("--scope " + flags)
}

type host struct {
	ctx context.Context
	dir string
	env []string
}

func (h host) mcpm(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(h.ctx, "mcpm", args...)
	cmd.Dir, cmd.Env = h.dir, h.env
	return cmd
}

// signIn has mcpm sign in, and visits the address that it prints, as the person's browser would.
func (h host) signIn(flags ...string) error {
	var about struct {
		ClientID string `json:"client_id"`
		Secret   string `json:"client_secret"`
	}
	_ = json.Unmarshal([]byte(os.Getenv("MCP_CONFORMANCE_CONTEXT")), &about) // most scenarios tell nothing
	if about.ClientID != "" {
		flags = append(flags, "--client-id", about.ClientID)
	}
	if about.Secret != "" {
		flags = append(flags, "--client-secret-stdin")
	}
	cmd := h.mcpm(append([]string{"auth", name, "--no-browser"}, flags...)...)
	cmd.Stdin = strings.NewReader(about.Secret)
	told, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var all bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(told, &all)); lines.Scan(); {
		if address := strings.TrimSpace(lines.Text()); strings.HasPrefix(address, "http") {
			go visit(h.ctx, address)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("auth: %w\n%s", err, all.String())
	}
	return nil
}

func visit(ctx context.Context, address string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
	}
}

// arguments are what the tools of the suite are called with.
var arguments = map[string]map[string]any{"add_numbers": {"a": 5, "b": 3}}

// speak lists the tools and calls each.
func (h host) speak() error {
	var said bytes.Buffer
	cmd := h.mcpm("run", name)
	cmd.Stderr = &said
	client := mcp.NewClient(&mcp.Implementation{Name: "hostapp", Version: "1"}, &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{}}, nil
		},
	})
	session, err := client.Connect(h.ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said.String())
	}
	defer session.Close()
	if os.Getenv("MCP_CONFORMANCE_SCENARIO") == "initialize" { // it knows nothing else
		return nil
	}
	list, err := session.ListTools(h.ctx, nil)
	if err != nil {
		return fmt.Errorf("tools/list: %w\n%s", err, said.String())
	}
	for _, t := range list.Tools {
		args := arguments[t.Name]
		if args == nil {
			args = map[string]any{}
		}
		if _, err := session.CallTool(h.ctx, &mcp.CallToolParams{Name: t.Name, Arguments: args}); err != nil {
			return fmt.Errorf("%s: %w\n%s", t.Name, err, said.String())
		}
	}
	return nil
}
