package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// maxMessage is the longest message passed in either direction.
const maxMessage = 64 << 20

var errTooLong = errors.New("a message is longer than 64 MiB")

// event is one server-sent event.
type event struct {
	name  string
	data  []byte
	id    string
	hasID bool
	retry time.Duration
}

// readEvents calls fn for every event until the stream ends. io.EOF is its regular end.
func readEvents(r io.Reader, fn func(event) error) error {
	br := bufio.NewReaderSize(r, 64<<10)
	var e event
	seen := false
	for first := true; ; first = false {
		line, err := readLine(br)
		if err != nil {
			return err // an event the stream broke off in does not count
		}
		if first {
			line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
		}
		if len(line) == 0 {
			if seen {
				e.data = bytes.TrimSuffix(e.data, []byte("\n"))
				if err := fn(e); err != nil {
					return err
				}
			}
			e, seen = event{}, false
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			if len(e.data)+len(value) > maxMessage {
				return errTooLong
			}
			e.data = append(append(e.data, value...), '\n')
			seen = true
		case "event":
			e.name, seen = string(value), true
		case "id":
			if !bytes.ContainsRune(value, 0) {
				e.id, e.hasID, seen = string(value), true, true
			}
		case "retry":
			if n, err := strconv.Atoi(string(value)); err == nil && n >= 0 {
				e.retry, seen = time.Duration(n)*time.Millisecond, true
			}
		}
	}
}

// readLine returns the next line without its end, "\n", "\r\n" or the last bytes before the end.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		if len(line)+len(part) > maxMessage {
			return nil, errTooLong
		}
		if err == nil && line == nil {
			return bytes.TrimRight(part, "\r\n"), nil // valid until the next read
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return bytes.TrimRight(line, "\r\n"), nil
		default:
			return nil, err
		}
	}
}
