package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// What a sandbox enforces, as Spec.Waive names it.
const (
	Files     = "files"    // what was not granted is not seen, and what was granted to read is not changed
	Network   = "network"  // what no rule names is not reached
	Programs  = "programs" // others are not started without Subprocess
	Resources = "limits"   // memory, processes and processors
)

// Aspects are all that a sandbox enforces.
var Aspects = []string{Files, Network, Programs, Resources}

// Unenforced are the aspects that the native means of a system cannot enforce, whatever its version. A system that has none
// at all has all of them.
func Unenforced(goos string) []string {
	switch goos {
	case "linux":
		return nil
	case "darwin":
		return []string{Resources}
	case "windows":
		return []string{Files, Network, Programs}
	}
	return Aspects
}

// UnenforcedError says which aspects the machine cannot enforce. Nothing was started. It is an ErrUnsupported.
type UnenforcedError struct {
	Aspects []string
	Reason  string
}

func (e *UnenforcedError) Error() string {
	return fmt.Sprintf("%s cannot be enforced here: %s", strings.Join(e.Aspects, ", "), e.Reason)
}

// Unwrap returns ErrUnsupported.
func (e *UnenforcedError) Unwrap() error { return ErrUnsupported }

// cannot refuses to start what needs aspects that are not to be had, but for those that are waived.
func (s *Spec) cannot(reason string, aspects ...string) error {
	left := slices.DeleteFunc(slices.Clone(aspects), func(a string) bool { return slices.Contains(s.Waive, a) })
	if len(left) == 0 {
		return nil
	}
	return &UnenforcedError{left, reason}
}
