package e2e

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	scenarioRE = regexp.MustCompile(`(?m)^\S (\S+): (\d+) passed, (\d+) failed`)
	suite      = "@modelcontextprotocol/conformance@0.1.13" // later ones need node 22
)

// conform runs the official conformance suite: all of it against the gateway whose answer is in a file, or "conform URL
// SCENARIO..." against the server at an address. It prints a line a scenario, and fails when one of them does. The suite
// knows no tokens, so something in front of the gateway adds it; all else it sends passes as it is.
func cmdConform(ts *testscript.TestScript, _ bool, args []string) {
	if strings.HasPrefix(args[0], "http://") {
		for _, scenario := range args[1:] {
			conforms(ts, 1, "--url", args[0], "--scenario", scenario)
		}
		return
	}
	at, token := gatewayAt(ts, args[0])
	u, err := url.Parse(at)
	ts.Check(err)
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.URL.Path = u.Path
			r.Out.Host = r.In.Host
		},
		Transport:     token,
		FlushInterval: -1,
	})
	defer front.Close()
	conforms(ts, 25, "--url", front.URL+"/mcp")
}

// conforms runs the suite, which has to run at least so many scenarios.
func conforms(ts *testscript.TestScript, least int, args ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npx", append([]string{"-y", suite, "server"}, args...)...)
	cmd.Env, cmd.Dir = append(os.Environ(), "HOME="+ts.Getenv("WORK")), ts.Getenv("WORK")
	out, err := cmd.CombinedOutput()
	if least == 1 { // it prints no summary of one
		fmt.Fprintf(ts.Stdout(), "%s", out)
		if err != nil {
			ts.Fatalf("%v: %v\n%s", args, err, out)
		}
		return
	}
	scenarios := scenarioRE.FindAllStringSubmatch(string(out), -1)
	if len(scenarios) < least {
		ts.Fatalf("the suite ran %d scenarios: %v\n%s", len(scenarios), err, out)
	}
	for _, s := range scenarios {
		fmt.Fprintf(ts.Stdout(), "%s %s %s\n", s[1], s[2], s[3])
		if s[3] != "0" {
			i := strings.Index(string(out), "=== Running scenario: "+s[1])
			rest := string(out)[max(i, 0):]
			ts.Logf("%s", rest[:min(len(rest), 2000)])
			defer ts.Fatalf("%s fails", s[1])
		}
	}
}

// conformclient SCENARIO... runs client scenarios of the suite against mcpm behind a host application, and fails when one of
// them does, or warns.
func cmdConformClient(ts *testscript.TestScript, _ bool, args []string) {
	for _, scenario := range args {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		cmd := exec.CommandContext(ctx, "npx", "-y", suite, "client", "--command", "hostapp", "--scenario", scenario)
		cmd.Env, cmd.Dir = append(environ(ts), "npm_config_cache="+ts.Getenv("npm_config_cache")), ts.Getenv("WORK")
		out, err := cmd.CombinedOutput()
		cancel()
		if err != nil || !strings.Contains(string(out), "OVERALL: PASSED") {
			ts.Fatalf("%s fails: %v\n%s", scenario, err, out)
		}
		fmt.Fprintln(ts.Stdout(), scenario, "passed")
	}
}
