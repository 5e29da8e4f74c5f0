package hub

import (
	"context"
	"io"
	"time"
)

// Blobs stores bytes under the digest of their content.
type Blobs interface {
	// Write stores what it reads until EOF and returns "sha256:<hex>" and the size. A blob is there
	// whole or not at all; writing the same content again is no error. TooLarge when there are more
	// than max bytes, and nothing is kept.
	Write(ctx context.Context, r io.Reader, max int64) (digest string, size int64, err error)

	// Open returns a reader of length bytes from offset (length < 0: to the end). NotFound when there
	// is no such blob, Invalid when digest is not "sha256:" and 64 hex digits.
	Open(ctx context.Context, digest string, offset, length int64) (io.ReadCloser, error)

	// Size returns the size in bytes. NotFound when there is no such blob.
	Size(ctx context.Context, digest string) (int64, error)

	// Remove deletes a blob. A missing one is no error.
	Remove(ctx context.Context, digest string) error

	// List calls fn for each stored digest, in order, until it fails.
	List(ctx context.Context, fn func(digest string) error) error

	// Check fails with Unavailable when blobs cannot be read and written.
	Check(ctx context.Context) error
}

// Cache keeps bytes for a while. Losing them is never an error.
type Cache interface {
	// Get returns the value and true, or false when it is not there or its time is over. The caller
	// must not change the bytes.
	Get(ctx context.Context, key string) ([]byte, bool)

	// Set stores a value for ttl. The cache may drop it earlier.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration)
}

// Rate is a limit: so many calls in a window of time.
type Rate struct {
	Limit  int
	Window time.Duration
}

// Allowance is the answer of a Limiter.
type Allowance struct {
	OK        bool
	Limit     int
	Remaining int
	Reset     time.Duration // until Remaining is Limit again
	Retry     time.Duration // until the next call is allowed; 0 when OK
}

// Limiter counts calls.
type Limiter interface {
	// Allow counts one call under key and says whether it is within rate. Calls spread evenly over
	// the window are all allowed; a burst of up to Limit is too.
	Allow(ctx context.Context, key string, rate Rate) Allowance
}

// Pinger is anything that can say whether it works.
type Pinger interface {
	// Ping fails with Unavailable, saying what does not answer.
	Ping(ctx context.Context) error
}
