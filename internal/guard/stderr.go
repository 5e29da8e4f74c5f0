package guard

import (
	"bytes"
	"io"
	"sync"
)

// maxPart is how much of a line is held back at once, in bytes.
const maxPart = 64 << 10

// masked writes what a server prints, a line at a time and without the secrets. Close writes what is left.
type masked struct {
	vault *Vault
	to    io.Writer

	mu   sync.Mutex
	rest []byte
}

// Stderr returns a writer for what the server prints beside the protocol. Lines come out of w without the secrets of the
// vault; Close writes a last one that has no end.
func (v *Vault) Stderr(w io.Writer) io.WriteCloser { return &masked{vault: v, to: w} }

// Write implements [io.Writer].
func (m *masked) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rest = append(m.rest, p...)
	end := bytes.LastIndexAny(m.rest, "\r\n") + 1
	var text string
	switch {
	case end > 0:
		text, _ = m.vault.hide(string(m.rest[:end]))
		m.rest = append(m.rest[:0], m.rest[end:]...)
	case len(m.rest) > maxPart: // a secret at the end may not be whole yet
		text, _ = m.vault.hide(string(m.rest))
		end = max(0, len(text)-m.vault.longest())
		m.rest = append(m.rest[:0], text[end:]...)
		text = text[:end]
	default:
		return len(p), nil
	}
	if _, err := io.WriteString(m.to, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements [io.Closer].
func (m *masked) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, _ := m.vault.hide(string(m.rest))
	m.rest = nil
	_, err := io.WriteString(m.to, text)
	return err
}
