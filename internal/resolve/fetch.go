package resolve

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/mcphub/mcphub/internal/hub"
)

// parallel is how many questions a fetcher asks at a time.
const parallel = 8

// fetcher asks the provider each question once, several at a time. What it asks ahead is only kept: an
// error counts when the search comes to it, so the answers do not depend on which came first.
type fetcher struct {
	provider Provider
	slots    chan struct{}

	mu     sync.Mutex
	offers map[hub.Name]*answer[*Offer]
	needs  map[version]*answer[Needs]
}

type version struct {
	name    hub.Name
	version string
}

type answer[T any] struct {
	once  sync.Once
	value T
	err   error
}

func newFetcher(p Provider) *fetcher {
	return &fetcher{provider: p, slots: make(chan struct{}, parallel), offers: map[hub.Name]*answer[*Offer]{}, needs: map[version]*answer[Needs]{}}
}

// get runs ask once per key. A canceled context is not an answer that is kept: the caller stops.
func get[K comparable, T any](ctx context.Context, f *fetcher, in map[K]*answer[T], key K, ask func() (T, error)) (T, error) {
	f.mu.Lock()
	a := in[key]
	if a == nil {
		a = &answer[T]{}
		in[key] = a
	}
	f.mu.Unlock()
	a.once.Do(func() {
		select {
		case f.slots <- struct{}{}:
			defer func() { <-f.slots }()
		case <-ctx.Done():
			a.err = ctx.Err()
			return
		}
		if a.err = ctx.Err(); a.err == nil {
			a.value, a.err = ask()
		}
	})
	if err := ctx.Err(); err != nil {
		return a.value, err
	}
	return a.value, a.err
}

func (f *fetcher) offer(ctx context.Context, name hub.Name) (*Offer, error) {
	return get(ctx, f, f.offers, name, func() (*Offer, error) { return f.provider.Offer(ctx, name) })
}

func (f *fetcher) needsOf(ctx context.Context, name hub.Name, v string) (Needs, error) {
	return get(ctx, f, f.needs, version{name, v}, func() (Needs, error) { return f.provider.Needs(ctx, name, v) })
}

// aheadOffers asks for the offers of servers that will be needed.
func (f *fetcher) aheadOffers(ctx context.Context, names []hub.Name) {
	ahead(names, func(n hub.Name) { _, _ = f.offer(ctx, n) })
}

// aheadNeeds asks what versions need that will be looked at next.
func (f *fetcher) aheadNeeds(ctx context.Context, versions []version) {
	ahead(versions, func(v version) { _, _ = f.needsOf(ctx, v.name, v.version) })
}

// ahead calls fn for all at a time and waits. It starts no more goroutines than can ask.
func ahead[T any](all []T, fn func(T)) {
	if len(all) < 2 {
		return // whoever needs the one asks for it
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(parallel, len(all)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				fn(all[i])
			}
		})
	}
	wg.Wait()
}
