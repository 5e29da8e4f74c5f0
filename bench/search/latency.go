package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/backend/localvec"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
)

// latency fills engines on disk with n made servers and measures how long a question takes, none of them kept.
func latency(ctx context.Context, dir, keep, profile string, n int, d time.Duration) error {
	corpus, err := readLines[entry](filepath.Join(dir, "corpus.jsonl"))
	if err != nil {
		return err
	}
	queries, err := readQueries(dir, "all")
	if err != nil {
		return err
	}
	home := filepath.Join(keep, fmt.Sprintf("search-%d", n))
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	store, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(home, "hub.db"), sqlstore.Options{Log: quiet, Relaxed: true})
	if err != nil {
		return err
	}
	defer store.Close()
	if err := seed(ctx, store, corpus, n); err != nil {
		return err
	}
	index, err := bleveindex.Open(filepath.Join(home, "index"))
	if err != nil {
		return err
	}
	defer index.Close()
	vectors, err := localvec.Open(filepath.Join(home, "vectors"))
	if err != nil {
		return err
	}
	defer vectors.Close()
	model, err := embed.New()
	if err != nil {
		return err
	}
	s := search.New(search.Config{Store: store, Index: index, Vectors: vectors, Embedder: model, Known: model.Knows, Speaks: model.Knows, Log: quiet, Worker: "bench", AtOnce: runtime.GOMAXPROCS(0)})
	filled, err := fill(ctx, s, index, vectors, n)
	if err != nil {
		return err
	}
	runtime.GC()
	fmt.Printf("%d servers: engines %s; on disk: text %s, vectors %s; in memory %s\n\n", n, filled,
		size(filepath.Join(home, "index")), size(filepath.Join(home, "vectors")), resident())
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := measureAll(ctx, s, queries, d); err != nil {
		return err
	}
	_, err = fmt.Printf("\nin memory at the end %s\n", resident())
	return err
}

// measureAll prints how long questions take, for one client and for sixteen.
func measureAll(ctx context.Context, s *search.Service, queries []query, d time.Duration) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "what\tclients\tper second\tp50\tp95\tp99\t\n")
	find := func(facets []hub.Facet) func(int) error {
		return func(i int) error {
			_, err := s.Find(ctx, search.Query{Text: queries[i%len(queries)].Query, Limit: 20, Facets: facets})
			return err
		}
	}
	shownFacets := []hub.Facet{hub.FacetCategory, hub.FacetTool, hub.FacetHost, hub.FacetLanguage, hub.FacetPackage,
		hub.FacetTransport, hub.FacetLicense, hub.FacetPublisher, hub.FacetPermission, hub.FacetOrigin} // as a page of results
	for _, what := range []struct {
		name string
		ask  func(int) error
	}{{"search", find(nil)}, {"search with ten facets", find(shownFacets)}, {"suggest", func(i int) error {
		text := queries[i%len(queries)].Query
		_, err := s.Suggest(ctx, text[:min(len(text), 2+i%6)])
		return err
	}}} {
		for _, clients := range []int{1, 16} {
			times, err := ask(clients, d, what.ask)
			if err != nil {
				return fmt.Errorf("%s: %w", what.name, err)
			}
			at := func(q float64) time.Duration {
				return times[min(len(times)-1, int(q*float64(len(times))))].Round(10 * time.Microsecond)
			}
			fmt.Fprintf(w, "%s\t%d\t%.0f\t%s\t%s\t%s\t\n", what.name, clients, float64(len(times))/d.Seconds(), at(.5), at(.95), at(.99))
		}
	}
	return w.Flush()
}

// fill fills the engines, unless an earlier run did, and says what was done.
func fill(ctx context.Context, s *search.Service, index hub.Index, vectors hub.Vectors, n int) (string, error) {
	texts, err := index.Count(ctx)
	if err != nil {
		return "", err
	}
	near, err := vectors.Count(ctx)
	if err != nil {
		return "", err
	}
	if texts == int64(n) && near == int64(n) {
		short, stop := context.WithTimeout(ctx, 2*time.Second)
		defer stop()
		s.Run(short) // it notices that nothing is missing
		return "were filled before", nil
	}
	start := time.Now()
	err = s.Reindex(ctx)
	return "filled in " + time.Since(start).Round(time.Second).String(), err
}

// ask calls f from so many clients for a time, and returns the times of all calls, sorted.
func ask(clients int, d time.Duration, f func(int) error) ([]time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for c := range clients {
		wg.Go(func() {
			var times []time.Duration
			for i := c * 31; time.Now().Before(end); i++ {
				start := time.Now()
				if err := f(i); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				times = append(times, time.Since(start))
			}
			mu.Lock()
			all = append(all, times...)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(all)
	if len(all) == 0 && failed == nil {
		failed = io.ErrUnexpectedEOF
	}
	return all, failed
}

// seed stores servers made of pieces of the corpus, until there are n.
func seed(ctx context.Context, store *sqlstore.Store, corpus []entry, n int) error {
	have, _, err := store.CountServers(ctx)
	if err != nil {
		return err
	}
	b := &bench{store: store}
	for i := int(have); i < n; i++ {
		if err := b.add(ctx, made(corpus, i)); err != nil {
			return err
		}
	}
	return nil
}

// made is the i-th server: the name and title of one entry, the description of another, tools of a third.
func made(corpus []entry, i int) entry {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	pick := func() entry { return corpus[r.IntN(len(corpus))] }
	e := pick()
	about, tools, facts := pick(), pick(), pick()
	_, base, _ := strings.Cut(string(e.Name), "/")
	e.Name = hub.Name(fmt.Sprintf("io.github.user%d/%s", i, base))
	first, _, _ := strings.Cut(about.Description, ". ")
	e.Description = first + ". " + e.Description[:min(len(e.Description), 120)]
	e.Description = strings.ToValidUTF8(e.Description, "")
	e.Capabilities = tools.Capabilities[:min(len(tools.Capabilities), r.IntN(12))]
	e.Categories, e.PackageTypes, e.Transports, e.Runtime, e.License, e.Score = facts.Categories, facts.PackageTypes, facts.Transports, facts.Runtime, facts.License, 40+r.IntN(60)
	e.Readme = ""
	return e
}

// size is how much a directory takes.
func size(dir string) string {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // what vanishes meanwhile is not counted
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // see above
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return fmt.Sprintf("%d MB", sum>>20)
}

// resident is the memory of this process that is its own, as Linux counts it.
func resident() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}

// newID makes an ID of a name, the same in every run: IDs decide ties.
func newID(space uuid.UUID, name hub.Name) string { return uuid.NewSHA1(space, []byte(name)).String() }
