package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// maxLine is the longest line that is read, in bytes. Those that are written are shorter.
const maxLine = 64 << 10

// Read calls fn with every entry below dir, the oldest first. Lines that are not entries are passed over.
func Read(dir string, fn func(Entry) error) error {
	path := filepath.Join(dir, name)
	for i := maxFiles; i >= 0; i-- {
		file := path
		if i > 0 {
			file = aside(path, i)
		}
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = each(f, fn)
		_ = f.Close() // it was only read
		if err != nil {
			return err
		}
	}
	return nil
}

func each(r io.Reader, fn func(Entry) error) error {
	lines := bufio.NewReaderSize(r, maxLine)
	for skip := false; ; {
		line, more, err := lines.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !skip && !more && len(line) > 0 { // longer ones are no entries
			if err := one(line, fn); err != nil {
				return err
			}
		}
		skip = more
	}
}

func one(line []byte, fn func(Entry) error) error {
	var e Entry
	if json.Unmarshal(line, &e) != nil || e.Decision == "" {
		return nil
	}
	return fn(e)
}

// Follow calls fn with entries as they are written from now on, looked for every so often, until ctx ends.
func Follow(ctx context.Context, dir string, every time.Duration, fn func(Entry) error) error {
	path := filepath.Join(dir, name)
	var f *os.File
	var rest []byte
	defer func() { _ = f.Close() }() // a nil file only says that it is one
	if f, _ = os.Open(path); f != nil {
		if _, err := f.Seek(0, io.SeekEnd); err != nil {
			return err
		}
	}
	for {
		if f != nil {
			more, err := io.ReadAll(f)
			if err != nil {
				return err
			}
			rest = append(rest, more...)
			for {
				line, after, whole := bytes.Cut(rest, []byte{'\n'})
				if !whole {
					break
				}
				if err := one(line, fn); err != nil {
					return err
				}
				rest = after
			}
			if len(rest) > maxLine {
				rest = nil
			}
		}
		f, rest = current(path, f, rest)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// current returns the file that is written now, from its beginning when it is another one.
func current(path string, f *os.File, rest []byte) (*os.File, []byte) {
	now, err := os.Stat(path)
	if err != nil {
		return f, rest
	}
	if f != nil {
		if mine, err := f.Stat(); err == nil && os.SameFile(now, mine) {
			return f, rest
		}
		if more, err := io.ReadAll(f); err == nil && len(more) > 0 {
			return f, append(rest, more...) // its last lines come first
		}
		_ = f.Close() // it was only read
	}
	next, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	return next, nil
}
