// Package e2e drives the two built programs as people do: scripts in testdata/script, each a hub on a free
// port, mcpm, and real MCP servers and clients. What is not on this machine is skipped with a reason, and
// fails with MCPHUB_TEST_ALL=1.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// bin is the directory of the built programs.
var bin string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "mcphub-e2e-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	bin = dir
	for name, pkg := range map[string]string{"mcphub": "../cmd/mcphub", "mcpm": "../cmd/mcpm", "weather": "./testdata/weather", "nosy": "./testdata/nosy", "hostile": "./testdata/hostile", "remote": "./testdata/remote", "hostapp": "./testdata/hostapp"} {
		cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return m.Run(), nil
}

func TestScripts(t *testing.T) { testscript.Run(t, scripts("testdata/script")) }

// scripts runs those in a directory, each in a home of its own with these variables as well.
func scripts(dir string, more ...string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("HOME", home)
			env.Setenv("MCPM_HOME", filepath.Join(home, ".mcpm"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
			env.Setenv("BIN", bin)
			env.Setenv("NO_COLOR", "1")
			for _, name := range passedOn {
				if v, ok := os.LookupEnv(name); ok {
					env.Setenv(name, v)
				}
			}
			realHome, err := os.UserHomeDir()
			if err != nil {
				return err
			}
			// the caches of npm, uv and Go are this machine's, so that nothing is fetched twice
			env.Setenv("npm_config_cache", filepath.Join(realHome, ".npm"))
			env.Setenv("npm_config_userconfig", filepath.Join(realHome, ".npmrc"))
			env.Setenv("UV_CACHE_DIR", filepath.Join(realHome, ".cache", "uv"))
			env.Vars = append(env.Vars, more...)
			return os.MkdirAll(home, 0o755)
		},
		Cmds:      commands(),
		Condition: condition,
	}
}

// passedOn are the settings of this machine's package clients.
var passedOn = []string{"GOPROXY", "GOFLAGS", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry",
	"NPM_CONFIG_REGISTRY", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "UV_NATIVE_TLS", "MCPHUB_TEST_POSTGRES"}

// condition answers [has:PROGRAM] and [catalogs].
func condition(cond string) (bool, error) {
	switch name, arg, _ := strings.Cut(cond, ":"); name {
	case "has":
		_, err := exec.LookPath(arg)
		return present(arg, err == nil)
	case "postgres":
		return present("PostgreSQL (MCPHUB_TEST_POSTGRES)", os.Getenv("MCPHUB_TEST_POSTGRES") != "")
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// present fails a script for want of something only where everything has to be there.
func present(what string, ok bool) (bool, error) {
	if !ok && os.Getenv("MCPHUB_TEST_ALL") == "1" {
		return false, fmt.Errorf("%s is missing, and MCPHUB_TEST_ALL=1 wants everything", what)
	}
	return ok, nil
}

// hub is a running hub.
type hub struct {
	cmd  *exec.Cmd
	url  string
	data string
	args []string
	out  *output
	done chan error
}

// output is what a process printed, safe to read while it runs.
type output struct {
	mu sync.Mutex
	b  []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, p...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b)
}

// startHub starts a hub on a free port and waits until it is ready.
func startHub(data string, env []string, args ...string) (*hub, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	h := &hub{url: "http://" + addr, data: data, args: append([]string{"serve", "--addr", addr, "--data", data, "--rate-limit", "0"}, args...)}
	return h, h.start(env)
}

func (h *hub) start(env []string) error {
	h.out, h.done = &output{}, make(chan error, 1)
	h.cmd = exec.Command(filepath.Join(bin, "mcphub"), h.args...)
	h.cmd.Env, h.cmd.Stdout, h.cmd.Stderr = env, h.out, h.out
	if err := h.cmd.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(h.cmd, h.done)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		resp, err := http.Get(h.url + "/readyz")
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-h.done:
			return fmt.Errorf("the hub ended: %v\n%s", err, h.out)
		case <-time.After(5 * time.Millisecond):
		}
	}
	h.kill()
	return errors.New("the hub does not get ready:\n" + h.out.String())
}

// stop asks the hub to end and waits for it.
func (h *hub) stop() error {
	if h.cmd == nil {
		return nil
	}
	if runtime.GOOS == "windows" {
		_ = h.cmd.Process.Kill()
	} else {
		_ = h.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case err := <-h.done:
		h.cmd = nil
		if err != nil {
			return fmt.Errorf("%w:\n%s", err, h.out)
		}
		return nil
	case <-time.After(30 * time.Second):
		_ = h.cmd.Process.Kill()
		return errors.New("the hub did not end within 30 seconds")
	}
}

// kill ends the hub as a power cut would.
func (h *hub) kill() {
	if h.cmd != nil {
		_ = h.cmd.Process.Kill()
		<-h.done
		h.cmd = nil
	}
}
