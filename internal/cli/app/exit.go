package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
)

// The exit codes of mcpm. They are a promise to scripts.
const (
	exitDone      = 0
	ExitNo        = 1   // the answer is no: a difference, a mismatch, a failed test
	exitUsage     = 2   // the command or its input is wrong
	exitNotFound  = 3   // no such server, version or file
	exitDenied    = 4   // not logged in, or not allowed
	exitNetwork   = 5   // the hub cannot be reached, or is too busy
	exitIntegrity = 6   // bytes are not what was promised
	exitConflict  = 7   // versions do not fit together
	exitRefused   = 8   // Refused by policy or by you
	ExitInterrupt = 130 // Ctrl-C
)

// exitOf is the one table from what failed to the exit code.
var exitOf = map[hub.Kind]int{
	hub.Invalid:         exitUsage,
	hub.Malformed:       exitUsage,
	hub.NotFound:        exitNotFound,
	hub.Exists:          exitConflict,
	hub.Conflict:        exitConflict,
	hub.Unauthenticated: exitDenied,
	hub.Forbidden:       exitDenied,
	hub.Gone:            exitNotFound,
	hub.TooLarge:        exitUsage,
	hub.RateLimited:     exitNetwork,
	hub.Unavailable:     exitNetwork,
	hub.Integrity:       exitIntegrity,
}

// ExitError ends the program with a code of its own. With a nil err nothing more is said.
type ExitError struct {
	code int
	err  error
}

// Error returns the message, or the code when there is none.
func (e *ExitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the error with the message.
func (e *ExitError) Unwrap() error { return e.err }

// No makes the exit code 1 of an error: the question was answered, and the answer is no.
func No(err error) error { return &ExitError{ExitNo, err} }

// Silent ends with a code after everything was said.
func Silent(code int) error { return &ExitError{code: code} }

// Refused makes an error of the policy kind, exit code 8.
func Refused(format string, args ...any) *hub.Error {
	return hub.Errorf(RefusedKind, format, args...)
}

// RefusedKind is a kind of the command line only: a person or a rule said no.
const RefusedKind hub.Kind = "refused"

// Usage makes an error of wrong usage.
func Usage(format string, args ...any) *hub.Error { return hub.Errorf(hub.Invalid, format, args...) }

// CodeOf returns the exit code for an error.
func CodeOf(err error) int {
	var ee *ExitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &ee):
		return ee.code
	case errors.Is(err, context.Canceled):
		return ExitInterrupt
	case hub.KindOf(err) == RefusedKind:
		return exitRefused
	}
	if code, ok := exitOf[hub.KindOf(err)]; ok {
		return code
	}
	return ExitNo
}

// Report shows an error the way every error is shown: what, at most a few lines of why, and what to do.
func Report(io *term.IO, err error, asJSON bool) {
	var ee *ExitError
	if errors.As(err, &ee) && ee.err == nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(io.Err, "interrupted; nothing was half done")
		return
	}
	e := &hub.Error{}
	if !errors.As(err, &e) {
		e = hub.Errorf("internal", "%v", err).WithHint("this is a fault of mcpm; run again with -v and report what you see")
	}
	if asJSON {
		PrintJSON(io, map[string]any{"error": errorJSON{e.Kind, e.Message, e.Hint, CodeOf(err), e.Issues}})
	}
	fmt.Fprintf(io.Err, "%s\n", io.Wrap(io.Red("error:")+" "+term.Clean(e.Message), 0))
	why := reasons(e, io.Verbosity > 0)
	if len(why) > 0 {
		fmt.Fprintln(io.Err)
		for _, line := range why {
			fmt.Fprintf(io.Err, "  %s\n", io.Wrap(term.Clean(line), 2))
		}
		fmt.Fprintln(io.Err)
	}
	label := io.Accent("hint:")
	for line := range strings.Lines(e.Hint) { // more than one: several ways out
		fmt.Fprintf(io.Err, "%s %s\n", label, io.Wrap(term.Clean(strings.TrimSuffix(line, "\n")), 6))
		label = "     "
	}
	if e.Err != nil {
		io.Debugf("cause: %s\n", term.Clean(e.Err.Error()))
	}
}

type errorJSON struct {
	Kind    hub.Kind    `json:"kind"`
	Message string      `json:"message"`
	Hint    string      `json:"hint,omitempty"`
	Exit    int         `json:"exit"`
	Issues  []hub.Issue `json:"issues,omitempty"`
}

// maxReasons is how many findings an error shows without -v; maxDerivation the same for a conflict of versions,
// whose sentences follow from one another.
const (
	maxReasons    = 5
	maxDerivation = 10
)

func reasons(e *hub.Error, all bool) []string {
	var lines []string
	for _, i := range e.Issues {
		line := i.Message
		if i.Path != "" && !strings.Contains(i.Message, i.Path) {
			line = i.Path + ": " + line
		}
		if i.Line > 0 {
			line = fmt.Sprintf("line %d: %s", i.Line, line)
		}
		lines = append(lines, line)
	}
	most := maxReasons
	if e.Kind == hub.Conflict {
		most = maxDerivation
	}
	if more := len(lines) - most; more > 0 && !all {
		lines = append(lines[:most-1], fmt.Sprintf("and %d more (-v shows all)", more+1))
	}
	return lines
}

// PrintJSON writes one JSON document to Out.
func PrintJSON(io *term.IO, v any) {
	enc := json.NewEncoder(io.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // a closed pipe is the reader's wish
}
