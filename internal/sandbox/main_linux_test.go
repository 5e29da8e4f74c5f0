package sandbox_test

import (
	"os"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox"
)

// raced says that the race detector is in this program, which is the hostile one too: each of a hundred processes then takes
// seconds and hundreds of MiB, and it is the detector that meets the limits.
var raced bool

func TestMain(m *testing.M) {
	sandbox.Init()
	if len(os.Args) > 1 && os.Args[1] == "hostile" {
		hostile(os.Args[2:])
	}
	if len(os.Args) > 1 && os.Args[1] == "parent" {
		parentOf(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}
