//go:build race && linux

package sandbox_test

// raced says that the race detector is in this program, which is the hostile one too: each of a hundred processes then takes
// seconds and hundreds of MiB, and it is the detector that meets the limits.
const raced = true
