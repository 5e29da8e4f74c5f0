package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// scanner walks over a JSON value once, in as many pieces as it comes in, and notes the keys of the outermost object, and
// what stands under id and method. So a message that is too large to be kept still says which request it answers.
type scanner struct {
	keys  []string
	extra int // keys beyond maxKeys
	id    []byte
	verb  []byte // under "method"
	list  bool   // the value is an array

	depth  int
	quoted bool // inside a string
	escape bool // behind a backslash in it
	where  int8 // of the outermost object: before a key, in one, or in a value
	key    []byte
	into   *[]byte
}

const (
	maxKeys  = 32
	maxKept  = 512 // bytes of a key, an id or a method
	atKey    = int8(0)
	atValue  = int8(1)
	inObject = 1
)

func (s *scanner) feed(b []byte) {
	for i := 0; i < len(b); {
		if s.quoted {
			i += s.text(b[i:])
			continue
		}
		c := b[i]
		switch c {
		case '"':
			s.quoted = true
			s.keep(c)
		case '{', '[':
			if s.depth == 0 && c == '[' {
				s.list = true
			}
			s.depth++
			s.keep(c)
		case '}', ']':
			if s.depth == inObject {
				s.ended()
			}
			s.depth--
			s.keep(c)
		case ':':
			if s.depth == inObject && s.where == atKey {
				s.named()
			} else {
				s.keep(c)
			}
		case ',':
			if s.depth == inObject {
				s.ended()
			}
			s.keep(c)
		case ' ', '\t', '\r', '\n':
		default:
			s.keep(c)
		}
		i++
	}
}

// text goes on inside a string and returns how many bytes it took.
func (s *scanner) text(b []byte) int {
	if s.escape {
		s.escape = false
		s.keep(b[0])
		return 1
	}
	n := bytes.IndexByte(b, '"')
	if n < 0 {
		n = len(b)
	}
	if at := bytes.IndexByte(b[:n], '\\'); at >= 0 {
		s.keep(b[:at+1]...)
		s.escape = true
		return at + 1
	}
	s.keep(b[:n]...)
	if n == len(b) {
		return n
	}
	s.quoted = false
	s.keep('"')
	return n + 1
}

// keep adds to the key, the id or the method.
func (s *scanner) keep(b ...byte) {
	to := s.into
	if s.depth == inObject && s.where == atKey && !s.list {
		to = &s.key
	}
	if to != nil && len(*to)+len(b) <= maxKept {
		*to = append(*to, b...)
	}
}

// named ends a key of the outermost object.
func (s *scanner) named() {
	key := string(bytes.TrimLeft(s.key, "{,"))
	var text string
	if json.Unmarshal([]byte(key), &text) == nil {
		key = text
	}
	s.key, s.where, s.into = s.key[:0], atValue, nil
	if s.list {
		return
	}
	if len(s.keys) < maxKeys {
		s.keys = append(s.keys, key)
	} else {
		s.extra++
	}
	switch key {
	case "id":
		s.id, s.into = s.id[:0], &s.id
	case "method":
		s.verb, s.into = s.verb[:0], &s.verb
	}
}

// ended ends a member of the outermost object.
func (s *scanner) ended() { s.where, s.into, s.key = atKey, nil, s.key[:0] }

// twofold returns a key that is there twice, or in two spellings: programs differ in which of them they read.
func (s *scanner) twofold() (string, bool) {
	for i, k := range s.keys {
		for _, other := range s.keys[:i] {
			if strings.EqualFold(k, other) {
				return k, true
			}
		}
	}
	return "", false
}

func (s *scanner) has(key string) bool {
	for _, k := range s.keys {
		if k == key {
			return true
		}
	}
	return false
}

// respelled returns a key that is one of names but for capitals, which some programs take for it.
func (s *scanner) respelled(names ...string) (string, bool) {
	for _, k := range s.keys {
		for _, n := range names {
			if k != n && strings.EqualFold(k, n) {
				return k, true
			}
		}
	}
	return "", false
}

// members takes a JSON object apart. It refuses one whose keys programs could read in two ways.
func members(raw []byte, names ...string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, errors.New("it is not an object")
	}
	var s scanner
	s.feed(raw)
	if k, twice := s.twofold(); twice {
		return nil, fmt.Errorf("the key %q is there twice", k)
	}
	if k, wrong := s.respelled(names...); wrong {
		return nil, fmt.Errorf("the key %q is not spelled as it has to be", k)
	}
	if s.extra > 0 {
		return nil, fmt.Errorf("it has more than %d keys", maxKeys)
	}
	return fields, nil
}

// idKey is the same for ids that mean the same: servers may spell a text or a number in another way than they got it.
func idKey(raw []byte) string {
	var text string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return "s" + text
	}
	if _, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return "n" + string(raw)
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil && f == float64(int64(f)) && f > -1<<53 && f < 1<<53 {
		return "n" + strconv.FormatInt(int64(f), 10)
	}
	return "n" + string(raw)
}
