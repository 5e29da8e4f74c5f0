package check

import (
	"context"
	"fmt"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
)

// status says how good what was found is.
type status string

const (
	fine    status = "ok"
	absent  status = "absent"  // not here, and nothing that is installed needs it
	notice  status = "notice"  // somebody should know, and everything works
	problem status = "problem" // something does not work
)

// The repairs of --fix.
const (
	fixStore = "store"
	fixHosts = "hosts"
)

// finding is one line of doctor's answer.
type finding struct {
	Group  string `json:"group"`
	Name   string `json:"name"`
	Status status `json:"status"`
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
	Fix    string `json:"fix,omitempty"` // what --fix would repair: store or hosts
}

// probe asks one part of the machine. Its question may not change anything, and ends with its context; one that does
// not is left behind.
type probe struct {
	group string
	limit time.Duration
	ask   func(ctx context.Context) []finding
}

// askAll asks all probes at once and returns their findings in the order of the probes. It takes as long as the longest
// limit at most.
func askAll(ctx context.Context, probes []probe) []finding {
	answers := make([]chan []finding, len(probes))
	for i, p := range probes {
		answers[i] = make(chan []finding, 1)
		go func() {
			within, cancel := context.WithTimeout(ctx, p.limit)
			defer cancel()
			answer := make(chan []finding, 1)
			go func() { answer <- p.ask(within) }()
			select {
			case found := <-answer:
				answers[i] <- found
			case <-within.Done():
				answers[i] <- []finding{{Name: "asking", Status: problem, Text: fmt.Sprintf("gave no answer within %s", p.limit)}}
			}
		}()
	}
	var all []finding
	for i, p := range probes {
		for _, f := range <-answers[i] {
			f.Group, f.Name, f.Text, f.Hint = p.group, app.Clean(f.Name), cut(f.Text), cut(f.Hint)
			all = append(all, f)
		}
	}
	return all
}

// maxText is how much of a finding is shown: parts of it come from files and programs of others.
const maxText = 400

func cut(s string) string {
	s = app.Clean(s)
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-3]) + "..."
	}
	return s
}
