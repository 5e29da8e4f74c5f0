package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
)

// What a program may say and take.
const (
	maxSaid = 8 << 10
	maxTime = 4 * time.Second // less than a probe's, so that the others of its probe are still heard
)

// capped keeps the first bytes that are written to it and drops the rest, so that a program that never stops talking
// is heard and ends by its limit of time. The buffer is no embedded one: its ReadFrom would take everything.
type capped struct{ text bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := maxSaid - c.text.Len(); room > 0 {
		c.text.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// say runs a program for a question such as --version and returns what it prints. It is started without a shell, outside
// of the project and without mcpm's own variables, and is stopped with the context.
func (o *doctorOptions) say(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	var out, errs capped
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = os.TempDir(), &out, &errs, 300*time.Millisecond
	for _, kv := range o.Environ() {
		if !strings.HasPrefix(kv, "MCPM_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", fmt.Errorf("it gave no answer within %s", maxTime)
	}
	if err != nil {
		why := strings.TrimSpace(errs.text.String())
		if i := strings.LastIndexByte(why, '\n'); i >= 0 {
			why = why[i+1:]
		}
		return "", errors.New(app.First(why, err.Error()))
	}
	return strings.TrimSpace(out.text.String()), nil
}
