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
		b = append(append(strconv.AppendQuote(b, f.path), ' '), f.sum...)
		b = strconv.AppendInt(append(b, ' '), f.size, 10)
		b = strconv.AppendBool(append(b, ' '), f.exec)
		b = append(strconv.AppendQuote(append(b, ' '), f.link), '\n')
		if len(b) >= 16<<10 {
			h.Write(b)
			b = b[:0]
		}
	}
	h.Write(b)
	return "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil))
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
	x := &index{note: note, files: make([]file, 0, min(maxFiles, strings.Count(rest, "\n")+1))}
	for n := 3; rest != ""; n++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		f, ok := parseFile(line)
		if !ok || len(x.files) == maxFiles {
			return nil, damaged(n)
		}
		x.files = append(x.files, f)
	}
	return x, nil
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

// isSum reports whether s is the hex of a SHA-512.
func isSum(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'f') && (s[i] < '0' || s[i] > '9') {
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
