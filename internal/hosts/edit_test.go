package hosts_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files")

// fixture is one case: a file before and after an entry was added. What txtar cannot hold is said by a line
// "flags:" in its comment: crlf, bom, and open for no line break at the end.
type fixture struct {
	archive       *txtar.Archive
	before, after []byte
}

func readFixture(t testing.TB, file string) fixture {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Files) != 2 || a.Files[0].Name != "before" || a.Files[1].Name != "after" {
		t.Fatalf("%s: want the files before and after", file)
	}
	return fixture{a, unpack(string(a.Comment), a.Files[0].Data), unpack(string(a.Comment), a.Files[1].Data)}
}

func flags(comment string) string {
	_, flags, _ := strings.Cut(comment, "flags: ")
	flags, _, _ = strings.Cut(flags, "\n")
	return flags
}

func unpack(comment string, data []byte) []byte {
	text := string(data)
	if strings.Contains(flags(comment), "open") {
		text = strings.TrimSuffix(text, "\n")
	}
	if strings.Contains(flags(comment), "crlf") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if strings.Contains(flags(comment), "bom") {
		text = "\uFEFF" + text
	}
	return []byte(text)
}

func pack(data []byte) []byte {
	text := strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\uFEFF")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text)
}

// Every case under testdata/HOST: after is before with one server more, and taking that server out again
// gives back before, byte for byte.
func TestInsertRemoveGolden(t *testing.T) {
	for _, h := range hosts.All() {
		cases, err := filepath.Glob("testdata/" + h.ID + "/*.txtar")
		if err != nil || len(cases) < 5 {
			t.Fatalf("%s has %d fixtures (%v)", h.ID, len(cases), err)
		}
		value, err := hosts.Render(h, hosts.RunEntry("/usr/local/bin/mcpm", "@acme/db"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range cases {
			t.Run(h.ID+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				f := readFixture(t, file)
				after, undo, err := h.Insert(f.before, "db", value)
				if err != nil {
					t.Fatal(err)
				}
				if *update {
					f.archive.Files[1].Data = pack(after)
					if err := os.WriteFile(file, txtar.Format(f.archive), 0o644); err != nil {
						t.Fatal(err)
					}
					f = readFixture(t, file)
				}
				if len(bytes.TrimSpace(f.before)) == 0 { // a new file ends in a line break
					f.after = bytes.TrimSuffix(pack(f.after), []byte("\n"))
					f.after = append(f.after, '\n')
				}
				if diff := cmp.Diff(string(f.after), string(after)); diff != "" {
					t.Errorf("after (-want +got):\n%s", diff)
				}
				restored, err := h.Remove(after, "db", undo, true)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(f.before), string(restored)); diff != "" {
					t.Errorf("restored (-want +got):\n%s", diff)
				}
				manyOrders(t, h, f.before, value)
			})
		}
	}
}

// manyOrders puts three servers in and takes them out in every order, and writes one of them anew between.
func manyOrders(t *testing.T, h hosts.Host, before []byte, value json.RawMessage) {
	t.Helper()
	names := []string{"one", "two", "three"}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		text, first := before, hosts.Undo{}
		for i, name := range names {
			next, undo, err := h.Insert(text, name, value)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = undo
				if next, err = h.Remove(next, name, hosts.Undo{}, false); err != nil {
					t.Fatal(err)
				}
				if next, _, err = h.Insert(next, name, value); err != nil {
					t.Fatal(err)
				}
			}
			text = next
		}
		for i, n := range order {
			next, err := h.Remove(text, names[n], first, i == len(order)-1)
			if err != nil {
				t.Fatal(err)
			}
			text = next
		}
		if !bytes.Equal(text, before) {
			t.Errorf("removed in order %v:\n%s", order, cmp.Diff(string(before), string(text)))
		}
	}
}
