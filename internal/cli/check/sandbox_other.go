//go:build !linux

package check

import (
	"context"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/sandbox"
)

// means looks for what the system has, and says what of a sandbox that cannot enforce.
func (o *doctorOptions) means(ctx context.Context) []finding {
	lacks := sandbox.Unenforced(o.OS)
	cannot := finding{Name: "not enforced", Status: notice, Text: strings.Join(lacks, ", "),
		Hint: "a server does not start in a sandbox unless you go without: mcpm allow NAME waive=" + strings.Join(lacks, " waive=")}
	switch o.OS {
	case "darwin":
		return []finding{o.program(ctx, "Seatbelt", "sandbox-exec"), cannot}
	case "windows":
		return []finding{{Name: "job object", Status: fine, Text: "limits, and the end of what a server started"}, {Name: "restricted token", Status: fine, Text: "no privileges"}, cannot}
	}
	return []finding{{Name: "native", Status: absent, Text: "mcpm knows no means of " + app.Platform}}
}
