package conform

import (
	"testing"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// Clock is a clock that a test moves. The backends of Cache and Limiter must ask it for the time.
type Clock = beside.Clock

// Blobs runs the suite of hub.Blobs.
func Blobs(t *testing.T, open func(t *testing.T) hub.Blobs) { beside.Blobs(t, open) }

// Cache runs the suite of hub.Cache.
func Cache(t *testing.T, open func(t *testing.T, c *Clock) hub.Cache) { beside.Cache(t, open) }

// Limiter runs the suite of hub.Limiter.
func Limiter(t *testing.T, open func(t *testing.T, c *Clock) hub.Limiter) { beside.Limiter(t, open) }

// Index runs the suite of hub.Index.
func Index(t *testing.T, open func(t *testing.T) hub.Index) { beside.Index(t, open) }

// Vectors runs the suite of hub.Vectors.
func Vectors(t *testing.T, open func(t *testing.T) hub.Vectors) { beside.Vectors(t, open) }

// Embedder runs the suite of hub.Embedder.
func Embedder(t *testing.T, open func(t *testing.T) hub.Embedder) { beside.Embedder(t, open) }
