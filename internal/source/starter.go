package source

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// starter.json is a list of mcp.json manifests: well-known servers, described in our own words, each with
// a version of its package that was there when it was written down. Declared tools are what that version
// lists when it is asked; where they are missing, nobody asked.
//
//go:embed starter.json
var starter []byte

// Starter returns the catalogue a new hub fills itself with. It fails only when the program was built
// with a broken one.
func Starter() ([]Entry, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(starter, &list); err != nil {
		return nil, fmt.Errorf("starter catalogue: %w", err)
	}
	entries := make([]Entry, 0, len(list))
	for i, raw := range list {
		m, _, err := manifest.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("starter catalogue, entry %d: %w", i, err)
		}
		name, err := hub.ParseMirrorName(m.Name)
		if err != nil {
			return nil, fmt.Errorf("starter catalogue, entry %d: %w", i, err)
		}
		e := Entry{Source: fmt.Sprintf("starter[%d]", i), Name: m.Name}
		e.fill(name, OriginStarter, m, nil, nil)
		if e.Refused != "" {
			return nil, fmt.Errorf("starter catalogue, %s: %s", m.Name, e.Refused)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
