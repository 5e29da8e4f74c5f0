package value_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/value"
)

func TestCheck(t *testing.T) {
	number, boolean, choice := value.Rule{Type: "number"}, value.Rule{Type: "boolean"}, value.Rule{Choices: []string{"a", "b"}}
	for _, c := range []struct {
		rule value.Rule
		v    string
		kind hub.Kind
	}{
		{value.Rule{}, "", ""}, {value.Rule{}, "anything\nat all", ""}, {value.Rule{}, "a\x00b", hub.Invalid},
		{value.Rule{}, strings.Repeat("x", value.Max), ""}, {value.Rule{}, strings.Repeat("x", value.Max+1), hub.TooLarge},
		{number, "1", ""}, {number, "-1.5e3", ""}, {number, "", hub.Invalid}, {number, "NaN", hub.Invalid}, {number, "inf", hub.Invalid}, {number, "1e999", hub.Invalid}, {number, "1 ", hub.Invalid},
		{boolean, "true", ""}, {boolean, "false", ""}, {boolean, "True", hub.Invalid}, {boolean, "", hub.Invalid},
		{choice, "a", ""}, {choice, "A", hub.Invalid}, {choice, "", hub.Invalid},
		{value.Rule{Type: "filepath"}, "/not/there", ""},
	} {
		err := c.rule.Check("KEY", c.v)
		if hub.KindOf(err) != c.kind && (err != nil || c.kind != "") {
			t.Errorf("%+v %.20q: %v", c.rule, c.v, err)
		}
		if err != nil && !strings.Contains(err.Error(), "KEY") {
			t.Errorf("%v does not name the input", err)
		}
	}
	for _, r := range []value.Rule{{Secret: true, Type: "number"}, {Secret: true, Type: "boolean"}, {Secret: true, Choices: []string{"a"}}} {
		if err := r.Check("KEY", "hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
