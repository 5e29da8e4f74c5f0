// Command bench measures the hub under load beside two yardsticks in the same run: the same bytes from a
// bare net/http handler (the ceiling), and the official MCP registry on PostgreSQL with the same data
// (the peer). It prints figures and ratios; it judges nothing. See bench/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

type options struct {
	servers, versions, connections int
	duration                       time.Duration
	dir, postgres, only            string
	peer                           bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "ceiling" {
		if err := ceiling(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.servers, "servers", 27000, "servers in the catalogue")
	flag.IntVar(&o.versions, "versions", 100000, "versions in the catalogue")
	flag.IntVar(&o.connections, "connections", 16, "connections at once")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "time of each load")
	flag.StringVar(&o.dir, "dir", filepath.Join(".cache", "bench"), "where data and programs are kept between runs")
	flag.StringVar(&o.postgres, "postgres", os.Getenv("MCPHUB_TEST_POSTGRES"), "PostgreSQL for the hub and the peer; empty leaves both out")
	flag.StringVar(&o.only, "only", "", "run only parts whose name has this in it: start, reads, pages, publish, mcpm")
	flag.BoolVar(&o.peer, "peer", true, "measure the official registry too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run prepares what is missing, then measures part by part.
func run(ctx context.Context, o options) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	rows := catalogue(o.servers, o.versions)
	b := &bench{options: o, rows: rows}
	defer b.stopAll()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"start", b.start}, {"reads", b.reads}, {"pages", b.pages}, {"publish", b.publish}, {"mcpm", b.mcpm}} {
		if !strings.Contains(part.name, o.only) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	return nil
}
