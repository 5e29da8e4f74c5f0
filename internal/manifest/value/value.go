// Package value says which values an input of a server takes. It stands beside the manifest because what is stored and
// what is started are held to the same rule.
package value

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// Max is the largest value, in bytes: it must fit into an environment variable.
const Max = 64 << 10

// Rule is what an input takes.
type Rule struct {
	Type    string   // number, boolean; anything else is any text. A file may be yet to be made
	Choices []string // nil for any
	Secret  bool     // the value is in no error
}

// Check says whether a value may be given to the input called name: whether it is of its type and among its choices,
// and can be handed to a program at all. TooLarge or Invalid when not.
func (r Rule) Check(name, v string) error {
	shown := jsonc.Quote(v)
	if r.Secret {
		shown = "not right"
	}
	switch {
	case len(v) > Max:
		return hub.Errorf(hub.TooLarge, "the value of %s has %d bytes; at most %d are taken", name, len(v), Max)
	case strings.ContainsRune(v, 0):
		return hub.Errorf(hub.Invalid, "the value of %s has a zero byte, which no program can be given", name)
	case len(r.Choices) > 0 && !slices.Contains(r.Choices, v):
		return hub.Errorf(hub.Invalid, "%s is %s; it must be one of %s", name, shown, strings.Join(r.Choices, ", "))
	case r.Type == "number" && !isNumber(v):
		return hub.Errorf(hub.Invalid, "%s is %s; it must be a number", name, shown)
	case r.Type == "boolean" && v != "true" && v != "false":
		return hub.Errorf(hub.Invalid, "%s is %s; it must be true or false", name, shown)
	}
	return nil
}

func isNumber(v string) bool {
	f, err := strconv.ParseFloat(v, 64)
	return err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}
