package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

var passwordLengths = []struct {
	rule, password, message string // message "" when it is allowed
}{
	{"nine characters are too few", "123456789", "the password has 9 characters; it needs 10 to 256"},
	{"none at all", "", "the password has 0 characters; it needs 10 to 256"},
	{"ten are enough", "1234567890", ""},
	{"characters count, not bytes", strings.Repeat("ä", 9), "the password has 9 characters; it needs 10 to 256"},
	{"the longest, of four bytes each", strings.Repeat("\U0001F40E", 256), ""},
	{"one too many", strings.Repeat("x", 257), "the password has 257 characters; it needs 10 to 256"},
}

func TestPasswordLength(t *testing.T) {
	for _, c := range passwordLengths {
		phc, err := auth.HashPassword(t.Context(), c.password)
		if c.message != "" {
			refused(t, c.rule, err, hub.Invalid, c.message)
			continue
		}
		must(t, err)
		if ok, err := auth.VerifyPassword(t.Context(), phc, c.password); !ok || err != nil {
			t.Errorf("%s: does not match itself (%v)", c.rule, err)
		}
	}
}

// TestPasswordHash guards: the stored form is a salted argon2id PHC string, and only the password matches it.
func TestPasswordHash(t *testing.T) {
	one, err := auth.HashPassword(t.Context(), goodPassword)
	must(t, err)
	two, err := auth.HashPassword(t.Context(), goodPassword)
	must(t, err)
	if one == two {
		t.Error("two hashes of one password are alike: there is no salt")
	}
	if !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(one, goodPassword) {
		t.Errorf("PHC string %q", one)
	}
	for _, wrong := range []string{"", "correct horse batter", goodPassword + " ", strings.ToUpper(goodPassword), strings.Repeat("x", 5000)} {
		if ok, err := auth.VerifyPassword(t.Context(), one, wrong); ok || err != nil {
			t.Errorf("%.40q matches (%v)", wrong, err)
		}
	}
}

// TestMalformedHash guards: what cannot be read as a hash never matches, and costs no memory.
func TestMalformedHash(t *testing.T) {
	phc, err := auth.HashPassword(t.Context(), goodPassword)
	must(t, err)
	parts := strings.Split(phc, "$")
	with := func(i int, s string) string {
		p := append([]string(nil), parts...)
		p[i] = s
		return strings.Join(p, "$")
	}
	for rule, bad := range map[string]string{
		"empty":               "",
		"plain text":          goodPassword,
		"another algorithm":   with(1, "argon2i"),
		"another version":     with(2, "v=16"),
		"no version":          with(2, ""),
		"no parameters":       with(3, ""),
		"letters for numbers": with(3, "m=x,t=2,p=1"),
		"a negative number":   with(3, "m=-1,t=2,p=1"),
		"terabytes of memory": with(3, "m=4000000000,t=2,p=1"),
		"no passes":           with(3, "m=19456,t=0,p=1"),
		"endless passes":      with(3, "m=19456,t=4000000000,p=1"),
		"no threads":          with(3, "m=19456,t=2,p=0"),
		"a salt not base64":   with(4, "!!!"),
		"a hash not base64":   with(5, "!!!"),
		"an empty hash":       with(5, ""),
		"a part too many":     phc + "$x",
	} {
		if ok, err := auth.VerifyPassword(t.Context(), bad, goodPassword); ok || err != nil {
			t.Errorf("%s: matches %v, error %v", rule, ok, err)
		}
	}
}

// TestHashingIsBounded guards: when the caller gave up, nothing is derived for them.
func TestHashingIsBounded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // a free place may be taken all the same; the error, when it comes, is the right one
		if _, err := auth.HashPassword(ctx, goodPassword); err != nil {
			refused(t, "gave up", err, hub.Unavailable, "too many sign-ins at once")
			return
		}
	}
	t.Error("a caller that gave up always got a place")
}
