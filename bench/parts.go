package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// start measures start to first answer, with the data in place.
func (b *bench) start(ctx context.Context) error {
	fmt.Printf("\n## Start to first answer (%s), median of 5\n\n| program | time |\n|---|---|\n", listPath)
	for _, t := range b.targets {
		var times []time.Duration
		for range 6 { // the first fills caches of the disk and, at the very first, the search index
			t.stop()
			took, err := t.up(ctx, listPath)
			if err != nil {
				return err
			}
			times = append(times, took)
			if err := t.indexed(ctx); err != nil {
				return err
			}
		}
		slices.Sort(times[1:])
		fmt.Printf("| %s | %s |\n", t.name, times[3].Round(time.Millisecond))
	}
	return nil
}

// indexed waits until the hub's search index holds everything.
func (t *target) indexed(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < 5*time.Minute && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get("http://" + t.addr + "/readyz")
		if err != nil {
			return err
		}
		var ready struct {
			Lag *int64 `json:"index_lag_events"`
		}
		err = json.NewDecoder(resp.Body).Decode(&ready)
		resp.Body.Close()
		if resp.StatusCode == http.StatusNotFound || (err == nil && ready.Lag != nil && *ready.Lag == 0) {
			return nil
		}
	}
	return fmt.Errorf("%s: the search index never caught up", t.name)
}

// scenario is a set of paths that are requested in turn.
type scenario struct {
	name  string
	paths func(*target) []string
}

func (b *bench) scenarios() []scenario {
	rng := rand.New(rand.NewPCG(3, 4))
	var names, words []string
	for range 2000 {
		names = append(names, "/v0.1/servers/"+url.PathEscape(b.rows[rng.IntN(len(b.rows))].server.Name)+"/versions/latest")
	}
	for range 500 {
		words = append(words, url.QueryEscape(verbs[rng.IntN(len(verbs))]+"-"+subjects[rng.IntN(len(subjects))]))
	}
	var pages []string
	for i := range 2000 {
		pages = append(pages, fmt.Sprintf("/v0.1/servers?limit=30&version=latest&search=%s", subjects[i%len(subjects)]+"-"+verbs[(i/len(subjects))%len(verbs)]))
	}
	same := func(paths []string) func(*target) []string { return func(*target) []string { return paths } }
	return []scenario{
		{"list of 30", same([]string{listPath})},
		{"by name, 2,000 names", same(names)},
		{"list of 30 with search=, 2,000 words", same(pages)},
		{"search, 500 queries", func(t *target) []string {
			out := make([]string, len(words))
			for i, w := range words {
				out[i] = t.search + w
			}
			return out
		}},
	}
}

// rounds is into how many turns a load is split.
const rounds = 5

// reads loads every target and, with the bytes of the first, the ceiling.
func (b *bench) reads(ctx context.Context) error {
	if err := b.settled(ctx); err != nil {
		return err
	}
	for _, sc := range b.scenarios() {
		fmt.Printf("\n## %s, %d connections, %s\n\n| program | requests/s | of the ceiling | p50 | p95 | p99 | bytes | RSS (own) MiB |\n|---|---|---|---|---|---|---|---|\n", sc.name, b.connections, b.duration)
		top, err := b.ceilingFor(ctx, sc.paths(b.targets[0]))
		if err != nil {
			return err
		}
		if err := b.compare(ctx, sc, top); err != nil {
			return err
		}
		top.stop()
	}
	return nil
}

// compare loads the ceiling and every target in turn, round after round: what disturbs the machine for a
// second then meets them all.
func (b *bench) compare(ctx context.Context, sc scenario, top *target) error {
	all := append([]*target{top}, b.targets...)
	results := make([]result, len(all))
	for round := range rounds + 1 { // the first warms
		for i, t := range all {
			paths := sc.paths(b.targets[max(0, i-1)])
			r, err := load(ctx, t.addr, paths, acceptJSON, b.connections, b.duration/rounds)
			if err != nil {
				return err
			}
			if round > 0 {
				results[i].add(r)
			}
		}
	}
	for i, t := range all {
		r := &results[i]
		rss, own := t.rss()
		fmt.Printf("| %s | %.0f | %.2f | %s | %s | %s | %d | %d (%d) |", t.name, r.perSecond(), r.perSecond()/results[0].perSecond(),
			short(r.at(.5)), short(r.at(.95)), short(r.at(.99)), r.bytes(), rss, own)
		if r.errors > 0 {
			fmt.Printf(" %d errors", r.errors)
		}
		fmt.Println()
	}
	return nil
}

