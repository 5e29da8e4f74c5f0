package guard

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

// TestHugeLine reads a message of 256 MB in one line: it is answered by its id, which stands at its end, and never kept.
func TestHugeLine(t *testing.T) {
	part := strings.Repeat(`{"id":7,"text":"\"id\":8"},`, 1<<15)
	n := 256 << 20 / len(part)
	readers := []io.Reader{strings.NewReader(`{"jsonrpc":"2.0","result":[`)}
	for range n {
		readers = append(readers, strings.NewReader(part))
	}
	readers = append(readers, strings.NewReader(`{}],"id":"last"}`+"\n"+`{"jsonrpc":"2.0","id":2,"result":{}}`))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l := newLines(io.MultiReader(readers...), 1<<20)
	p, err := l.next()
	runtime.ReadMemStats(&after)
	if err != nil || p.over == nil || string(p.over.id) != `"last"` || p.size < 255<<20 {
		t.Fatalf("%d bytes, %+v, %v", p.size, p.over, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d bytes were taken for it", grown)
	}
	if p, err := l.next(); err != nil || !strings.Contains(string(p.line), `"id":2`) {
		t.Errorf("the next line is %s, %v", p.line, err)
	}
}
