package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

// FuzzDecodeCursor guards: a cursor is read, or refused as Malformed with one message; what was read survives being
// written and read again.
func FuzzDecodeCursor(f *testing.F) {
	for _, v := range []any{
		serverCursor{Sort: hub.SortUpdated, Name: "acme/db", Micros: 1, AsOf: 2, Filter: Filters{Package: "npm"}},
		catalogCursor{Name: "acme/db", Version: "1.0.0", Since: -1, Deleted: true},
		searchCursor{Offset: 20, Text: "a b"}, capabilityCursor{Last: hub.CapabilityCount{Name: "x", Servers: 3}},
	} {
		f.Add(encodeCursor(v))
	}
	for _, s := range []string{"", "!!", "bm9wZQ", "e30", "bnVsbA", "W10", strings.Repeat("A", maxCursor+1), "eyJrIjoiIn0", "e30="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, v := range []any{&serverCursor{}, &catalogCursor{}, &searchCursor{}, &capabilityCursor{}} {
			err := decodeCursor(s, v)
			if err != nil {
				if hub.KindOf(err) != hub.Malformed || err.Error() != "the cursor is not one of this hub's" {
					t.Fatalf("%q: %s %v", s, hub.KindOf(err), err)
				}
				continue
			}
			if len(s) > maxCursor {
				t.Fatalf("a cursor of %d characters was read", len(s))
			}
			one := encodeCursor(v)
			if strings.ContainsAny(one, "+/=&?#% ") {
				t.Fatalf("the cursor %q needs escaping in an address", one)
			}
			if err := decodeCursor(one, v); len(one) <= maxCursor && (err != nil || encodeCursor(v) != one) {
				t.Fatalf("%q is read and written as %q, and then as %q (%v)", s, one, encodeCursor(v), err)
			}
		}
	})
}

// FuzzContentDigest guards: the header gives "sha256:" and 64 hex digits, nothing, or Malformed.
func FuzzContentDigest(f *testing.F) {
	sum := sha256.Sum256([]byte("bundle"))
	good := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	for _, s := range []string{"", good, "sha-512=:AAAA:, " + good, "SHA-256" + good[7:], "sha-256=:", "sha-256=::", "sha-256=:" + strings.Repeat("A", 44), "sha-256", "=", ",", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := contentDigest(s)
		switch {
		case err != nil && (d != "" || hub.KindOf(err) != hub.Malformed):
			t.Fatalf("%q: %q %v", s, d, err)
		case err != nil || s == "" && d == "":
		default:
			raw, err := hex.DecodeString(strings.TrimPrefix(d, "sha256:"))
			if err != nil || len(raw) != 32 || !strings.HasPrefix(d, "sha256:") || !strings.Contains(strings.ToLower(s), "sha-256") {
				t.Fatalf("%q gives %q", s, d)
			}
		}
	})
}

// form writes a form of the parts name, value, name, value ...
func form(parts ...string) string {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("edge"); err != nil {
		panic(err)
	}
	for i := 0; i+1 < len(parts); i += 2 {
		if err := w.WriteField(parts[i], parts[i+1]); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

const formType = "multipart/form-data; boundary=edge"

// FuzzReadForm guards: a form is read with a bounded manifest, or refused with a kind; never a crash, never an
// internal error.
func FuzzReadForm(f *testing.F) {
	f.Add(formType, form("manifest", "{}"))
	f.Add(formType, form("manifest", "{}", "bundle", "bytes"))
	f.Add(formType, form("bundle", "bytes", "manifest", "{}"))
	f.Add(formType, form("manifest", "{}")[:30])
	f.Add("multipart/form-data; boundary=\"\"", "--\r\n")
	f.Add("multipart/form-data;;;", "")
	f.Add("application/json", "{}")
	f.Add(formType, "--edge\r\nContent-Disposition: form-data; name=manifest\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n--edge--")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		p, err := readForm(contentType, strings.NewReader(body))
		if err != nil {
			if k := hub.KindOf(err); k != hub.Malformed && k != hub.TooLarge {
				t.Fatalf("%q: %s %v", body, k, err)
			}
			return
		}
		if len(p.Manifest) > maxManifest || p.Format != hub.FormatMCP {
			t.Fatalf("%d bytes of manifest, format %q", len(p.Manifest), p.Format)
		}
		if p.Bundle != nil {
			_, _ = io.Copy(io.Discard, p.Bundle) // may fail, and must end
		}
	})
}

