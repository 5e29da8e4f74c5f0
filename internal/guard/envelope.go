package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// envelope is as much of a message as is needed to say what becomes of it.
type envelope struct {
	line   []byte
	id     json.RawMessage
	method string
	answer bool // it has a result or an error
}

// names of the members of a message.
var envelopeNames = []string{"jsonrpc", "id", "method", "params", "result", "error"}

// open reads a message. It refuses what programs could read in two ways.
func open(line []byte) (*envelope, error) {
	if !json.Valid(line) {
		return nil, errors.New("it is not JSON")
	}
	var s scanner
	s.feed(line)
	return s.envelope(line)
}

func (s *scanner) envelope(line []byte) (*envelope, error) {
	if k, twice := s.twofold(); twice {
		return nil, fmt.Errorf("the key %q is there twice", k)
	}
	if k, wrong := s.respelled(envelopeNames...); wrong {
		return nil, fmt.Errorf("the key %q is not spelled as it has to be", k)
	}
	e := &envelope{line: line, id: bytes.Clone(s.id), answer: s.has("result") || s.has("error")}
	if string(e.id) == "null" {
		e.id = nil
	}
	if len(s.verb) > 0 && json.Unmarshal(s.verb, &e.method) != nil {
		return nil, errors.New("its method is not a text")
	}
	switch {
	case s.extra > 0:
		return nil, fmt.Errorf("it has more than %d keys", maxKeys)
	case len(e.id) > 0 && (e.id[0] == '{' || e.id[0] == '[' || len(e.id) >= maxKept):
		return nil, errors.New("its id is neither a short text nor a number")
	case s.has("method") && (e.answer || e.method == ""), !s.has("method") && !e.answer, s.has("result") && s.has("error"):
		return nil, errors.New("it is neither a request nor an answer")
	}
	return e, nil
}

func (e *envelope) request() bool { return e.method != "" && len(e.id) > 0 }

// batch returns the messages of a batch, which the oldest versions of MCP have, and false for a single message.
func batch(line []byte) ([]json.RawMessage, bool) {
	if len(line) == 0 || line[0] != '[' {
		return nil, false
	}
	var parts []json.RawMessage
	if json.Unmarshal(line, &parts) != nil {
		return nil, false
	}
	return parts, true
}

// each calls fn for every message of a line, each on a line of its own.
func each(line []byte, fn func(line []byte) error) error {
	parts, ok := batch(line)
	if !ok {
		return fn(oneLine(line))
	}
	for _, part := range parts {
		if err := fn(oneLine(part)); err != nil {
			return err
		}
	}
	return nil
}

// oneLine takes line breaks out of a message: some programs end a line where others do not.
func oneLine(line []byte) []byte {
	if bytes.IndexByte(line, '\r') < 0 {
		return line
	}
	var b bytes.Buffer
	if json.Compact(&b, line) != nil {
		return line
	}
	return b.Bytes()
}

// visible writes a text of a stranger so that every character of it is seen.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < ' ' || r > '~' {
			fmt.Fprintf(&b, `\u{%04X}`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
