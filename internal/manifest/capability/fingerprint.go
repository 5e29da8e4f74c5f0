package capability

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Fingerprint returns "sha256:<hex>" over the tool definitions among capabilities: names, descriptions
// and schemas, canonical and sorted, so that only a change of meaning changes it. "" when there are none.
func Fingerprint(capabilities []hub.Capability) string {
	type tool struct {
		Name        string `json:"name"`
		Title       string `json:"title,omitempty"`
		Description string `json:"description,omitempty"`
		Schema      any    `json:"schema,omitempty"`
	}
	var tools []tool
	for _, c := range capabilities {
		if c.Type != hub.Tool {
			continue
		}
		t := tool{Name: c.Name, Title: c.Title, Description: c.Description}
		if len(c.Schema) > 0 {
			d := json.NewDecoder(bytes.NewReader(c.Schema))
			d.UseNumber() // 1 and 1.0 stay apart, large numbers stay exact
			if d.Decode(&t.Schema) != nil {
				t.Schema = string(c.Schema)
			}
		}
		tools = append(tools, t)
	}
	if len(tools) == 0 {
		return ""
	}
	slices.SortFunc(tools, func(a, b tool) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(tools) != nil { // maps inside are written with sorted keys
		return ""
	}
	sum := sha256.Sum256(bytes.TrimRight(b.Bytes(), "\n"))
	return "sha256:" + hex.EncodeToString(sum[:])
}
