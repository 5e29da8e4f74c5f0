package trust_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/trust"
)

const (
	helloSHA256 = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	helloSRI512 = "sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw=="
	helloSRI256 = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
)

func TestDigests(t *testing.T) {
	if got := trust.SHA256([]byte("hello")); got != helloSHA256 || !trust.IsDigest(got) {
		t.Errorf("SHA256 = %s", got)
	}
	if got := trust.SRI512([]byte("hello")); got != helloSRI512 {
		t.Errorf("SRI512 = %s", got)
	}
	h := trust.NewHasher()
	for _, part := range []string{"he", "", "llo"} {
		if _, err := io.WriteString(h, part); err != nil {
			t.Fatal(err)
		}
	}
	if h.SHA256() != helloSHA256 || h.SRI512() != helloSRI512 || h.Size() != 5 {
		t.Errorf("Hasher: %s %s %d", h.SHA256(), h.SRI512(), h.Size())
	}
}

func TestCheckSRI(t *testing.T) {
	wrong := trust.SRI512([]byte("other"))
	tests := []struct {
		name, sri string
		kind      hub.Kind
		message   string
	}{
		{name: "right", sri: helloSRI512},
		{name: "one of several", sri: wrong + " " + helloSRI512},
		{name: "weaker algorithm alone", sri: helloSRI256},
		{name: "options are ignored", sri: helloSRI512 + "?ct=text/plain"},
		{name: "wrong", sri: wrong, kind: hub.Integrity,
			message: "the bytes are not the ones that were promised: expected " + wrong + ", got " + helloSRI512},
		{name: "only the strongest counts", sri: helloSRI256 + " " + wrong, kind: hub.Integrity,
			message: "the bytes are not the ones that were promised: expected " + wrong + ", got " + helloSRI512},
		{name: "empty", sri: "", kind: hub.Invalid, message: `the integrity "" holds no sha512, sha384 or sha256`},
		{name: "broken algorithm", sri: "md5-XUFAKrxLKna5cZ2REBfFkg==", kind: hub.Invalid,
			message: `the integrity "md5-XUFAKrxLKna5cZ2REBfFkg==" holds no sha512, sha384 or sha256`},
		{name: "too short", sri: "sha512-AAAA", kind: hub.Invalid, message: `the integrity "sha512-AAAA" is not sha512 in base64`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := trust.CheckSRI(tt.sri, strings.NewReader("hello"))
			if hub.KindOf(err) != tt.kind || err != nil && err.Error() != tt.message {
				t.Errorf("got %v, want %s %q", err, tt.kind, tt.message)
			}
		})
	}
	broken := errors.New("broken pipe")
	if err := trust.CheckSRI(helloSRI512, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a failed read: %v", err)
	}
}

func TestCheckDigest(t *testing.T) {
	if err := trust.CheckDigest(helloSHA256, strings.NewReader("hello")); err != nil {
		t.Error(err)
	}
	err := trust.CheckDigest(helloSHA256, strings.NewReader("hell"))
	if hub.KindOf(err) != hub.Integrity || !strings.Contains(err.Error(), "expected "+helloSHA256+", got sha256:") {
		t.Error(err)
	}
	if err := trust.CheckDigest("sha256:ABC", strings.NewReader("")); hub.KindOf(err) != hub.Invalid {
		t.Error(err)
	}
}
