package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// database NAME makes an empty PostgreSQL database for this script alone and puts its address into $DATABASE and
// $MCPHUB_DATABASE, where programs look for it.
func cmdDatabase(ts *testscript.TestScript, _ bool, args []string) {
	target := os.Getenv("MCPHUB_TEST_POSTGRES")
	u, err := url.Parse(target)
	ts.Check(err)
	name := fmt.Sprintf("e2e_%s_%d", args[0], time.Now().UnixNano())
	run := func(statement string) {
		if out, err := exec.Command("psql", target, "-q", "-c", statement).CombinedOutput(); err != nil {
			ts.Fatalf("%s: %v\n%s", statement, err, out)
		}
	}
	run("CREATE DATABASE " + name)
	ts.Defer(func() { run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	u.Path = "/" + name
	ts.Setenv("DATABASE", u.String())
	ts.Setenv("MCPHUB_DATABASE", u.String())
}
