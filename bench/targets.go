package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the peer is seeded over SQL
)

// bench is one run.
type bench struct {
	options
	rows    []row
	targets []*target
}

// target is a program under load.
type target struct {
	name    string
	addr    string
	command []string
	env     []string
	process *exec.Cmd
	search  string // path and query of a search, up to the words
}

func (b *bench) stopAll() {
	for _, t := range b.targets {
		t.stop()
	}
}

// stop ends the process by its own handle and waits for it.
func (t *target) stop() {
	if t.process == nil {
		return
	}
	_ = t.process.Process.Signal(os.Interrupt) // it may be gone already
	done := make(chan struct{})
	go func() { _ = t.process.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = t.process.Process.Kill()
		<-done
	}
	t.process = nil
}

// up starts the process and returns the time to its first whole answer.
func (t *target) up(ctx context.Context, path string) (time.Duration, error) {
	if t.process != nil {
		return 0, nil
	}
	log, err := os.CreateTemp("", "bench-*.log")
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(t.command[0], t.command[1:]...)
	cmd.Env = append(os.Environ(), t.env...)
	cmd.Stdout, cmd.Stderr = log, log
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	t.process = cmd
	for time.Since(began) < 3*time.Minute && ctx.Err() == nil {
		conn, err := net.DialTimeout("tcp", t.addr, time.Second)
		if err == nil {
			conn.Close()
			resp, err := http.Get("http://" + t.addr + path)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err == nil && resp.StatusCode == http.StatusOK {
					return time.Since(began), nil
				}
			}
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("%s does not answer; its output is in %s", t.name, log.Name())
}

// settled starts what is not running and waits until the index of each holds everything.
func (b *bench) settled(ctx context.Context) error {
	for _, t := range b.targets {
		if _, err := t.up(ctx, listPath); err != nil {
			return err
		}
		if err := t.indexed(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rss is the resident memory of the process in MiB, and the part of it that is not pages of files.
func (t *target) rss() (total, own int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.process.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		var kb int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); err == nil {
			total = kb / 1024
		}
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &kb); err == nil {
			own = kb / 1024
		}
	}
	return total, own
}

const listPath = "/v0.1/servers?limit=30"

// prepare builds the programs, makes the databases and describes the targets.
func (b *bench) prepare(ctx context.Context) error {
	bin, err := filepath.Abs(filepath.Join(b.dir, "bin"))
	if err != nil {
		return err
	}
	for _, name := range []string{"mcphub", "mcpm"} {
		if err := command(ctx, nil, "go", "build", "-trimpath", "-tags", "nomsgpack", "-ldflags", "-s -w", "-o", filepath.Join(bin, name), "./cmd/"+name); err != nil {
			return err
		}
	}
	data := filepath.Join(b.dir, fmt.Sprintf("hub-%d-%d", b.servers, b.versions))
	if err := b.directory(data); err != nil {
		return err
	}
	began := time.Now()
	if err := seedHub(ctx, "sqlite:"+filepath.Join(data, "mcphub.db"), b.rows); err != nil {
		return err
	}
	fmt.Printf("seeded %d servers, %d versions in SQLite in %s\n", b.servers, b.versions, time.Since(began).Round(time.Millisecond))
	hub := func(name, port, dir string, more ...string) *target {
		args := []string{filepath.Join(bin, "mcphub"), "serve", "--addr", "127.0.0.1:" + port, "--data", dir, "--starter=false",
			"--rate-limit", "1000000000", "--allow-anonymous-publish"}
		return &target{name: name, addr: "127.0.0.1:" + port, command: append(args, more...), search: "/api/v1/search?limit=20&q="}
	}
	b.targets = []*target{hub("hub, SQLite", "18080", data)}
	if b.postgres != "" {
		if err := b.preparePostgres(ctx, bin, hub); err != nil {
			return err
		}
	}
	return b.setGrown(false)
}

// grownFile is there when servers were published beside the seeded ones: the next run begins anew, so that
// every run measures as many servers as it says.
const grownFile = "grown"

func (b *bench) grown() bool {
	_, err := os.Stat(filepath.Join(b.dir, grownFile))
	return err == nil
}

// directory makes a data directory, anew when it has grown.
func (b *bench) directory(dir string) error {
	if b.grown() {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, 0o755)
}

func (b *bench) setGrown(yes bool) error {
	path := filepath.Join(b.dir, grownFile)
	if yes {
		return os.WriteFile(path, nil, 0o644)
	}
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (b *bench) preparePostgres(ctx context.Context, bin string, hub func(name, port, dir string, more ...string) *target) error {
	own, err := b.database(ctx, fmt.Sprintf("bench_hub_%d", b.versions))
	if err != nil {
		return err
	}
	began := time.Now()
	if err := seedHub(ctx, own, b.rows); err != nil {
		return err
	}
	fmt.Printf("seeded the same in PostgreSQL in %s\n", time.Since(began).Round(time.Millisecond))
	dir := filepath.Join(b.dir, fmt.Sprintf("hub-pg-%d", b.versions))
	if err := b.directory(dir); err != nil {
		return err
	}
	b.targets = append(b.targets, hub("hub, PostgreSQL", "18081", dir, "--database", own))
	if !b.peer {
		return nil
	}
	peer := filepath.Join(bin, "registry")
	if _, err := os.Stat(peer); err != nil {
		if err := command(ctx, []string{"GOBIN=" + bin}, "go", "install", "github.com/modelcontextprotocol/registry/cmd/registry@v1.8.7"); err != nil {
			return err
		}
	}
	theirs, err := b.database(ctx, fmt.Sprintf("bench_peer_%d", b.versions))
	if err != nil {
		return err
	}
	t := &target{name: "official registry", addr: "127.0.0.1:18082", command: []string{peer}, search: "/v0.1/servers?limit=20&version=latest&search=",
		env: []string{"MCP_REGISTRY_SERVER_ADDRESS=127.0.0.1:18082", "MCP_REGISTRY_DATABASE_URL=" + theirs, "MCP_REGISTRY_ENABLE_ANONYMOUS_AUTH=true",
			"MCP_REGISTRY_ENABLE_REGISTRY_VALIDATION=false", "MCP_REGISTRY_JWT_PRIVATE_KEY=" + strings.Repeat("1f", 32), "MCP_REGISTRY_PREPARED_LISTING_JSON=true"}}
	if _, err := t.up(ctx, "/v0.1/ping"); err != nil { // its start makes its tables
		return err
	}
	b.targets = append(b.targets, t)
	return b.seedPeer(ctx, theirs)
}

// database returns the URL of a database of that name, made when it is not there, and anew when it has grown.
func (b *bench) database(ctx context.Context, name string) (string, error) {
	db, err := sql.Open("pgx", b.postgres)
	if err != nil {
		return "", err
	}
	defer db.Close()
	if b.grown() {
		if _, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
			return "", err
		}
	}
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil && !strings.Contains(err.Error(), "already exists") {
		return "", err
	}
	u, err := url.Parse(b.postgres)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// seedPeer copies the rows into the official registry's table.
func (b *bench) seedPeer(ctx context.Context, url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	var have int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM servers").Scan(&have); err != nil || have >= len(b.rows) {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	const insert = "INSERT INTO servers (server_name, version, status, published_at, updated_at, status_changed_at, is_latest, value) VALUES ($1,$2,'active',$3,$3,$3,$4,$5)"
	for i, r := range b.rows {
		value, err := json.Marshal(r.server)
		if err != nil {
			return err
		}
		latest := i+1 == len(b.rows) || b.rows[i+1].server.Name != r.server.Name
		if _, err := tx.ExecContext(ctx, insert, r.server.Name, r.server.Version, r.at, latest, value); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM ANALYZE servers")
	return err
}

func command(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err), errors.New(string(out)))
	}
	return nil
}
