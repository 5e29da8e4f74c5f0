package guard

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// leastSecret is the shortest value that is looked for, in bytes: a shorter one is found by chance in what is no secret.
const (
	leastSecret = 6
	leastLine   = 16 // of one that has several lines
)

// Vault holds the secrets that mcpm gave to servers, so that none of them is in what servers say, or is handed to another
// server. The servers of a gateway share one.
type Vault struct {
	mu     sync.RWMutex
	values []given
}

type given struct {
	server, name, value string
	written             []byte // as it is written in JSON, without the quotes
}

// Add notes the secrets of a server, by their names.
func (v *Vault) Add(server string, secrets map[string]string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.values = slices.DeleteFunc(v.values, func(g given) bool { return g.server == server })
	add := func(name, value string) {
		v.values = append(v.values, given{server, name, value, bytes.Trim(quote(value), `"`)})
	}
	for name, value := range secrets {
		if len(value) >= leastSecret {
			add(name, value)
		}
		if lines := strings.Split(value, "\n"); len(lines) > 1 { // of a key, which may be told line by line
			for _, line := range lines {
				if line = strings.TrimSpace(line); len(line) >= leastLine && !strings.HasPrefix(line, "-----") {
					add(name, line)
				}
			}
		}
	}
	// The longer first: one may hold another.
	slices.SortFunc(v.values, func(a, b given) int { return len(b.value) - len(a.value) })
}

// longest is the length of the longest secret, in bytes.
func (v *Vault) longest() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(v.values) == 0 {
		return 0
	}
	return len(v.values[0].value)
}

// hide replaces the secrets in a text, and names them.
func (v *Vault) hide(text string) (string, []string) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var found []string
	for _, g := range v.values {
		if strings.Contains(text, g.value) {
			text = strings.ReplaceAll(text, g.value, "[secret "+g.name+"]")
			found = append(found, g.name+" of "+g.server)
		}
	}
	return text, found
}

// hideIn replaces the secrets in the texts and numbers of a JSON value, and names them. What has none stays the very bytes.
func (v *Vault) hideIn(raw []byte) ([]byte, []string) {
	if !v.suspects(raw) {
		return raw, nil
	}
	var found []string
	out := mapTexts(raw, func(s string) string {
		s, names := v.hide(s)
		for _, n := range names {
			if !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
		return s
	})
	if len(found) == 0 {
		return raw, nil
	}
	return out, found
}

// suspects reports whether JSON may hold a secret: as it is usually written, or in one of the other ways that escapes allow.
func (v *Vault) suspects(raw []byte) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(v.values) == 0 {
		return false
	}
	if bytes.Contains(raw, []byte(`\u`)) || bytes.Contains(raw, []byte(`\/`)) {
		return true
	}
	return slices.ContainsFunc(v.values, func(g given) bool { return bytes.Contains(raw, g.written) })
}

// mapTexts writes JSON anew with what fn makes of each text, keys among them, and of each number; everything else stays.
func mapTexts(raw []byte, fn func(string) string) []byte {
	out := make([]byte, 0, len(raw)+64)
	for i := 0; i < len(raw); {
		end := i
		switch c := raw[i]; {
		case c == '"':
			end = closing(raw, i)
			var text string
			if json.Unmarshal(raw[i:end], &text) == nil {
				if is := fn(text); is != text {
					out = append(out, quote(is)...)
					i = end
					continue
				}
			}
		case c == '-' || c >= '0' && c <= '9':
			for end < len(raw) && strings.IndexByte("+-.eE0123456789", raw[end]) >= 0 {
				end++
			}
			text := string(raw[i:end])
			if is := fn(text); is != text {
				out = append(out, quote(is)...)
				i = end
				continue
			}
		default:
			end = i + 1
		}
		out = append(out, raw[i:end]...)
		i = end
	}
	return out
}

// closing returns where the string that begins at i ends.
func closing(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text has a form in JSON
	return bytes.TrimSpace(b.Bytes())
}
