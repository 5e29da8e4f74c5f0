//go:build !linux

package check

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"
)

// means looks for what the system has. macOS confines with sandbox-exec; of Windows nothing is asked.
func (o *doctorOptions) means(ctx context.Context) []finding {
	if o.OS == "darwin" {
		return []finding{o.program(ctx, "Seatbelt", "sandbox-exec")}
	}
	return []finding{{Name: "native", Status: absent, Text: "mcpm knows no means of " + app.Platform}}
}
