package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
	"github.com/spf13/cobra"
)

func newSync() *cobra.Command {
	var every time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "sync URL", Short: "Mirror another registry over the official API", Args: cobra.ExactArgs(1),
		Long: `Copy what changed in another registry since the last run, deleted versions included. A run that is cut
off goes on where it stopped. Works beside a running hub and without one. Private and loopback addresses
are refused unless --allow-private-networks is given.`,
		Example: `  mcphub sync https://registry.example.com
  mcphub sync https://registry.example.com --every 1h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if every != 0 && every < time.Minute {
				return hub.Errorf(hub.Invalid, "every %s is too often", every).WithHint("give at least 1m; registries ask for about an hour")
			}
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			log, err := newLog(c)
			if err != nil {
				return err
			}
			s, done, err := storeOnly(cmd, c, log)
			if err != nil {
				return err
			}
			defer done()
			m := &source.Mirror{HTTP: source.NewClient(source.GuardOptions{AllowPrivate: c.AllowPrivate})}
			base := strings.TrimRight(args[0], "/")
			for {
				report, err := s.Sync(cmd.Context(), hub.System("sync"), m, base)
				if err != nil && (every == 0 || cmd.Context().Err() != nil) {
					return err
				}
				switch {
				case err != nil:
					log.Error("sync failed; it goes on at the next time", "registry", base, "error", err)
				case asJSON:
					if err := json.NewEncoder(cmd.OutOrStdout()).Encode(report); err != nil {
						return err
					}
				default:
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %d pages, %d imported, %d updated, %d unchanged, %d refused.\n",
						base, report.Pages, report.Imported, report.Updated, report.Unchanged, report.Refused)
				}
				if every == 0 {
					return nil
				}
				if !sleep(cmd.Context(), every) {
					return nil
				}
			}
		},
	}
	cmd.Flags().DurationVar(&every, "every", 0, "go on, once in this time")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON; refused entries are listed")
	return cmd
}

// sleep waits, and reports false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
