package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	memoryFloor = 64 << 20 // bytes below which a hub is never pressed
	memorySlack = 14 << 20 // bytes beside a quarter of what lives, so that a small hub does not collect all the time
	memoryEvery = time.Second
)

// limitMemory lets the program grow to a quarter more than what lives in it, and a little: it would else hold three
// times as much as is used. The limit follows what lives, so that a large catalogue is not collected without end.
// GOGC and GOMEMLIMIT, when set, win. The returned function ends it.
func limitMemory() (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	debug.SetGCPercent(200)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		var last int64
		for {
			if limit := memoryLimit(liveBytes()); limit > last+last/16 || limit < last-last/16 { // setting it stops the world
				debug.SetMemoryLimit(limit)
				last = limit
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// memoryLimit is how many bytes the program may take when so many live.
func memoryLimit(live int64) int64 { return max(memoryFloor, live+live/4+memorySlack) }

// liveBytes is what the last collection left.
func liveBytes() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
