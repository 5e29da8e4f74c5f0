package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rogpeppe/go-internal/testscript"
)

// running are the hubs of scripts, by script's work directory and name.
var running sync.Map

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"hub":           cmdHub,
		"account":       cmdAccount,
		"get":           cmdGet,
		"call":          cmdCall,
		"conform":       cmdConform,
		"conformclient": cmdConformClient,
		"await":         cmdAwait,
		"subst":         cmdSubst,
		"install":       cmdGoInstall,
		"database":      cmdDatabase,
		"tamper":        cmdTamper,
		"forge":         cmdForge,
		"files":         cmdFiles,
		"archive":       cmdArchive,
	}
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range append(slices.Clone(passedOn), "PATH", "HOME", "MCPM_HOME", "XDG_CONFIG_HOME", "MCPM_REGISTRY", "MCPM_TOKEN", "NO_COLOR",
		"npm_config_cache", "npm_config_userconfig", "UV_CACHE_DIR", "TMPDIR", "MCPHUB_DATABASE", "http_proxy", "https_proxy", "MCPM_SANDBOX", "SECRET_OF_MINE", "DOCKER_HOST") {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// tamper FILE changes the last byte of the one file that a pattern finds; tamper FILE OLD NEW replaces a text in the one
// that has it.
func cmdTamper(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(args) == 3 {
		files = slices.DeleteFunc(files, func(f string) bool {
			b, err := os.ReadFile(f)
			return err != nil || !strings.Contains(string(b), args[1])
		})
	}
	if len(files) != 1 {
		ts.Fatalf("%s finds %d files", args[0], len(files))
	}
	b, err := os.ReadFile(files[0])
	ts.Check(err)
	if len(args) == 3 {
		b = []byte(strings.Replace(string(b), args[1], args[2], 1))
	} else {
		b[len(b)-1] ^= 1
	}
	ts.Check(os.Remove(files[0])) // not the one that is shared
	ts.Check(os.WriteFile(files[0], b, 0o644))
}

// hub start [ARGS...] starts a hub in $WORK/data and sets $HUB and $MCPM_REGISTRY; hub stop, hub kill and
// hub restart act on it.
func cmdHub(ts *testscript.TestScript, neg bool, args []string) {
	key := ts.Getenv("WORK")
	if args[0] == "start" {
		h, err := startHub(filepath.Join(key, "data"), environ(ts), args[1:]...)
		if neg {
			if err == nil {
				ts.Fatalf("the hub started")
			}
			fmt.Fprintln(ts.Stdout(), err)
			return
		}
		ts.Check(err)
		running.Store(key, h)
		ts.Defer(func() { _ = h.stop() })
		ts.Setenv("HUB", h.url)
		ts.Setenv("HUB_ADDR", strings.TrimPrefix(h.url, "http://"))
		ts.Setenv("MCPM_REGISTRY", h.url)
		for range 100 { // what it prints comes over a pipe, and may be later than its first answer
			if strings.Contains(h.out.String(), "/docs/api\n") {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Fprint(ts.Stdout(), h.out.String())
		return
	}
	v, ok := running.Load(key)
	if !ok {
		ts.Fatalf("no hub runs")
	}
	h := v.(*hub)
	switch args[0] {
	case "stop":
		ts.Check(h.stop())
	case "kill":
		h.kill()
	case "restart":
		ts.Check(h.stop())
		ts.Check(h.start(environ(ts)))
	case "log":
		fmt.Fprint(ts.Stdout(), h.out.String())
	default:
		ts.Fatalf("hub %s?", args[0])
	}
}

// account NAME [SCOPE] [ROLE] makes an account with the password "correct horse battery" and puts an API key
// into $MCPM_TOKEN.
func cmdAccount(ts *testscript.TestScript, _ bool, args []string) {
	scope := "publish"
	if len(args) > 1 {
		scope = args[1]
	}
	data := filepath.Join(ts.Getenv("WORK"), "data")
	add := exec.Command(filepath.Join(bin, "mcphub"), "admin", "user", "add", args[0], "--email", args[0]+"@example.com", "--data", data)
	if len(args) > 2 && args[2] == "admin" {
		add.Args = append(add.Args, "--admin")
	}
	add.Env, add.Stdin = environ(ts), strings.NewReader("correct horse battery\n")
	if out, err := add.CombinedOutput(); err != nil {
		ts.Fatalf("account: %v\n%s", err, out)
	}
	key := exec.Command(filepath.Join(bin, "mcphub"), "admin", "key", args[0], "--scope", scope, "--data", data)
	key.Env = environ(ts)
	out, err := key.Output()
	ts.Check(err)
	ts.Setenv("MCPM_TOKEN", strings.TrimSpace(string(out)))
}

// get PATH [STATUS] prints the answer of the hub.
func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	url := args[0]
	if strings.HasPrefix(url, "/") {
		url = ts.Getenv("HUB") + url
	}
	resp, err := http.Get(url)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
	want := "200"
	if len(args) > 1 {
		want = args[1]
	}
	if fmt.Sprint(resp.StatusCode) != want {
		ts.Fatalf("GET %s: %s, want %s\n%s", url, resp.Status, want, body)
	}
}

// call TOOL JSON COMMAND ARGS... starts COMMAND as an MCP server with the SDK's client, calls the tool and
// prints the text of its result.
func cmdCall(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var errs strings.Builder
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	session, err := client.Connect(ctx, transportTo(ts, args[2:], &errs), nil)
	if err != nil {
		if neg {
			fmt.Fprintln(ts.Stderr(), errs.String())
			return
		}
		ts.Fatalf("connect: %v\n%s", err, errs.String())
	}
	defer session.Close()
	var params map[string]any
	ts.Check(json.Unmarshal([]byte(args[1]), &params))
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: args[0], Arguments: params})
	if err != nil && neg {
		_ = session.Close() // waits for the end of what it writes
		fmt.Fprintln(ts.Stderr(), err, errs.String())
		return
	}
	if err != nil {
		ts.Fatalf("call: %v\n%s", err, errs.String())
	}
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			fmt.Fprintln(ts.Stdout(), text.Text)
		}
	}
	_ = session.Close() // waits for the end of what it writes
	fmt.Fprint(ts.Stderr(), errs.String())
	if res.IsError != neg {
		ts.Fatalf("the tool's isError is %v", res.IsError)
	}
}

