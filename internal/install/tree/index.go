// Package tree keeps installed packages: their files under the digest of their bytes, each once however many
// packages and projects have it, and trees of hard links to them, ready to be started. What is in a tree is known to the
// byte.
package tree

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

// file is one file of a tree, or a link inside it.
type file struct {
	path string // with slashes
	sum  string // hex of SHA-512; "" of a link
	size int64
	time int64 // when it was last changed, in nanoseconds, as it was written
	exec bool
	link string // target of a link
}

// index is all files of a tree, sorted by path.
type index struct {
	files []file
	note  string // what the caller keeps beside them, one line
}

const (
	indexHead = "mcpm tree 1"
	maxIndex  = 256 << 20
	maxFiles  = 500_000
)

// bytes writes the index: a head, the note, then a line for each file.
func (x *index) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n", indexHead, x.note)
	for _, f := range x.files {
		if f.link != "" {
			fmt.Fprintf(&b, "l %s %s\n", strconv.Quote(f.path), strconv.Quote(f.link))
			continue
		}
		kind := "f"
		if f.exec {
			kind = "x"
		}
		fmt.Fprintf(&b, "%s %s %d %d %s\n", kind, f.sum, f.size, f.time, strconv.Quote(f.path))
	}
	return b.Bytes()
}

// digest is what the tree is, without when it was written: "sha512-...".
func (x *index) digest() string {
	h := sha512.New()
	var b []byte
	for _, f := range x.files {
		b = append(append(appendQuoted(b, f.path), ' '), f.sum...)
		b = strconv.AppendInt(append(b, ' '), f.size, 10)
		b = strconv.AppendBool(append(b, ' '), f.exec)
		b = append(appendQuoted(append(b, ' '), f.link), '\n')
		if len(b) >= 16<<10 {
			h.Write(b)
			b = b[:0]
		}
	}
	h.Write(b)
	return "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// appendQuoted is strconv.AppendQuote, ten times faster for names as nearly all are: every start of a server does it for
// each of its files.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return strconv.AppendQuote(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func parseIndex(raw []byte) (*index, error) {
	damaged := func(line int) error {
		return hub.Errorf(hub.Integrity, "the list of its files is damaged in line %d", line)
	}
	head, rest, _ := strings.Cut(string(raw), "\n")
	note, rest, ok := strings.Cut(rest, "\n")
	if head != indexHead || !ok {
		return nil, damaged(1)
	}
	x := &index{note: note}
	var parts [2][]file
	var wrong [2]int // lines; 0 for none
	half := len(rest)
	if at := strings.IndexByte(rest[half/2:], '\n'); at >= 0 {
		half = half/2 + at + 1
	}
	if strings.Count(rest, "\n") > maxFiles {
		return nil, damaged(maxFiles + 3)
	}
	var wg sync.WaitGroup
	for i, lines := range []string{rest[:half], rest[half:]} { // two at a time: it is read at each start of a server
		wg.Go(func() { parts[i], wrong[i] = parseFiles(lines) })
	}
	wg.Wait()
	switch {
	case wrong[0] > 0:
		return nil, damaged(wrong[0] + 2)
	case wrong[1] > 0:
		return nil, damaged(len(parts[0]) + wrong[1] + 2)
	}
	x.files = append(parts[0], parts[1]...)
	return x, nil
}

// parseFiles reads lines of an index, and says which is no file.
func parseFiles(lines string) (files []file, wrong int) {
	files = make([]file, 0, 2*strings.Count(lines, "\n")+2) // room for the other half
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\n")
		f, ok := parseFile(line)
		if !ok {
			return files, len(files) + 1
		}
		files = append(files, f)
	}
	return files, 0
}

func parseFile(line string) (file, bool) {
	kind, rest, _ := strings.Cut(line, " ")
	var f file
	if kind == "l" {
		at, err := strconv.QuotedPrefix(rest)
		if err != nil || len(rest) <= len(at) {
			return f, false
		}
		f.path, _ = strconv.Unquote(at)
		f.link, err = strconv.Unquote(rest[len(at)+1:])
		return f, err == nil && local(f.path) && inside(f.path, f.link)
	}
	sum, rest, _ := strings.Cut(rest, " ")
	size, rest, _ := strings.Cut(rest, " ")
	when, name, ok := strings.Cut(rest, " ")
	if !ok || kind != "f" && kind != "x" {
		return f, false
	}
	var errs [3]error
	f.sum, f.exec = sum, kind == "x"
	f.size, errs[0] = strconv.ParseInt(size, 10, 64)
	f.time, errs[1] = strconv.ParseInt(when, 10, 64)
	f.path, errs[2] = strconv.Unquote(name)
	return f, isSum(f.sum) && errs == [3]error{} && local(f.path)
}

// hexDigits are the bytes of a SHA-512 in hex.
var hexDigits = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true,
}

// isSum reports whether s is the hex of a SHA-512.
func isSum(s string) bool {
	for i := range len(s) {
		if !hexDigits[s[i]] {
			return false
		}
	}
	return len(s) == 2*sha512.Size
}

func local(p string) bool {
	return p != "" && path.Clean(p) == p && filepath.IsLocal(filepath.FromSlash(p))
}

// inside reports whether a link at p leads to a place in the tree.
func inside(p, target string) bool {
	return target != "" && !path.IsAbs(target) && !strings.Contains(target, `\`) && local(path.Join(path.Dir(p), target))
}

func (x *index) sort() {
	slices.SortFunc(x.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
}
