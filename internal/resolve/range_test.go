package resolve_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// TestRange has the rules of npm, one a line: a range, what is in it, what is not.
func TestRange(t *testing.T) {
	for _, tt := range []struct{ rng, in, out string }{
		{"1.2.3", "1.2.3 v1.2.3 1.2.3+build", "1.2.4 1.2.3-beta"},
		{"=1.2.3", "1.2.3", "1.2.4"},
		{"v1.2.3", "1.2.3", "1.2.4"},
		{"^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 2.0.0-0 1.3.0-beta"},
		{"^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"},
		{"^0.0.3", "0.0.3", "0.0.4 0.0.2"},
		{"^1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"},
		{"^0", "0.0.1 0.9.0", "1.0.0"},
		{"^0.0", "0.0.0 0.0.9", "0.1.0"},
		{"^0.x", "0.9.0", "1.0.0"},
		{"^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.10 1.2.3 1.9.0", "1.2.3-beta.1 1.2.4-beta.3 2.0.0"},
		{"~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"},
		{"~1.2", "1.2.0 1.2.9", "1.3.0"},
		{"~1", "1.0.0 1.9.0", "2.0.0"},
		{"~> 1.2.3", "1.2.9", "1.3.0"},
		{"~1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.5", "1.2.4-beta.1"},
		{"1.x", "1.0.0 1.9.0", "2.0.0 0.9.0"},
		{"1.2.*", "1.2.0 1.2.9", "1.3.0"},
		{"1.X.x", "1.9.0", "2.0.0"},
		{"*", "0.0.1 9.9.9", "1.0.0-beta"},
		{"x", "1.0.0", "1.0.0-beta"},
		{"1", "1.5.0", "2.0.0"},
		{">1.2.3", "1.2.4", "1.2.3"},
		{">1.2", "1.3.0", "1.2.9"},
		{">1", "2.0.0", "1.9.0"},
		{">=1.2 <3", "1.2.0 2.9.9", "3.0.0 1.1.0 3.0.0-beta"},
		{">=1.2, <3", "2.0.0", "3.0.0"},
		{">= 1.2   < 3", "2.0.0", "3.0.0"},
		{"<=1.2", "1.2.9 0.1.0", "1.3.0"},
		{"<=1.2.3", "1.2.3", "1.2.4"},
		{"<2", "1.9.9", "2.0.0 2.0.0-beta"},
		{">=2.0.0-beta <3", "2.0.0-beta 2.0.0-rc.1 2.5.0", "2.1.0-beta 3.0.0"},
		{"1.2.3 - 2.3.4", "1.2.3 2.3.4", "2.3.5 1.2.2"},
		{"1.2 - 2.3", "1.2.0 2.3.9", "2.4.0"},
		{"1 - 2", "1.0.0 2.9.9", "3.0.0"},
		{"^1 || ^3", "1.5.0 3.1.0", "2.0.0"},
		{"1.2.3||>=5", "1.2.3 6.0.0", "4.0.0"},
		{"||", "1.0.0", "1.0.0-beta"},
		{">=1.2 !=1.3.0", "1.2.0 1.3.1", "1.3.0"},
		{"<0.0.0", "", "0.0.0 1.0.0"},
		{">*", "", "1.0.0"},
		{"2025.06.18", "2025.06.18", "2025.6.18 2025.06.19"},
		{"2024-11-05", "2024-11-05", "2024.0.0"},
		{"beta", "", "1.0.0"},
	} {
		r, err := resolve.ParseRange(tt.rng)
		if err != nil {
			t.Errorf("%q: %v", tt.rng, err)
			continue
		}
		for v := range strings.FieldsSeq(tt.in) {
			if !r.Fits(v, nil) {
				t.Errorf("%q leaves %s out", tt.rng, v)
			}
		}
		for v := range strings.FieldsSeq(tt.out) {
			if r.Fits(v, nil) {
				t.Errorf("%q lets %s in", tt.rng, v)
			}
		}
	}
	for _, bad := range []string{">=>1", "^", "1.2.3 -", "- 1", "^^1", "1..2", "^1.2.3.4", "~~1", ">=1.x.beta && 2", "[1,2)", "^01.2", "1 ||| 2", "git+https://x", "mcpm:@a/b@1", "^1.2.3-", "^1.2.3-01"} {
		if _, err := resolve.ParseRange(bad); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q was read: %v", bad, err)
		}
	}
}

// FuzzOrder: exact ranges and comparisons agree with the order that the hub goes by.
func FuzzOrder(f *testing.F) {
	for _, s := range [][2]string{{"1.0.0", "1.0.0-rc.1"}, {"1.0.0-alpha.9", "1.0.0-alpha.10"}, {"1.0.0-a.b", "1.0.0-a"}, {"v1.0.0+x", "1.0.0"}, {"1.0.0--", "1.0.0-0"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		va, err := hub.ParseVersion(a)
		vb, err2 := hub.ParseVersion(b)
		if err != nil || err2 != nil {
			return
		}
		r, err := resolve.ParseRange(">=" + b)
		if err != nil {
			return // too long, or a number that no range has
		}
		same := va.Major() == vb.Major() && va.Minor() == vb.Minor() && va.Patch() == vb.Patch()
		if va.Prerelease() != "" && !(same && vb.Prerelease() != "") {
			return // left out, whatever the order
		}
		if want := hub.CompareVersions(a, time.Time{}, b, time.Time{}) >= 0; r.Fits(a, nil) != want {
			t.Errorf("%s in %s: %v, want %v", a, r, !want, want)
		}
	})
}
