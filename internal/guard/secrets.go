package guard

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxTokens bounds how many tokens are looked for in one text.
const maxTokens = 100

// withoutSecrets returns arguments without the secrets that mcpm gave to servers and without tokens of known forms, and says
// what was found.
func (g *Guard) withoutSecrets(args json.RawMessage) (json.RawMessage, []string) {
	args, found := g.Vault.hideIn(args)
	if g.FindSecret == nil {
		return args, found
	}
	out := mapTexts(args, func(s string) string {
		for range maxTokens {
			token := g.FindSecret(s)
			if token == "" {
				break
			}
			s = strings.ReplaceAll(s, token, "[token]")
			if !slices.Contains(found, "a token or a key") {
				found = append(found, "a token or a key")
			}
		}
		return s
	})
	if len(found) == 0 {
		return args, nil
	}
	return out, found
}

// withParams returns a message with other params.
func withParams(line []byte, params map[string]json.RawMessage) []byte {
	var top map[string]json.RawMessage
	_ = json.Unmarshal(line, &top) // it was read before
	top["params"] = encoded(params)
	return encoded(top)
}

// encoded writes maps and lists of JSON that was read before.
func encoded(v any) json.RawMessage {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // nothing in it has no form
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n"))
}

// list names what was found.
func list(found []string) string {
	const most = 5
	if more := len(found) - most; more > 0 {
		found = append(slices.Clone(found[:most]), "and more")
	}
	return strings.Join(found, ", ")
}
