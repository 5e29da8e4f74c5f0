package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
)

// The modes that are compared.
const (
	words   = "words"
	meaning = "meaning"
	hybrid  = "hybrid"
)

var modes = []string{words, meaning, hybrid}

// shown is how many results are judged, and good the lowest grade that counts as an answer.
const shown, good = 10, 2

// query is one graded question.
type query struct {
	ID       string           `json:"id"`
	Query    string           `json:"query"`
	Class    string           `json:"class"`
	Split    string           `json:"split"`
	Relevant map[hub.Name]int `json:"relevant"`
}

func readQueries(dir, split string) ([]query, error) {
	all, err := readLines[query](filepath.Join(dir, "queries.jsonl"))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(q query) bool { return split != "all" && q.Split != split }), nil
}

// figures are sums over queries until they are divided.
type figures struct{ n, ndcg, recall, mrr float64 }

func (f *figures) add(g figures) {
	f.n, f.ndcg, f.recall, f.mrr = f.n+1, f.ndcg+g.ndcg, f.recall+g.recall, f.mrr+g.mrr
}

func (f figures) mean() figures { return figures{f.n, f.ndcg / f.n, f.recall / f.n, f.mrr / f.n} }

type answer struct {
	query
	figures
	found []hub.Name
}

// report is one mode's figures by class, and every answer.
type report struct {
	classes map[string]*figures
	all     figures
	answers []answer
}

// measure asks all queries in a mode.
func (b *bench) measure(ctx context.Context, mode string, queries []query) (*report, error) {
	r := &report{classes: map[string]*figures{}}
	for _, q := range queries {
		found, err := b.ask(ctx, mode, q.Query)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.ID, err)
		}
		g := grade(found, q.Relevant)
		if r.classes[q.Class] == nil {
			r.classes[q.Class] = &figures{}
		}
		r.classes[q.Class].add(g)
		r.all.add(g)
		r.answers = append(r.answers, answer{q, g, found})
	}
	return r, nil
}

// ask returns the names of the first results.
func (b *bench) ask(ctx context.Context, mode, text string) ([]hub.Name, error) {
	var servers []*hub.Server
	if mode == meaning {
		v, err := b.embedder.Embed(ctx, []string{text})
		if err != nil {
			return nil, err
		}
		hits, err := b.vectors.Nearest(ctx, hub.VectorQuery{Vector: v[0], Limit: shown})
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			srv, err := b.store.Server(ctx, h.ID)
			if err != nil {
				return nil, err
			}
			servers = append(servers, srv)
		}
	} else {
		page, err := b.service[mode].Find(ctx, search.Query{Text: text, Limit: shown})
		if err != nil {
			return nil, err
		}
		for _, res := range page.Results {
			servers = append(servers, res.Server)
		}
	}
	var out []hub.Name
	for _, srv := range servers {
		out = append(out, srv.Name)
	}
	return out, nil
}

// grade judges the first results: nDCG with a gain of 2^grade-1, recall of what is good, of at most as many as are
// shown, and the reciprocal rank of the first good one.
func grade(found []hub.Name, relevant map[hub.Name]int) figures {
	var f figures
	var ideal []float64
	wanted := 0
	for _, g := range relevant {
		ideal = append(ideal, math.Exp2(float64(g))-1)
		if g >= good {
			wanted++
		}
	}
	slices.SortFunc(ideal, func(a, b float64) int { return int(b - a) })
	best, hits := 0.0, 0
	for i, gain := range ideal[:min(len(ideal), shown)] {
		best += gain / math.Log2(float64(i+2))
	}
	for i, name := range found[:min(len(found), shown)] {
		g := relevant[name]
		f.ndcg += (math.Exp2(float64(g)) - 1) / math.Log2(float64(i+2))
		if g >= good {
			if hits++; f.mrr == 0 {
				f.mrr = 1 / float64(i+1)
			}
		}
	}
	if best > 0 {
		f.ndcg /= best
	}
	if wanted > 0 {
		f.recall = float64(hits) / float64(min(wanted, shown))
	}
	return f
}

func (r *report) print(out io.Writer, mode string) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\tqueries\tnDCG@10\trecall@10\tMRR\t\n", mode)
	row := func(name string, f figures) {
		m := f.mean()
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.3f\t%.3f\t\n", name, f.n, m.ndcg, m.recall, m.mrr)
	}
	for _, class := range []string{"keyword", "paraphrase", "typo", "capability", "non-english", "filter"} {
		if f := r.classes[class]; f != nil {
			row(class, *f)
		}
	}
	row("all", r.all)
	w.Flush()
	fmt.Fprintln(out)
}

// finding is what one query found.
type finding struct {
	ID    string     `json:"id"`
	Mode  string     `json:"mode"`
	Found []hub.Name `json:"found"`
}

func (r *report) findings(mode string) (out []finding) {
	for _, a := range r.answers {
		out = append(out, finding{a.ID, mode, a.found})
	}
	return out
}

// printMisses lists the answers with the lowest nDCG.
func (r *report) printMisses(out io.Writer) {
	worst := slices.Clone(r.answers)
	slices.SortStableFunc(worst, func(a, b answer) int { return int(1e6 * (a.ndcg - b.ndcg)) })
	for _, a := range worst[:min(len(worst), 60)] {
		fmt.Fprintf(out, "%.2f %s %q\n", a.ndcg, a.Class, a.Query)
		for _, name := range a.found {
			fmt.Fprintf(out, "    %d %s\n", a.Relevant[name], name)
		}
		var missing []string
		for name, g := range a.Relevant {
			if g >= good && !slices.Contains(a.found, name) {
				missing = append(missing, fmt.Sprintf("%s=%d", name, g))
			}
		}
		slices.Sort(missing)
		fmt.Fprintf(out, "    missing: %s\n", strings.Join(missing, " "))
	}
}