// transportTo reaches a server: a command, or with @FILE the gateway whose answer of JSON is in the file.
func transportTo(ts *testscript.TestScript, args []string, errs io.Writer) mcp.Transport {
	path := args[0]
	if file, ok := strings.CutPrefix(path, "@"); ok {
		url, token := gatewayAt(ts, file)
		return &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: token}}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(bin, path)
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stderr = environ(ts), ts.MkAbs("."), errs
	return &mcp.CommandTransport{Command: cmd}
}

// gatewayAt reads what a gateway said of itself.
func gatewayAt(ts *testscript.TestScript, file string) (url string, token bearer) {
	var at struct{ URL, TokenFile string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &at))
	return at.URL, bearer(strings.TrimSpace(ts.ReadFile(at.TokenFile)))
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// await PATH REGEXP asks the hub until the answer matches, for at most 15 seconds.
func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	re := regexp.MustCompile(args[1])
	var body []byte
	for range 150 {
		resp, err := http.Get(ts.Getenv("HUB") + args[0])
		if err == nil {
			body, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil && re.Match(body) {
			fmt.Fprintf(ts.Stdout(), "%s\n", body)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("GET %s never matched %s:\n%s", args[0], args[1], body)
}

// subst FILE expands $VARIABLES of the script in a file.
func cmdSubst(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o644))
	}
}

// install NAME PACKAGE@VERSION builds a Go program of others, once for all scripts, and puts it on the path.
func cmdGoInstall(ts *testscript.TestScript, _ bool, args []string) {
	dir := filepath.Join("..", ".cache", "bin")
	abs, err := filepath.Abs(dir)
	ts.Check(err)
	if _, err := os.Stat(filepath.Join(abs, args[0])); err != nil {
		cmd := exec.Command("go", "install", args[1])
		cmd.Env = append(os.Environ(), "GOBIN="+abs, "CGO_ENABLED=0")
		cmd.Dir = os.TempDir() // outside of this module, whose versions are other ones
		if out, err := cmd.CombinedOutput(); err != nil {
			ts.Fatalf("go install %s: %v\n%s", args[1], err, out)
		}
	}
	ts.Setenv("PATH", abs+string(os.PathListSeparator)+ts.Getenv("PATH"))
}
