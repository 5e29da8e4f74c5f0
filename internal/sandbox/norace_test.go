//go:build !race && linux

package sandbox_test

// raced says that the race detector is not in this program.
const raced = false
