package e2e

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdFiles serves the files of a directory over https: files DIR sets $FILES, and $SSL_CERT_FILE to what its certificate
// was signed with.
func cmdFiles(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	s := httptest.NewTLSServer(http.FileServer(http.Dir(dir)))
	ts.Defer(s.Close)
	ca := filepath.Join(ts.Getenv("WORK"), "ca.pem")
	ts.Check(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o644))
	ts.Setenv("FILES", s.URL)
	ts.Setenv("SSL_CERT_FILE", ca)
}

// cmdArchive packs a directory: archive FILE DIR writes a zip, with files below bin/ as programs, and sets $SHA256 to its
// digest.
func cmdArchive(ts *testscript.TestScript, _ bool, args []string) {
	file, dir := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	out, err := os.Create(file)
	ts.Check(err)
	z := zip.NewWriter(out)
	ts.Check(filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasPrefix(h.Name, "bin/") {
			h.SetMode(0o755)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	}))
	ts.Check(z.Close())
	ts.Check(out.Close())
	b, err := os.ReadFile(file)
	ts.Check(err)
	sum := sha256.Sum256(b)
	ts.Setenv("SHA256", hex.EncodeToString(sum[:]))
}
