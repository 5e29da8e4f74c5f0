package spdx_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/manifest/spdx"
)

func TestCheck(t *testing.T) {
	tests := []struct {
		expr    string
		unknown []string
		err     string
	}{
		{expr: "MIT"},
		{expr: "apache-2.0"},
		{expr: "GPL-2.0+ WITH Classpath-exception-2.0"},
		{expr: "(MIT OR Apache-2.0) AND BSD-3-Clause"},
		{expr: "LicenseRef-acme-1"},
		{expr: "DocumentRef-x:LicenseRef-acme"},
		{expr: "MIT AND Acme-1.0", unknown: []string{"Acme-1.0"}},
		{expr: "", err: "a licence is missing at the end"},
		{expr: "MIT OR", err: "a licence is missing at the end"},
		{expr: "OR MIT", err: `"OR" is not a licence identifier`},
		{expr: "MIT Apache-2.0", err: `"Apache-2.0" is not expected after "MIT"; join licences with AND or OR`},
		{expr: "(MIT", err: "a ( is not closed"},
		{expr: "MIT/Apache-2.0", err: `"/" does not belong in a licence expression`},
		{expr: "MIT WITH", err: "an exception is missing after WITH"},
		{expr: strings.Repeat("(", 1000) + "MIT", err: "parentheses nest deeper than 16"},
	}
	for _, tt := range tests {
		unknown, err := spdx.Check(tt.expr)
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err || !slices.Equal(unknown, tt.unknown) {
			t.Errorf("%.40q: %v, %v", tt.expr, unknown, err)
		}
	}
	if spdx.Nearest("mit") != "MIT" || spdx.Nearest("none") != "" {
		t.Error("Nearest")
	}
}
