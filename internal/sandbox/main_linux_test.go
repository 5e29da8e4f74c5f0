package sandbox_test

import (
	"os"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox"
)

// inBubbles is a variable with which a test's own processes have bubblewrap make every place.
const inBubbles = "SANDBOX_TEST_BUBBLEWRAP"

func TestMain(m *testing.M) {
	sandbox.Init()
	if os.Getenv(inBubbles) != "" {
		sandbox.WithBubblewrap()
	}
	if len(os.Args) > 1 && os.Args[1] == "hostile" {
		hostile(os.Args[2:])
	}
	if len(os.Args) > 1 && os.Args[1] == "parent" {
		parentOf(os.Args[2], os.Args[3])
	}
	if len(os.Args) > 1 && os.Args[1] == "containers" {
		parentOfContainers(os.Args[2], os.Args[3], os.Args[4])
	}
	code := m.Run()
	stopEngines()
	os.Exit(code)
}
