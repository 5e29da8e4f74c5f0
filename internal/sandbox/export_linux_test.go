//go:build linux && (amd64 || arm64)

package sandbox

// WithBubblewrap has bubblewrap make every place until the function that it returns is called.
func WithBubblewrap() func() {
	bubbleFirst = true
	return func() { bubbleFirst = false }
}
