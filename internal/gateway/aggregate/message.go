package aggregate

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// message is one message of JSON-RPC 2.0. What it carries goes on unread, but for what a method needs.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// Codes of JSON-RPC and MCP.
const (
	parseError      = -32700
	invalidRequest  = -32600
	methodNotFound  = -32601
	invalidParams   = -32602
	internalError   = -32603
	resourceMissing = -32002
)

// maxMessage is the largest message, in bytes, from either side.
const maxMessage = 16 << 20

func (m *message) request() bool      { return m.Method != "" && m.has(m.ID) }
func (m *message) notification() bool { return m.Method != "" && !m.has(m.ID) }
func (m *message) response() bool     { return m.Method == "" && m.has(m.ID) }

func (*message) has(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// decode reads one message. Batches, which MCP no longer has, are refused.
func decode(line []byte) (*message, error) {
	m := &message{}
	if err := json.Unmarshal(line, m); err != nil {
		return nil, err
	}
	if !m.request() && !m.notification() && !m.response() {
		return nil, fmt.Errorf("it is neither a request nor an answer")
	}
	return m, nil
}

// line writes a message on one line, without its line break.
func (m *message) line() []byte {
	var b bytes.Buffer
	b.Grow(64 + len(m.Params) + len(m.Result) + len(m.Error))
	b.WriteString(`{"jsonrpc":"2.0"`)
	for _, f := range []struct {
		name string
		raw  json.RawMessage
	}{{"id", m.ID}, {"method", quoted(m.Method)}, {"params", m.Params}, {"result", m.Result}, {"error", m.Error}} {
		if len(f.raw) == 0 {
			continue
		}
		b.WriteString(`,"` + f.name + `":`)
		if bytes.ContainsAny(f.raw, "\r\n") {
			_ = json.Compact(&b, f.raw) // it was just read as JSON
		} else {
			b.Write(f.raw)
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}

func quoted(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return encoded(s)
}

// encoded writes a value that has a form in JSON, without making "<" longer than it is.
func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // maps of raw messages, texts and numbers
	return bytes.TrimSpace(b.Bytes())
}

// withField returns a JSON object with one field set; null and nothing are an empty one.
func withField(object json.RawMessage, key string, v any) (json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if len(object) > 0 {
		if err := json.Unmarshal(object, &fields); err != nil {
			return nil, err
		}
	}
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields[key] = encoded(v)
	return encoded(fields), nil
}

// rpcError is the error of an answer.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return e.Message }

func failed(code int, format string, args ...any) *rpcError {
	return &rpcError{Code: code, Message: fmt.Sprintf(format, args...)}
}
