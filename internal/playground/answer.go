package playground

import (
	"encoding/json"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Limits of what is shown of an answer.
const (
	maxPieces = 50
	maxText   = 64 << 10 // bytes of a piece
	maxTail   = 1 << 10  // bytes of what a server says beside the protocol
)

// Answer is what a tool answered.
type Answer struct {
	Pieces     []Piece
	More       int    // pieces that are left out
	Structured string // JSON, "" for none
	Failed     bool   // the tool says that it could not do it
	Took       time.Duration
}

// Piece is a part of an answer: a text, or what is told of something else.
type Piece struct {
	Kind string // text, image, audio, link or resource
	Text string // what is shown of it
	Type string // its media type
	Size int    // bytes, of what is not shown
	Cut  bool   // Text is its beginning
}

func answerOf(res *mcp.CallToolResult) *Answer {
	a := &Answer{Failed: res.IsError}
	for _, c := range res.Content {
		if len(a.Pieces) == maxPieces {
			a.More = len(res.Content) - maxPieces
			break
		}
		a.Pieces = append(a.Pieces, pieceOf(c))
	}
	if res.StructuredContent != nil {
		if b, err := json.MarshalIndent(res.StructuredContent, "", "  "); err == nil {
			a.Structured, _ = short(string(b))
		}
	}
	return a
}

func pieceOf(content mcp.Content) Piece {
	var p Piece
	switch c := content.(type) {
	case *mcp.TextContent:
		p = Piece{Kind: "text", Text: c.Text}
	case *mcp.ImageContent:
		p = Piece{Kind: "image", Type: c.MIMEType, Size: len(c.Data)}
	case *mcp.AudioContent:
		p = Piece{Kind: "audio", Type: c.MIMEType, Size: len(c.Data)}
	case *mcp.ResourceLink:
		p = Piece{Kind: "link", Text: c.URI, Type: c.MIMEType}
	case *mcp.EmbeddedResource:
		p = Piece{Kind: "resource"}
		if r := c.Resource; r != nil {
			p.Type, p.Text, p.Size = r.MIMEType, r.Text, len(r.Blob)
			if r.Text == "" {
				p.Text = r.URI
			}
		}
	default:
		p = Piece{Kind: "something this hub does not know"}
	}
	p.Text, p.Cut = short(p.Text)
	p.Type, _, _ = strings.Cut(p.Type, ";")
	return p
}

// short cuts a text at maxText bytes, and makes it readable.
func short(s string) (string, bool) {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= maxText {
		return s, false
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], true
}

// bounded ends after so many bytes.
type bounded struct {
	io.ReadCloser
	left atomic.Int64
}

// Read implements [io.Reader].
func (b *bounded) Read(p []byte) (int, error) {
	left := b.left.Load()
	if left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), left)])
	b.left.Add(int64(-n))
	return n, err
}

func (b *bounded) over() bool { return b.left.Load() <= 0 }

// tail keeps the last that is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements [io.Writer]. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text); n > maxTail {
		t.text = append(t.text[:0], t.text[n-maxTail:]...)
	}
	return len(p), nil
}

// String is the last line or lines, as one.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(t.text), "")), " ")
}
