package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/source"
	"github.com/spf13/cobra"
)

func newImport() *cobra.Command {
	var format string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "import PATH...", Short: "Import catalogues of other registries", Args: cobra.MinimumNArgs(1),
		Long: `Import servers from files or directories: lists of the official registry, mcpm.sh manifests, Docker's
server.yaml and tools.json, ToolHive registries. Each entry is imported, imported with warnings, or
refused with a reason; one bad entry never stops the rest. Importing the same twice changes nothing.
It works beside a running hub, which finds the new servers by itself, and without one.`,
		Example: `  mcphub import catalogs/
  mcphub import --format docker registry/servers --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			log, err := newLog(c)
			if err != nil {
				return err
			}
			var entries []source.Entry
			for _, path := range args {
				more, err := source.ReadCatalog(path, format)
				if err != nil {
					return err
				}
				entries = append(entries, more...)
			}
			s, done, err := storeOnly(cmd, c, log)
			if err != nil {
				return err
			}
			defer done()
			report, err := s.Import(cmd.Context(), hub.System("import"), entries)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetEscapeHTML(false)
				enc.SetIndent("", "  ")
				return enc.Encode(report)
			}
			return printReport(cmd.OutOrStdout(), report)
		},
	}
	cmd.Flags().StringVar(&format, "format", "auto", "auto, official, mcpm-sh, docker or toolhive")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// storeOnly opens what changes the catalogue without serving it: no index, no jobs. A hub that runs
// beside it follows the events.
func storeOnly(cmd *cobra.Command, c *config, log *slog.Logger) (*registry.Service, func(), error) {
	store, err := openStore(cmd.Context(), c, log, true)
	if err != nil {
		return nil, nil, err
	}
	s := registry.New(registry.Config{Store: store, Log: log, Now: now, Worker: "command"})
	return s, func() {
		if err := store.Close(); err != nil {
			log.Error("closing the database", "error", err)
		}
	}, nil
}

// printReport shows what needs a look, then the counts.
func printReport(out io.Writer, r *registry.ImportReport) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, e := range r.Entries {
		switch {
		case e.Reason != "":
			fmt.Fprintf(w, "%s\t%s\t%s\n", e.Status, e.Name, e.Reason)
		case len(e.Warnings) > 0 && e.Status != string(hub.Unchanged):
			fmt.Fprintf(w, "%s\t%s\t%s\n", e.Status, e.Name, first(e.Warnings))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	warned := 0
	for _, e := range r.Entries {
		if len(e.Warnings) > 0 {
			warned++
		}
	}
	_, err := fmt.Fprintf(out, "%d entries: %d imported, %d updated, %d unchanged, %d refused; %d with warnings (--json shows all).\n",
		len(r.Entries), r.Imported, r.Updated, r.Unchanged, r.Refused, warned)
	return err
}

func first(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Sprintf("%s (and %d more)", list[0], len(list)-1)
}
