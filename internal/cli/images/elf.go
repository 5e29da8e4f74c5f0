package images

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
)

// machines are the architectures that images are made for, as an ELF file names them.
var machines = map[uint16]string{62: "amd64", 183: "arm64"}

// program is what the head of an ELF file says.
type program struct {
	arch   string // "amd64", "arm64", "" for another
	loader bool   // it needs one, and so libraries of the system
}

const (
	elfHeader  = 64
	segment    = 56
	interpSeg  = 3
	maxSegment = 256
)

// readELF looks at a file; false when it is no program or library of 64 bits for Linux. debug/elf would do the same with a
// debugger's needs in mind, and a hundred times the code.
func readELF(root *os.Root, path string) (program, bool) {
	f, err := root.Open(filepath.FromSlash(path))
	if err != nil {
		return program{}, false
	}
	defer f.Close()
	head := make([]byte, elfHeader)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:4]) != "\x7fELF" || head[4] != 2 || head[5] != 1 {
		return program{}, false
	}
	p := program{arch: machines[binary.LittleEndian.Uint16(head[18:])]}
	at, size, n := binary.LittleEndian.Uint64(head[32:]), binary.LittleEndian.Uint16(head[54:]), binary.LittleEndian.Uint16(head[56:])
	if size != segment || n > maxSegment || at > 1<<40 {
		return p, true
	}
	segments := make([]byte, int(n)*segment)
	if _, err := f.ReadAt(segments, int64(at)); err != nil {
		return p, true
	}
	for i := range int(n) {
		p.loader = p.loader || binary.LittleEndian.Uint32(segments[i*segment:]) == interpSeg
	}
	return p, true
}
