package main

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// warmUp is how long pages are asked for before it is measured how they are answered again: each is drawn at least once.
const warmUp = 8 * time.Second

// pages loads the site: what was drawn before is kept, what was not is drawn.
func (b *bench) pages(ctx context.Context) error {
	t := b.targets[0]
	if _, err := t.up(ctx, listPath); err != nil {
		return err
	}
	if err := t.indexed(ctx); err != nil {
		return err
	}
	var servers, words []string
	for i := 0; i < len(b.rows); i += max(1, b.versions/b.servers) {
		servers = append(servers, "/servers/"+b.rows[i].server.Name)
	}
	for i := range 4000 {
		words = append(words, "/search?q="+url.QueryEscape(fmt.Sprintf("%s %s for %s", verbs[i%len(verbs)], subjects[i/len(verbs)%len(subjects)], subjects[(i*7+3)%len(subjects)])))
	}
	fmt.Printf("\n## Pages, %d connections, %s\n\n| page | requests/s | p50 | p95 | p99 | bytes |\n|---|---|---|---|---|---|\n", b.connections, b.duration)
	for _, p := range []struct {
		name  string
		paths []string
		again bool
	}{
		{"the first page", []string{"/"}, true},
		{"servers, asked for again", servers[:500], true},
		{"servers, not asked for before", servers[500:], false},
		{"searches, asked for again", words[:200], true},
		{"searches, not asked for before", words[200:], false},
	} {
		if p.again {
			if _, err := load(ctx, t.addr, p.paths, acceptPage, b.connections, warmUp); err != nil {
				return err
			}
		}
		r, err := load(ctx, t.addr, p.paths, acceptPage, b.connections, b.duration)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f | %s | %s | %s | %d |\n", p.name, r.perSecond(), short(r.at(.5)), short(r.at(.95)), short(r.at(.99)), r.bytes())
		if !p.again && len(r.times) > len(p.paths) {
			fmt.Printf("(%d pages were asked for %d times: some were kept)\n", len(p.paths), len(r.times))
		}
		if r.errors > 0 {
			return fmt.Errorf("%s: %d answers were errors", p.name, r.errors)
		}
	}
	return nil
}
