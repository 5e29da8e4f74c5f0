package guard

import (
	"slices"
	"testing"
)

func TestScanner(t *testing.T) {
	for _, c := range []struct {
		in       string
		id, verb string
		keys     []string
	}{
		{`{"jsonrpc":"2.0","id":7,"result":{"id":8,"method":"x"}}`, `7`, ``, []string{"jsonrpc", "id", "result"}},
		{` { "method" : "tools/call" , "params":{"a":[1,{"id":2}]}, "id" : "a\"b" } `, `"a\"b"`, `"tools/call"`, []string{"method", "params", "id"}},
		{`{"\u0069d":3,"result":"},{\"id\":4"}`, `3`, ``, []string{"id", "result"}},
		{`{"id":1,"id":2}`, `2`, ``, []string{"id", "id"}},
		{`{}`, ``, ``, nil},
		{`[{"id":1}]`, ``, ``, nil},
		{`{"a":{},"id":null}`, `null`, ``, []string{"a", "id"}},
	} {
		for _, piece := range []int{1, 3, 1000} {
			var s scanner
			for part := range slices.Chunk([]byte(c.in), piece) {
				s.feed(part)
			}
			if string(s.id) != c.id || string(s.verb) != c.verb || !slices.Equal(s.keys, c.keys) {
				t.Errorf("%s in pieces of %d: id %s, method %s, keys %q", c.in, piece, s.id, s.verb, s.keys)
			}
		}
	}
}

func TestMembersRefusesTwoReadings(t *testing.T) {
	for _, in := range []string{`{"name":"a","name":"b"}`, `{"name":"a","Name":"b"}`, `{"Name":"b"}`, `{"n\u0061me":"a","name":"b"}`, `[]`, `null`, `{`} {
		if _, err := members([]byte(in), "name"); err == nil {
			t.Errorf("%s was taken", in)
		}
	}
	if got, err := members([]byte(`{"name":"a","other":{"name":1,"name":2}}`), "name"); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestIDKey(t *testing.T) {
	for _, same := range [][]string{{`1`, `1.0`, `1e0`}, {`"a/b"`, `"a\/b"`, `"\u0061/b"`}} {
		for _, s := range same {
			if idKey([]byte(s)) != idKey([]byte(same[0])) {
				t.Errorf("%s and %s are two", s, same[0])
			}
		}
	}
	if idKey([]byte(`1`)) == idKey([]byte(`"1"`)) {
		t.Error("a number is a text")
	}
}
