package gateway

import (
	"bytes"
	"encoding/json"
)

// message is as much of a JSON-RPC message as a bridge has to know. The bytes themselves go on unread.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name string `json:"name"`
		URI  string `json:"uri"`
		Meta struct {
			Version string `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	} `json:"params"`
	Result *struct {
		ProtocolVersion string `json:"protocolVersion"`
	} `json:"result"`
	Error json.RawMessage `json:"error"`
}

// peek reads a line; a batch counts as a request when any of its parts is one.
func peek(line []byte) (m message, ids []json.RawMessage) {
	trimmed := bytes.TrimLeft(line, " \t")
	if len(trimmed) > 0 && trimmed[0] == '[' {
		var batch []message
		_ = json.Unmarshal(line, &batch)
		for _, part := range batch {
			if part.request() {
				ids = append(ids, part.ID)
			}
		}
		return message{}, ids
	}
	_ = json.Unmarshal(line, &m) // what is not JSON goes on all the same; the server says so
	if m.request() {
		ids = append(ids, m.ID)
	}
	return m, ids
}

// answered returns the ids of the requests that a message answers; those of all its parts for a batch.
func answered(line []byte) (ids []json.RawMessage) {
	batch := make([]message, 1)
	if trimmed := bytes.TrimLeft(line, " \t"); len(trimmed) > 0 && trimmed[0] == '[' {
		_ = json.Unmarshal(line, &batch) // what cannot be read answers nothing
	} else {
		batch[0], _ = peek(line)
	}
	for _, m := range batch {
		if m.answers() {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (m *message) request() bool {
	return m.Method != "" && len(m.ID) > 0 && !bytes.Equal(m.ID, []byte("null"))
}

// answers reports whether m is a result or an error, not a request.
func (m *message) answers() bool { return m.Method == "" && len(m.ID) > 0 }

// name returns what the Mcp-Name header has to say.
func (m *message) name() string {
	switch m.Method {
	case "tools/call", "prompts/get":
		return m.Params.Name
	case "resources/read":
		return m.Params.URI
	}
	return ""
}

// errorLine makes the answer to a request that could not be delivered.
func errorLine(id json.RawMessage, text string) []byte {
	b, _ := json.Marshal(struct { // strings and raw JSON that was parsed before always marshal
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{"2.0", id, map[string]any{"code": -32000, "message": text}})
	return b
}

// oneLine returns a JSON message without line breaks; one that has none stays as it is.
func oneLine(data []byte) []byte {
	data = bytes.TrimSpace(data)
	if !bytes.ContainsAny(data, "\r\n") {
		return data
	}
	var b bytes.Buffer
	if json.Compact(&b, data) == nil {
		return b.Bytes()
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r"), nil), []byte("\n"), []byte(" "))
}
