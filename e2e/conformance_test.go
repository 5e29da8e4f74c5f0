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

// conform FILE runs the official conformance suite against a gateway. It prints a line a scenario, and fails when one of
// them does. The suite knows no tokens, so something in front of the gateway adds it; all else it sends passes as it is.
func cmdConform(ts *testscript.TestScript, _ bool, args []string) {
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
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npx", "-y", suite, "server", "--url", front.URL+"/mcp")
	cmd.Env, cmd.Dir = append(os.Environ(), "HOME="+ts.Getenv("WORK")), ts.Getenv("WORK")
	out, err := cmd.CombinedOutput()
	scenarios := scenarioRE.FindAllStringSubmatch(string(out), -1)
	if len(scenarios) < 25 {
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