func short(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// ceilingFor starts a bare handler that holds the first target's answers to these paths.
func (b *bench) ceilingFor(ctx context.Context, paths []string) (*target, error) {
	bodies := map[string]string{}
	for _, p := range paths {
		if _, ok := bodies[p]; ok {
			continue
		}
		resp, err := http.Get("http://" + b.targets[0].addr + p)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		bodies[p] = string(body)
	}
	data, err := json.Marshal(bodies)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "ceiling.json")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &target{name: "bare net/http", addr: "127.0.0.1:18079", command: []string{self, "ceiling", "127.0.0.1:18079", file}}
	_, err = t.up(ctx, paths[0])
	return t, err
}

// publishCount is how many publishes of each program are timed.
const publishCount = 1000

// publish sends publishes one after the other, each acknowledged before the next, to each program in turn.
func (b *bench) publish(ctx context.Context) error {
	fmt.Printf("\n## Publishing, %d one after the other (durable)\n\n| program | publishes/s | p50 | p99 |\n|---|---|---|---|\n", publishCount)
	if err := b.setGrown(true); err != nil {
		return err
	}
	results := make([]result, len(b.targets))
	for range rounds {
		for i, t := range b.targets {
			if err := b.settled(ctx); err != nil { // also of what the one before published
				return err
			}
			r, err := t.publishMany(ctx, publishCount/rounds)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			results[i].add(r)
		}
	}
	for i, t := range b.targets {
		r := &results[i]
		fmt.Printf("| %s | %.0f | %s | %s |\n", t.name, r.perSecond(), short(r.at(.5)), short(r.at(.99)))
	}
	return nil
}

func (t *target) publishMany(ctx context.Context, count int) (out result, err error) {
	token, err := t.token(ctx)
	if err != nil {
		return out, err
	}
	stamp := time.Now().UnixNano()
	rng := rand.New(rand.NewPCG(uint64(stamp), 1))
	for i := range count {
		sj := serverJSON(rng, fmt.Sprintf("io.modelcontextprotocol.anonymous/bench-%d-%d", stamp, i), "weather", "read", 0)
		body, err := json.Marshal(sj)
		if err != nil {
			return out, err
		}
		began := time.Now()
		if _, err := t.post(ctx, "/v0.1/publish", token, body); err != nil {
			return out, err
		}
		took := time.Since(began)
		out.times, out.took = append(out.times, took), out.took+took
	}
	return out, nil
}

func (t *target) token(ctx context.Context) (string, error) {
	body, err := t.post(ctx, "/v0.1/auth/none", "", nil)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"registry_token"`
	}
	err = json.Unmarshal(body, &answer)
	return answer.Token, err
}

func (t *target) post(ctx context.Context, path, token string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.addr+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, data)
	}
	return data, err
}

// mcpm times the command line: as processes, from start to end.
func (b *bench) mcpm(ctx context.Context) error {
	mcpm, err := filepath.Abs(filepath.Join(b.dir, "bin", "mcpm"))
	if err != nil {
		return err
	}
	hub := b.targets[0]
	if _, err := hub.up(ctx, listPath); err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "bench-mcpm-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	name, err := b.real(ctx, hub)
	if err != nil {
		return err
	}
	fmt.Printf("\n## mcpm, median of 20 processes\n\n| command | time |\n|---|---|\n")
	for _, args := range [][]string{{"version"}, {"search", "postgres"}, {"install", "--yes", name}} {
		var times []time.Duration
		for range 21 {
			cmd := exec.CommandContext(ctx, mcpm, args...)
			cmd.Dir = home
			cmd.Env = append(os.Environ(), "HOME="+home, "MCPM_HOME="+filepath.Join(home, "mcpm"), "MCPM_REGISTRY=http://"+hub.addr)
			began := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("mcpm %v: %w: %s", args, err, out)
			}
			times = append(times, time.Since(began))
		}
		slices.Sort(times[1:]) // the first fills the caches
		fmt.Printf("| mcpm %s | %s |\n", args[0], short(times[11]))
	}
	return nil
}

// real publishes a server whose package is there to be installed, and returns its name.
func (b *bench) real(ctx context.Context, hub *target) (string, error) {
	if err := b.setGrown(true); err != nil {
		return "", err
	}
	token, err := hub.token(ctx)
	if err != nil {
		return "", err
	}
	sj := &apiv0.ServerJSON{Schema: model.CurrentSchemaURL, Name: fmt.Sprintf("io.modelcontextprotocol.anonymous/everything-%d", time.Now().UnixNano()), Version: "1.0.0", Description: "Has one of everything.",
		Packages: []model.Package{{RegistryType: model.RegistryTypeNPM, Identifier: "@modelcontextprotocol/server-everything", Version: "2025.9.25", Transport: model.Transport{Type: "stdio"}}}}
	body, err := json.Marshal(sj)
	if err != nil {
		return "", err
	}
	_, err = hub.post(ctx, "/v0.1/publish", token, body)
	return sj.Name, err
}
