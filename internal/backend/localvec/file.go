package localvec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/hub"
)

// magic begins a file; its last byte is the format.
const magic = "mcphub vectors\n\x03"

// maxRecord bounds what is believed of a record's length.
const maxRecord = 16 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logFile is a file of changes: magic, then records of length, CRC-32C and body, in the order they were made.
type logFile struct {
	f    *os.File
	size int64
}

// openLog reads a file into a set and cuts off a tail that is not whole. A file of another format is begun anew.
func openLog(path string, into *set) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, failed("opened", err)
	}
	l := &logFile{f: f}
	r := bufio.NewReaderSize(f, 1<<20)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		if err := errors.Join(f.Truncate(0), l.write(0, []byte(magic))); err != nil {
			f.Close()
			return nil, failed("opened", err)
		}
		return l, nil
	}
	l.size = int64(len(magic))
	for {
		e, n, ok := readRecord(r)
		if !ok || e.dims != 0 && into.dims != 0 && e.dims != into.dims {
			break
		}
		into.apply(e)
		l.size += n
	}
	if err := f.Truncate(l.size); err != nil {
		f.Close()
		return nil, failed("opened", err)
	}
	into.center()
	into.clip()
	return l, nil
}

// writeLog writes a set to a new file that takes the place of path.
func writeLog(path string, s *set) (*logFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), fileName+".*")
	if err != nil {
		return nil, failed("written", err)
	}
	l := &logFile{f: f}
	w := bufio.NewWriterSize(f, 1<<20)
	w.WriteString(magic) //nolint:errcheck // Flush tells
	l.size = int64(len(magic))
	var b []byte
	for e := range s.entries() {
		b = appendRecord(b[:0], e)
		w.Write(b) //nolint:errcheck // Flush tells
		l.size += int64(len(b))
	}
	if err := errors.Join(w.Flush(), f.Sync(), os.Rename(f.Name(), path)); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, failed("written", err)
	}
	return l, nil
}

// append writes changes and waits for the disk. What could not be written whole is taken back.
func (l *logFile) append(entries []entry) error {
	var b []byte
	for _, e := range entries {
		b = appendRecord(b, e)
	}
	if err := l.write(l.size, b); err != nil {
		return failed("written", errors.Join(err, l.f.Truncate(l.size)))
	}
	return nil
}

func (l *logFile) write(at int64, b []byte) error {
	if _, err := l.f.WriteAt(b, at); err != nil {
		return err
	}
	if err := l.f.Sync(); err != nil {
		return err
	}
	l.size = at + int64(len(b))
	return nil
}

func (l *logFile) close() error { return l.f.Close() }

func appendRecord(to []byte, e entry) []byte {
	start := len(to)
	to = append(to, make([]byte, 8)...)
	to = appendText(to, e.id)
	if e.removed {
		to = append(to, 0)
	} else {
		to = append(to, 1)
		to = binary.AppendUvarint(to, uint64(len(e.labels)))
		for _, l := range e.labels {
			to = appendText(to, l)
		}
		to = binary.AppendUvarint(to, uint64(e.dims))
		to = binary.AppendUvarint(to, uint64(len(e.scales)))
		for i, scale := range e.scales {
			to = binary.LittleEndian.AppendUint32(to, math.Float32bits(scale))
			for _, x := range e.bytes[i*e.dims : (i+1)*e.dims] {
				to = append(to, byte(x))
			}
		}
	}
	body := to[start+8:]
	binary.LittleEndian.PutUint32(to[start:], uint32(len(body)))
	binary.LittleEndian.PutUint32(to[start+4:], crc32.Checksum(body, castagnoli))
	return to
}

func appendText(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}

// readRecord returns the next change and its length in the file; not ok at the end and for what is not whole.
func readRecord(r io.Reader) (e entry, n int64, ok bool) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return e, 0, false
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size > maxRecord {
		return e, 0, false
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil || crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return e, 0, false
	}
	e, err := parseRecord(body)
	return e, int64(size) + 8, err == nil
}

var errRecord = hub.Errorf(hub.Integrity, "a record of the vectors is broken")

// recordReader reads the parts of a record's body; bad is set by the first that is not there.
type recordReader struct {
	b   []byte
	bad bool
}

func (r *recordReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *recordReader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func parseRecord(body []byte) (entry, error) {
	r := &recordReader{b: body}
	e := entry{id: string(r.take(r.number()))}
	kind := r.take(1)
	if r.bad || kind[0] == 0 {
		e.removed = true
		if r.bad {
			return e, errRecord
		}
		return e, nil
	}
	for n := r.number(); n > 0 && !r.bad; n-- {
		e.labels = append(e.labels, string(r.take(r.number())))
	}
	dims, parts := r.number(), r.number()
	if r.bad || dims > maxRecord || parts > maxParts || uint64(len(r.b)) != parts*(dims+4) {
		return e, errRecord
	}
	e.dims = int(dims)
	for range parts {
		e.scales = append(e.scales, math.Float32frombits(binary.LittleEndian.Uint32(r.take(4))))
		for _, x := range r.take(dims) {
			e.bytes = append(e.bytes, int8(x))
		}
	}
	return e, nil
}