// FuzzCheckDepth guards: JSON as deep as maxDepth passes and anything deeper does not, whatever its strings say.
func FuzzCheckDepth(f *testing.F) {
	for _, s := range []string{`{}`, `"[[[["`, `"\"[["`, `{"a":[{"b":"\\"}]}`, strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), `"\`, `]]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := checkDepth(data)
		if !json.Valid(data) {
			return // it is refused by the parser that comes next
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		depth, deepest := 0, 0
		for {
			tok, terr := dec.Token()
			if terr != nil {
				break
			}
			switch tok {
			case json.Delim('{'), json.Delim('['):
				depth++
				deepest = max(deepest, depth)
			case json.Delim('}'), json.Delim(']'):
				depth--
			}
		}
		if (err != nil) != (deepest > maxDepth) {
			t.Fatalf("depth %d: %v", deepest, err)
		}
	})
}

// brokenReader ends with an error, as a connection that breaks off does.
type brokenReader struct{ io.Reader }

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

var (
	zeros    = "sha-256=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":"
	badForms = []struct{ rule, contentType, body, message string }{
		{"no type", "", form("manifest", "{}"), `the body is "" and not a multipart/form-data form`},
		{"JSON", "application/json", "{}", `the body is "application/json" and not a multipart/form-data form`},
		{"another multipart", "multipart/mixed; boundary=edge", form("manifest", "{}"), `the body is "multipart/mixed; boundary=edge" and not a multipart/form-data form`},
		{"no boundary", "multipart/form-data", form("manifest", "{}"), `the body is "multipart/form-data" and not a multipart/form-data form`},
		{"another boundary", "multipart/form-data; boundary=other", form("manifest", "{}"), "the first part of the form is not manifest"},
		{"an empty body", formType, "", "the first part of the form is not manifest"},
		{"no parts", formType, form(), "the first part of the form is not manifest"},
		{"the wrong order", formType, form("bundle", "bytes", "manifest", "{}"), "the first part of the form is not manifest"},
		{"another second part", formType, form("manifest", "{}", "readme", "x"), `the second part of the form is "readme" and not bundle`},
		{"cut off in the manifest", formType, form("manifest", "{}")[:60], "the request ended before its body was whole"},
		{"cut off after the manifest", formType, strings.TrimSuffix(form("manifest", "{}"), "--edge--\r\n"), "the request ended before its body was whole"},
		{"cut off in the head of the bundle", formType, form("manifest", "{}", "bundle", "x")[:110], "the request ended before its body was whole"},
		{"a manifest over a MiB", formType, form("manifest", strings.Repeat("x", maxManifest+1)), "the manifest is larger than 1048576 bytes"},
		{"a digest of another kind", formType, strings.Replace(form("manifest", "{}", "bundle", "x"), `name="bundle"`, "name=\"bundle\"\r\nContent-Digest: sha-512=:AAAA:", 1), `Content-Digest "sha-512=:AAAA:" has no sha-256`},
	}
	digests = []struct{ header, want string }{ // want "" when it is refused
		{zeros, "sha256:" + strings.Repeat("0", 64)},
		{"SHA-256" + zeros[7:], "sha256:" + strings.Repeat("0", 64)},
		{"sha-512=:AAAA: , " + zeros, "sha256:" + strings.Repeat("0", 64)},
		{"sha-256=:AAAA:", ""},
		{"sha-256=" + strings.Trim(zeros[8:], ":"), ""},
		{"sha-256=::", ""},
		{"sha-256=:", ""},
		{"sha-256=:" + strings.Repeat("!", 44) + ":", ""},
		{"md5=:AAAA:", ""},
		{"sha256:" + strings.Repeat("0", 64), ""},
	}
)

func TestBadForms(t *testing.T) {
	for _, c := range badForms {
		_, err := readForm(c.contentType, brokenReader{strings.NewReader(c.body)})
		if err == nil || err.Error() != c.message {
			t.Errorf("%s: %v, want %s", c.rule, err, c.message)
		}
	}
	p, err := readForm(formType, strings.NewReader(form("manifest", strings.Repeat("x", maxManifest), "bundle", "bytes")))
	if err != nil || len(p.Manifest) != maxManifest {
		t.Fatalf("a manifest of a MiB: %v", err)
	}
	if b, err := io.ReadAll(p.Bundle); err != nil || string(b) != "bytes" {
		t.Errorf("bundle %q %v", b, err)
	}
}

func TestContentDigests(t *testing.T) {
	if got, err := contentDigest(""); got != "" || err != nil {
		t.Errorf("no header: %q %v", got, err)
	}
	for _, c := range digests {
		got, err := contentDigest(c.header)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q %v, want %q", c.header, got, err, c.want)
		}
	}
}
