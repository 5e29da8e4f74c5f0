package hub

import (
	"encoding/json"
	"time"
)

// OfficialKey is the member of an item's _meta that the official registry API owns.
const OfficialKey = "io.modelcontextprotocol.registry/official"

// HubKey is the member of an item's _meta that this hub owns.
const HubKey = "io.mcphub/registry"

// PublisherKey is the member of server.json's own _meta that publishers may fill.
const PublisherKey = "io.modelcontextprotocol.registry/publisher-provided"

type officialMeta struct {
	Status          Status    `json:"status"`
	StatusChangedAt time.Time `json:"statusChangedAt"`
	StatusMessage   string    `json:"statusMessage,omitempty"`
	PublishedAt     time.Time `json:"publishedAt"`
	UpdatedAt       time.Time `json:"updatedAt"`
	IsLatest        bool      `json:"isLatest"`
}

type hubMeta struct {
	State           State  `json:"state"`
	Mirrored        bool   `json:"mirrored"`
	Origin          string `json:"origin,omitempty"`
	FullDescription string `json:"fullDescription,omitempty"`
	Replacement     string `json:"replacement,omitempty"`
	Bundle          string `json:"bundle,omitempty"`
}

// RenderMeta returns the _meta object of a version in the official API. It is made when a version
// changes and stored, so that lists are joined bytes.
func RenderMeta(v *Version, origin string) []byte {
	h := hubMeta{State: v.State, Mirrored: v.Mirrored, Origin: origin, FullDescription: v.FullText, Replacement: v.Replacement}
	if v.Bundle != nil {
		h.Bundle = v.Bundle.Digest
	}
	b, err := json.Marshal(map[string]any{
		OfficialKey: officialMeta{
			Status: v.State.Status(), StatusChangedAt: v.StatusChangedAt.UTC(), StatusMessage: v.Message,
			PublishedAt: v.PublishedAt.UTC(), UpdatedAt: v.UpdatedAt.UTC(), IsLatest: v.Latest,
		},
		HubKey: h,
	})
	if err != nil {
		panic("hub: RenderMeta: " + err.Error()) // strings, times and booleans always marshal
	}
	return b
}
