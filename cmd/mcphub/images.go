package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci"
	"github.com/mcphub/mcphub/internal/oci/sweep"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

// openImages makes the registry of container images, beside the bundles.
func openImages(c *config, blobs *blobstore.Store, o oci.Config) (*oci.Service, error) {
	o.Storage, o.Now, o.BaseURL, o.Quota = blobs.Images(), now, c.BaseURL, c.quota
	return oci.New(context.Background(), o)
}

// imageUsage answers the API.
func (p *hubProgram) imageUsage(ctx context.Context, actor hub.Actor, namespace string) (*wire.ImageUsage, error) {
	u, err := p.images.UsageOf(ctx, actor, namespace)
	if err != nil {
		return nil, err
	}
	return &wire.ImageUsage{Namespace: u.Namespace, Repositories: u.Repositories, Tags: u.Tags, Bytes: u.Bytes, Quota: u.Quota}, nil
}

func newAdminImages() *cobra.Command {
	cmd := &cobra.Command{Use: "images", Short: "Container images: how much there is, and garbage", RunE: needsVerb}
	cmd.AddCommand(newImagesUsage(), newImagesGC())
	return cmd
}

// atImages is atDesk for what is about images.
func atImages(cmd *cobra.Command, fn func(context.Context, *desk, *oci.Service) error) error {
	return atDesk(cmd, func(ctx context.Context, d *desk) error {
		s, err := openImages(d.config, d.blobs, oci.Config{Catalogue: d.registry, Auth: d.auth, Settings: d.store, Log: slog.Default()})
		if err != nil {
			return err
		}
		return fn(ctx, d, s)
	})
}

func newImagesUsage() *cobra.Command {
	return &cobra.Command{
		Use: "usage", Short: "List what each namespace has of images", Args: cobra.NoArgs, Example: "  mcphub admin images usage",
		Long: "List the repositories, tags and bytes of each namespace that has images. A blob counts once in a namespace, however many images share it. Owners see theirs with mcpm whoami --images.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return atImages(cmd, func(ctx context.Context, d *desk, s *oci.Service) error {
				spaces, err := s.Namespaces(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "namespace\trepositories\ttags\tbytes\tquota")
				for _, space := range spaces {
					u, err := s.UsageOf(ctx, d.actor, space)
					if err != nil {
						return err
					}
					quota := "none"
					if u.Quota > 0 {
						quota = fmt.Sprint(u.Quota)
					}
					fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", u.Namespace, u.Repositories, u.Tags, u.Bytes, quota)
				}
				return w.Flush()
			})
		},
	}
}

func newImagesGC() *cobra.Command {
	var o oci.SweepOptions
	cmd := &cobra.Command{
		Use: "gc", Short: "Remove what no tag and no version needs", Args: cobra.NoArgs,
		Example: "  mcphub admin images gc --dry-run\n  mcphub admin images gc --older-than 72h",
		Long: "Remove manifests that have no tag and that no published version names, blobs that no manifest names, and uploads that were never finished, all only when they are older than --older-than. " +
			"Works beside a running hub: what is pushed meanwhile stays whole. A running hub does this once a day by itself.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Grace < time.Hour {
				return hub.Errorf(hub.Invalid, "older-than %s is less than an hour, in which an upload may be under way", o.Grace).WithHint("use 1h or more")
			}
			return atImages(cmd, func(ctx context.Context, _ *desk, s *oci.Service) error {
				r, err := s.Sweep(ctx, o)
				if r != nil {
					printSweep(cmd, o, r)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&o.Dry, "dry-run", false, "say what would go, and leave it")
	cmd.Flags().DurationVar(&o.Grace, "older-than", sweep.Grace, "leave what is younger")
	return cmd
}

func printSweep(cmd *cobra.Command, o oci.SweepOptions, r *sweep.Report) {
	verb := "Removed"
	if o.Dry {
		verb = "Would remove"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s %d bytes in %d blobs, %d manifests, %d links to blobs and %d unfinished uploads, of %d repositories\n",
		verb, r.Bytes, r.Blobs, r.Manifests, r.Layers, r.Uploads, r.Repositories)
	if r.Restored > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%d were asked for again in the meantime, and stay\n", r.Restored)
	}
}
