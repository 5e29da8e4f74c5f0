package check

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/news"
	"github.com/mcphub/mcphub/internal/wire"
)

// told shows what a hub learns from mcpm beyond the question that it is asked, word for word.
func (o *doctorOptions) told(context.Context) []finding {
	s, err := o.Settings()
	if err != nil {
		return nil // said under registry
	}
	out := []finding{{Name: "always", Status: fine, Text: "User-Agent: " + o.UserAgent()}}
	newest := finding{Name: "newest mcpm", Status: fine, Text: news.State(o.App, app.Version)}
	from := app.First(s.From("analytics"), "the default")
	what := "with the request for a version that is being installed, " + wire.CommandHeader + ": install, by which the hub counts installs"
	if !s.Analytics {
		return append(out, finding{Name: "analytics", Status: fine,
			Text: "off (" + from + "): nothing more. MCPM_ANALYTICS=true, or \"analytics\": true in your ~/.mcpmrc, would send one thing: " + what}, newest)
	}
	return append(out, finding{Name: "analytics", Status: fine, Text: "on (" + from + "): " + what + ". Nothing else; MCPM_ANALYTICS=false turns it off"}, newest)
}
