package api

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// maxCursor bounds what is read of a cursor, in characters.
const maxCursor = 2048

// encodeCursor writes a cursor: base64url of JSON, so that it needs no escaping in an address (VS Code
// sends it unescaped) and can carry the filters of the list (VS Code drops those on the next page).
func encodeCursor(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("api: encodeCursor: " + err.Error()) // plain structs always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads a cursor made by encodeCursor into v. Malformed when it is anything else.
func decodeCursor(s string, v any) error {
	bad := hub.Errorf(hub.Malformed, "the cursor is not one of this hub's").
		WithHint("send back the nextCursor of the page before as it is, or leave it out to start again")
	if len(s) > maxCursor {
		return bad
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return bad.WithCause(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return bad.WithCause(err)
	}
	if hasNUL(b) {
		return bad
	}
	return nil
}

// serverCursor is the place in a list of servers, with its order and filters.
type serverCursor struct {
	Sort    hub.Sort `json:"o,omitempty"`
	Keyword string   `json:"w,omitempty"`
	Name    hub.Name `json:"n,omitempty"`
	Number  int64    `json:"i,omitempty"`
	Micros  int64    `json:"t,omitempty"`
	AsOf    int64    `json:"a,omitempty"`
	Filter  Filters  `json:"f,omitzero"`
}

// catalogCursor is the place in the official list, with its filters.
type catalogCursor struct {
	Name    hub.Name `json:"n"`
	Version string   `json:"v"`
	Search  string   `json:"s,omitempty"`
	Since   int64    `json:"u,omitempty"` // microseconds
	Only    string   `json:"o,omitempty"` // version filter
	Deleted bool     `json:"d,omitempty"`
}

// capabilityCursor is the place in the list of capabilities.
type capabilityCursor struct {
	Last   hub.CapabilityCount `json:"l"`
	Type   hub.CapabilityType  `json:"t,omitempty"`
	Prefix string              `json:"p,omitempty"`
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
