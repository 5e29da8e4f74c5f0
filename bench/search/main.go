// Command search measures how well the hub finds: it fills the engines with the corpus beside it, asks the graded
// queries, and prints nDCG@10, recall@10 and MRR by class for words alone, meaning alone and both together. See
// README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/backend/localvec"
	"github.com/mcphub/mcphub/internal/backend/opensearch"
	"github.com/mcphub/mcphub/internal/backend/weaviate"
	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/hub"
)

func main() {
	split := flag.String("split", "all", "dev, test or all queries")
	dir := flag.String("dir", filepath.Join("bench", "search"), "where the corpus and the queries are")
	miss := flag.Bool("miss", false, "list the queries that are answered worst, with what was found")
	found := flag.String("found", "", "write what every query found in every mode to this file, for pool.py")
	servers := flag.Int("latency", 0, "measure latency over so many made servers instead")
	keep := flag.String("keep", filepath.Join(".cache", "bench"), "where their data is kept between runs")
	index := flag.String("index", "", "measure this engine for words instead of the one in the binary: opensearch://HOST:PORT/NAME, which is filled anew")
	vectors := flag.String("vectors", "", "and this one for meaning: weaviate://HOST:PORT/NAME")
	duration := flag.Duration("duration", 5*time.Second, "time of each load")
	profile := flag.String("profile", "", "write a processor profile of the loads to this file")
	flag.Parse()
	if *servers > 0 {
		if err := latency(context.Background(), *dir, *keep, *profile, *servers, *duration); err != nil {
			fmt.Fprintln(os.Stderr, "search:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(context.Background(), *dir, *split, *index, *vectors, *found, *miss); err != nil {
		fmt.Fprintln(os.Stderr, "search:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, split, index, vectors, found string, miss bool) error {
	engines, closeAll, err := embedded()
	if err != nil {
		return err
	}
	defer closeAll()
	if index != "" {
		x, err := opensearch.Open(index)
		if err != nil {
			return err
		}
		defer x.Close()
		engines.index = x
	}
	if vectors != "" {
		x, err := weaviate.Open(vectors)
		if err != nil {
			return err
		}
		defer x.Close()
		engines.vectors = x
	}
	b, err := open(ctx, dir, engines)
	if err != nil {
		return err
	}
	defer b.close()
	queries, err := readQueries(dir, split)
	if err != nil {
		return err
	}
	var all []finding
	for _, mode := range modes {
		r, err := b.measure(ctx, mode, queries)
		if err != nil {
			return err
		}
		r.print(os.Stdout, mode)
		if miss && mode == hybrid {
			r.printMisses(os.Stdout)
		}
		all = append(all, r.findings(mode)...)
	}
	if found == "" {
		return nil
	}
	return writeLines(found, all)
}

// engines are what is measured.
type engines struct {
	index    hub.Index
	vectors  hub.Vectors
	embedder hub.Embedder
	known    func(string) bool
}

// embedded are the engines in the binary, in memory.
func embedded() (engines, func(), error) {
	index, err := bleveindex.Open("")
	if err != nil {
		return engines{}, nil, err
	}
	vectors, err := localvec.Open("")
	if err != nil {
		return engines{}, nil, err
	}
	model, err := embed.New()
	if err != nil {
		return engines{}, nil, err
	}
	return engines{index, vectors, model, model.Knows}, func() { index.Close(); vectors.Close() }, err
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
