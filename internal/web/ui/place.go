package ui

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Place is the last server of the page before, as it stands in an address.
type Place struct {
	Name   hub.Name `json:"n"`
	Number int64    `json:"i,omitempty"`
	Micros int64    `json:"t,omitempty"`
}

// String writes it for an address.
func (p Place) String() string {
	b, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParsePlace reads a place; what is none is the beginning.
func ParsePlace(s string) *hub.ServerAfter {
	var p Place
	b, err := base64.RawURLEncoding.DecodeString(s)
	if s == "" || err != nil || json.Unmarshal(b, &p) != nil || p.Name == "" {
		return nil
	}
	return &hub.ServerAfter{Name: p.Name, Number: p.Number, Time: time.UnixMicro(p.Micros).UTC()}
}
