// Command startup measures how long it takes from starting a program until a server has listed its tools: mcpm run against
// npx and uvx with warm caches, in turns in one run; and ten servers installed cold and warm, with the bytes that three
// projects share. It prints figures and judges nothing. It needs npm, node and uv, and their package registries.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	addr   = "127.0.0.1:18190"
	scope  = "io.github.modelcontextprotocol/"
	everys = scope + "server-everything"
	clock  = scope + "server-time"
)

func main() {
	rounds := flag.Int("rounds", 9, "starts of each program; the first is not counted")
	ten := flag.Bool("ten", true, "install ten servers too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *ten); err != nil {
		fmt.Fprintln(os.Stderr, "startup:", err)
		os.Exit(1)
	}
}

// place is where a run keeps everything: the programs, a hub and the home of mcpm.
type place struct {
	dir string
	env []string
}

func run(ctx context.Context, rounds int, ten bool) error {
	dir, err := os.MkdirTemp("", "bench-startup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p := &place{dir: dir}
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "nomsgpack", "-ldflags", "-s -w", "-o", dir, "./cmd/mcphub", "./cmd/mcpm").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	p.env = append(os.Environ(), "MCPM_HOME="+filepath.Join(dir, "home"), "MCPM_REGISTRY=http://"+addr, "MCPM_SANDBOX=0")
	var said strings.Builder
	hub := exec.CommandContext(ctx, filepath.Join(dir, "mcphub"), "serve", "--addr", addr, "--data", filepath.Join(dir, "data"))
	hub.Stdout, hub.Stderr = &said, &said
	if err := hub.Start(); err != nil {
		return err
	}
	defer func() { _ = hub.Process.Signal(syscall.SIGTERM); _ = hub.Wait() }()
	if err := p.ready(ctx); err != nil {
		return fmt.Errorf("%w: %s", err, said.String())
	}
	if err := p.starts(ctx, rounds); err != nil || !ten {
		return err
	}
	return p.ten(ctx)
}

// ready waits until the hub has its catalogue.
func (p *place) ready(ctx context.Context) error {
	for range 600 {
		resp, err := http.Get("http://" + addr + "/v0.1/servers/" + strings.ReplaceAll(clock, "/", "%2F") + "/versions/latest")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the hub has no %s", clock)
}

func (p *place) mcpm(ctx context.Context, dir string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, "mcpm"), args...)
	cmd.Dir, cmd.Env = dir, p.env
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("mcpm %v: %w: %s", args, err, out)
	}
	return time.Since(begun), nil
}

// starts compares starting what is locked with what the launchers of the packages do.
func (p *place) starts(ctx context.Context, rounds int) error {
	dir := filepath.Join(p.dir, "project")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if _, err := p.mcpm(ctx, dir, "install", "--yes", "--no-hosts", everys, clock); err != nil {
		return err
	}
	mcpm := filepath.Join(p.dir, "mcpm")
	rows := []struct {
		name    string
		command []string
		times   []time.Duration
	}{
		{name: "npx -y, server-everything", command: []string{"npx", "-y", "@modelcontextprotocol/server-everything"}},
		{name: "mcpm run, server-everything", command: []string{mcpm, "run", everys}},
		{name: "mcpm run --sandbox, server-everything", command: []string{mcpm, "run", "--sandbox", everys}},
		{name: "mcpm gateway, server-everything", command: []string{mcpm, "gateway", everys}},
		{name: "uvx, mcp-server-time", command: []string{"uvx", "mcp-server-time"}},
		{name: "mcpm run, mcp-server-time", command: []string{mcpm, "run", clock}},
		{name: "mcpm run --sandbox, mcp-server-time", command: []string{mcpm, "run", "--sandbox", clock}},
	}
	for range rounds {
		for i := range rows {
			time.Sleep(time.Second) // the one before is still ending
			took, err := p.tools(ctx, dir, rows[i].command)
			if err != nil {
				return fmt.Errorf("%s: %w", rows[i].name, err)
			}
			rows[i].times = append(rows[i].times, took)
		}
	}
	node, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("node --version: %w", err)
	}
	fmt.Printf("\n## To the first list of tools, with Node %s, median of %d\n\n| command | time | faster |\n|---|---|---|\n", strings.TrimSpace(string(node)), rounds-1)
	var yardstick time.Duration
	for _, r := range rows {
		slices.Sort(r.times[1:])
		median := r.times[1:][len(r.times[1:])/2]
		if !strings.HasPrefix(r.name, "mcpm") {
			yardstick = median
		}
		fmt.Printf("| %s | %d ms | %.1f |\n", r.name, median.Milliseconds(), float64(yardstick)/float64(median))
	}
	return nil
}

// tools starts a server and asks for its tools.
func (p *place) tools(ctx context.Context, dir string, command []string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, p.env
	begun := time.Now()
	s, err := mcp.NewClient(&mcp.Implementation{Name: "startup", Version: "1"}, nil).Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if _, err := s.ListTools(ctx, nil); err != nil {
		return 0, err
	}
	return time.Since(begun), nil
}

// packages are ten servers of the starter catalogue, of npm and PyPI.
var packages = []string{
	everys, clock, scope + "server-memory", scope + "server-filesystem", scope + "server-sequential-thinking", scope + "server-fetch", scope + "server-git",
	"com.microsoft/playwright-mcp", "io.github.upstash/context7", "io.github.nickclyde/duckduckgo-mcp-server",
}

// ten installs servers into three projects, the first with an empty home.
func (p *place) ten(ctx context.Context) error {
	fmt.Printf("\n## %d servers in three projects\n\n| project | time | bytes of the store after it |\n|---|---|---|\n", len(packages))
	if err := os.RemoveAll(filepath.Join(p.dir, "home")); err != nil {
		return err
	}
	for i := range 3 {
		dir := filepath.Join(p.dir, fmt.Sprintf("ten-%d", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		took, err := p.mcpm(ctx, dir, append([]string{"install", "--yes", "--no-hosts"}, packages...)...)
		if err != nil {
			return err
		}
		name := "another, warm"
		if i == 0 {
			name = "the first, nothing of mcpm's there"
		}
		fmt.Printf("| %s | %d ms | %.1f MB |\n", name, took.Milliseconds(), float64(onDisk(p.dir+"/home"))/1e6)
	}
	return nil
}

// onDisk counts the bytes that a directory takes, each file once however many names it has.
func onDisk(dir string) (total int64) {
	seen := map[uint64]bool{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it went meanwhile
		}
		var st syscall.Stat_t
		if syscall.Lstat(path, &st) == nil && !seen[st.Ino] {
			seen[st.Ino] = true
			total += st.Blocks * 512
		}
		return nil
	})
	return total
}
