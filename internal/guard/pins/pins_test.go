package pins

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReadIsCanonical(t *testing.T) {
	same := []string{
		`{"name":"a","inputSchema":{"x":1,"y":[true,null,"é"]}}`,
		`{ "inputSchema" : {"y":[true,null,"\u00e9"],"x":1}, "name":"\u0061", "_meta":{"n":1}, "icons":[] }`,
	}
	first, err := Read([]byte(same[0]))
	if err != nil || first.Name != "a" {
		t.Fatal(first, err)
	}
	if again, err := Read([]byte(same[1])); err != nil || again.Digest != first.Digest {
		t.Errorf("%s, %v", again.Definition, err)
	}
	for _, other := range []string{`{"name":"a","inputSchema":{"x":1.0,"y":[true,null,"é"]}}`, `{"name":"a","inputSchema":{"x":1,"y":[null,true,"é"]}}`, `{"name":"a","inputSchema":{"x":1,"y":[true,null,"é"]},"Name":"b"}`} {
		if is, err := Read([]byte(other)); err != nil || is.Digest == first.Digest {
			t.Errorf("%s is taken for the same (%v)", other, err)
		}
	}
	for _, bad := range []string{
		`{"name":"a","name":"b"}`, `{"name":"a","inputSchema":{"p":{"d":1,"\u0064":2}}}`, `{"name":""}`, `{"name":7}`, `{}`, `[]`, `null`, `{"name":"a"} {}`, "{\"name\":\"\xff\"}",
		`{"name":"a","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, `{"name":"a","x":"` + strings.Repeat("x", maxDefinition) + `"}`, `{"name":"` + strings.Repeat("x", 300) + `"}`,
	} {
		if is, err := Read([]byte(bad)); err == nil {
			t.Errorf("%.100s was taken as %.100s", bad, is.Definition)
		}
	}
}

// TestTwoPrograms has two programs record at once: nothing of either is lost.
func TestTwoPrograms(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for p := range 2 {
		wg.Go(func() {
			s := Open(dir, Key{Server: "@acme/db"}, nil)
			for i := range 50 {
				tool, err := Read([]byte(fmt.Sprintf(`{"name":"t%d_%d"}`, p, i)))
				if err != nil {
					t.Error(err)
				}
				if _, _, err := s.Judge([]Tool{tool}, false, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	f, err := Open(dir, Key{Server: "@acme/db"}, nil).Read()
	if err != nil || len(f.Tools) != 100 {
		t.Errorf("%d tools are there: %v", len(f.Tools), err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

func TestKeysAreApart(t *testing.T) {
	dir := t.TempDir()
	tool, err := Read([]byte(`{"name":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, Key{Server: "s", Manifest: "1"}, nil).Judge([]Tool{tool}, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, k := range []Key{{Server: "s", Manifest: "2"}, {Server: "s", Manifest: "1", Project: "/p"}, {Server: "s", Manifest: "1", Entry: "e"}} {
		if f, err := Open(dir, k, nil).Read(); err != nil || f.Complete {
			t.Errorf("%+v knows the tools of another", k)
		}
	}
	stores, err := Of(dir, "s", "", "1")
	if err != nil || len(stores) != 1 {
		t.Errorf("%v, %v", stores, err)
	}
}
