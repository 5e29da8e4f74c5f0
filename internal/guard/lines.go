package guard

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads messages, one a line.
type lines struct {
	br  *bufio.Reader
	max int64 // bytes
}

// piece is a line, or what is known of one that is too large to be kept.
type piece struct {
	line []byte
	over *scanner // of a line with more than max bytes
	size int
}

// next returns the next line that is not empty. What it returns is the caller's. Of a line that is too large no more than
// max bytes are ever held.
func (l *lines) next() (piece, error) {
	for {
		p, err := l.one()
		if err != nil && len(p.line) == 0 && p.over == nil {
			return p, err
		}
		if p.over != nil || len(p.line) > 0 {
			return p, nil
		}
	}
}

func (l *lines) one() (p piece, err error) {
	for {
		part, err := l.br.ReadSlice('\n')
		p.size += len(part)
		switch {
		case p.over != nil:
			p.over.feed(part)
		case int64(len(p.line)+len(part)) > l.max:
			p.over = &scanner{}
			p.over.feed(p.line)
			p.over.feed(part)
			p.line = nil
		case p.line == nil:
			p.line = append(make([]byte, 0, len(part)+1), part...)
		default:
			p.line = append(p.line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		p.line = bytes.TrimSpace(p.line)
		return p, err
	}
}

func newLines(r io.Reader, max int64) *lines {
	return &lines{br: bufio.NewReaderSize(r, 64<<10), max: max}
}
