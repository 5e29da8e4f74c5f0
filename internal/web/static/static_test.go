package static_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/web/static"
)

func TestServe(t *testing.T) {
	f := static.Load()
	get := func(target, encoding string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", target, nil)
		r.Header.Set("Accept-Encoding", encoding)
		f.ServeHTTP(w, r)
		return w
	}
	hashed := f.Path("app.css")
	plain := get(hashed, "")
	if plain.Code != 200 || plain.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || plain.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %d %v", hashed, plain.Code, plain.Header())
	}
	small := get(hashed, "br, gzip")
	z, err := gzip.NewReader(small.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(z); string(b) != plain.Body.String() {
		t.Error("compressed and plain differ")
	}
	if w := get(hashed, "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("gzip is sent to one who refuses it")
	}
	if w := get("/assets/app.css", ""); w.Code != 200 || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("the name without hash: %d %v", w.Code, w.Header())
	}
	for _, name := range []string{"/assets/", "/assets/nothing.css", "/assets/../static.go", "/assets/app.000000000000.css"} {
		if w := get(name, ""); w.Code != 404 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestNothingFromElsewhere guards: no style or script of ours loads anything.
func TestNothingFromElsewhere(t *testing.T) {
	css, err := os.ReadFile("assets/app.css")
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`url\([^)]*|@import[^;]*|@font-face`).FindString(string(css)); m != "" {
		t.Errorf("app.css has %q", m)
	}
}

// TestFresh guards: the committed style was made from the committed sources. It needs no node.
func TestFresh(t *testing.T) {
	sum := sha256.New()
	names, err := filepath.Glob("../style/*")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	input := regexp.MustCompile(`\.css$|^build\.js$|^icons\.txt$|^package-lock\.json$`)
	for _, path := range names {
		if name := filepath.Base(path); input.MatchString(name) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sum.Write([]byte(name + "\n"))
			sum.Write(text)
		}
	}
	words := map[string]bool{}
	class := regexp.MustCompile(`class="([^"]*)"`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".templ") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range class.FindAllStringSubmatch(string(text), -1) {
			for _, w := range strings.Fields(m[1]) {
				words[w] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, 0, len(words))
	for w := range words {
		all = append(all, w)
	}
	slices.Sort(all)
	sum.Write([]byte(strings.Join(all, "\n")))
	want, err := os.ReadFile("inputs.sum")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.TrimSpace(string(want)) {
		t.Errorf("the style is older than its sources (%s): make generate", got)
	}
}
