// Package audit is the log of what the guard decided: lines of JSON in files of their owner alone, with names, sizes and
// times, and never with a value. Several programs may write to it at once.
package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Entry is one decision.
type Entry struct {
	Time      time.Time `json:"time"`
	Server    string    `json:"server"`
	Version   string    `json:"version,omitempty"`
	Tool      string    `json:"tool,omitempty"`
	Decision  string    `json:"decision"` // one of the constants below
	Reason    string    `json:"reason,omitempty"`
	Direction string    `json:"direction"`        // "call" from the client, "result" or "list" from the server
	BytesIn   int       `json:"bytesIn"`          // of the request
	BytesOut  int       `json:"bytesOut"`         // of the answer as the server gave it
	Millis    float64   `json:"millis,omitempty"` // between the two
}

// The decisions.
const (
	Allowed  = "allowed"
	Asked    = "asked"    // the person is asked, and the client comes back with the answer
	Denied   = "denied"   // the call did not reach the server, or its answer not the client
	Blocked  = "blocked"  // a tool was taken out of the list
	Masked   = "masked"   // passed on without a secret that was in it
	Recorded = "recorded" // the tools were seen for the first time
	Accepted = "accepted" // a person accepted a tool
)

// Refusal reports whether something was kept from passing.
func (e Entry) Refusal() bool { return e.Decision == Denied || e.Decision == Blocked }

const (
	name     = "guard.jsonl"
	maxSize  = 5 << 20 // bytes of one file
	maxFiles = 5       // beside the one that is written
	maxText  = 300     // bytes of a name or a reason
)

// Log writes entries below a directory. The zero value of Dir writes nothing.
type Log struct {
	Dir string

	mu sync.Mutex
	f  *os.File
}

// Write adds one line. It is in the file when Write returns.
func (l *Log) Write(e Entry) error {
	if l == nil || l.Dir == "" {
		return nil
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	e.Tool, e.Reason = cut(e.Tool), cut(e.Reason)
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.open(); err != nil {
		return err
	}
	_, err = l.f.Write(append(line, '\n')) // one write at the end of the file: no other line gets into it
	return err
}

func cut(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "..."
	}
	return s
}

// open has the current file open: another program may have put it aside.
func (l *Log) open() error {
	path := filepath.Join(l.Dir, name)
	now, err := os.Stat(path)
	if l.f != nil {
		if mine, e := l.f.Stat(); err == nil && e == nil && os.SameFile(now, mine) && now.Size() < maxSize {
			return nil
		}
		_ = l.f.Close() // every line of it was written
		l.f = nil
	}
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return err
	}
	if err == nil && now.Size() >= maxSize {
		if err := l.rotate(path); err != nil {
			return err
		}
	}
	l.f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return err
}

// rotate puts the file aside, unless another program just did.
func (l *Log) rotate(path string) error {
	unlock, err := lockedfile.MutexAt(filepath.Join(l.Dir, ".lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if info, err := os.Stat(path); err != nil || info.Size() < maxSize {
		return nil
	}
	for i := maxFiles - 1; i >= 1; i-- {
		_ = os.Rename(aside(path, i), aside(path, i+1)) // there need not be as many
	}
	return os.Rename(path, aside(path, 1))
}

func aside(path string, n int) string { return fmt.Sprintf("%s.%d", path, n) }

// Close closes the file.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}
