package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestManyWriters has several programs write at once, over the size at which a file is put aside: no line is torn or lost.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Repeat("x", maxSize-40_000)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const writers, each = 4, 400
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			l := &Log{Dir: dir} // one for each, as programs have
			defer l.Close()
			for i := range each {
				if err := l.Write(Entry{Time: time.Now(), Server: fmt.Sprint(w), Tool: fmt.Sprint(i), Decision: Allowed}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, file := range []string{aside(path, 1), path} {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 2*maxSize)
		for lines.Scan() {
			var e Entry
			if strings.HasPrefix(lines.Text(), "x") {
				continue
			}
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("a torn line: %.100s", lines.Text())
			}
			seen[e.Server+" "+e.Tool] = true
		}
	}
	if len(seen) != writers*each {
		t.Errorf("%d of %d lines are there", len(seen), writers*each)
	}
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	l := &Log{Dir: dir}
	defer l.Close()
	for i := range maxFiles + 3 {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fmt.Sprintf(`{"decision":"allowed","server":"%d"}`, i)+"\n"+strings.Repeat("\n", maxSize)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Write(Entry{Server: "last", Decision: Denied, Tool: strings.Repeat("é", 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, name+"*"))
	if len(files) != maxFiles+1 {
		t.Errorf("there are %d files: %v", len(files), files)
	}
	var got []string
	if err := Read(dir, func(e Entry) error { got = append(got, e.Server); return nil }); err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, " ") != "3 4 5 6 7 last" {
		t.Errorf("what is read is %v", got)
	}
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	l := &Log{Dir: dir}
	defer l.Close()
	if err := l.Write(Entry{Server: "before", Decision: Allowed}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan string, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- Follow(ctx, dir, 5*time.Millisecond, func(e Entry) error { got <- e.Server; return nil })
	}()
	time.Sleep(50 * time.Millisecond)
	for i := range 3 {
		if i == 1 { // as another program does
			if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, name+".1")); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Write(Entry{Server: fmt.Sprint(i), Decision: Allowed}); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-got:
			if s != fmt.Sprint(i) {
				t.Errorf("%s came, want %d", s, i)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
