package hosts

import (
	"bytes"
	"encoding/json"

	"github.com/mcphub/mcphub/internal/hub"
)

// Entry is one server as a host has to start or reach it: Command for a local one, URL for a remote one.
type Entry struct {
	Command   string
	Args      []string
	Env       map[string]string
	Transport string // of a remote one: streamable-http (default) or sse
	URL       string
	Headers   map[string]string
}

// RunEntry is the entry for a server that mcpm starts: command is mcpm's path, or just "mcpm".
func RunEntry(command, name string, more ...string) Entry {
	return Entry{Command: command, Args: append([]string{"run", name}, more...)}
}

// member order in the file is the order here.
type entryJSON struct {
	Type    string            `json:"type,omitempty"`
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// Render returns the JSON value that stands for the entry in the host's file, compact. Invalid when the
// host's file cannot name a remote server and the entry is one.
func Render(h Host, e Entry) (json.RawMessage, error) {
	out := entryJSON{Type: h.shape.stdioType, Command: e.Command, Args: e.Args, Env: e.Env}
	if e.URL != "" {
		transport := e.Transport
		if transport == "" {
			transport = "streamable-http"
		}
		kind, ok := h.shape.remote[transport]
		if !ok {
			return nil, hub.Errorf(hub.Invalid, "%s cannot name a remote server (%s) in its configuration file", h.Name, transport).
				WithHint("let mcpm bridge it: {\"command\": \"mcpm\", \"args\": [\"run\", \"NAME\"]}")
		}
		out = entryJSON{Type: kind, URL: e.URL, Headers: e.Headers}
	}
	return marshal(out)
}

// File returns a whole file of the host that holds just the given entries, indented by two spaces, with
// a newline at the end. Names are in the order given.
func File(h Host, names []string, entries map[string]Entry) ([]byte, error) {
	text := []byte("{}\n")
	for _, name := range names {
		value, err := Render(h, entries[name])
		if err != nil {
			return nil, err
		}
		if text, _, err = Insert(text, h.Key, name, value); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// Example returns a whole file with one local and, where the host can, one remote server.
func Example(h Host) []byte {
	names := []string{"weather"}
	entries := map[string]Entry{"weather": RunEntry("mcpm", "@acme/weather")}
	if h.Remote() {
		names = append(names, "tickets")
		entries["tickets"] = Entry{URL: "https://mcp.example.com/mcp", Headers: map[string]string{"Authorization": "Bearer TOKEN"}}
	}
	text, err := File(h, names, entries)
	if err != nil {
		panic("hosts: Example: " + err.Error()) // every row of the table is rendered by a test
	}
	return text
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "<" and "&" in arguments stay readable
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
