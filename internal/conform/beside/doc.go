// Package beside holds the suites of what stands beside the records: blobs, cache, limiter and index. It is
// used through internal/conform.
package beside

import (
	"sync/atomic"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Together runs n goroutines and returns how many of them ended with each kind of error ("" for none).
func Together(n int, do func(i int) error) map[hub.Kind]int {
	kinds := make([]hub.Kind, n)
	var ready atomic.Int32
	done := make(chan struct{})
	for i := range n {
		go func() {
			ready.Add(1)
			for int(ready.Load()) < n {
				time.Sleep(time.Microsecond)
			}
			err := do(i)
			if kinds[i] = hub.KindOf(err); err != nil && kinds[i] == "" {
				kinds[i] = hub.Kind("internal: " + err.Error())
			}
			done <- struct{}{}
		}()
	}
	out := map[hub.Kind]int{}
	for range n {
		<-done
	}
	for _, k := range kinds {
		out[k]++
	}
	return out
}
