//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// watchEvery is how often the memory of a sandbox is looked at. A burst between two looks is bounded by RLIMIT_DATA.
const watchEvery = 50 * time.Millisecond

// watch ends everything when the processes of the sandbox together use more memory than they may.
func watch(control *os.File, limit int64) {
	for range time.Tick(watchEvery) {
		if used := memoryOfAll(); used > limit {
			tell(control, message{Killed: fmt.Sprintf("it used %d MiB of memory, and may use %d", used>>20, limit>>20)}, nil)
			os.Exit(128 + int(syscall.SIGKILL))
		}
	}
}

// memoryOfAll is what all processes but this one have in memory that is in no file, in bytes.
func memoryOfAll() int64 {
	dir, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var sum int64
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err != nil || pid == 1 {
			continue
		}
		text, err := os.ReadFile("/proc/" + name + "/status")
		if err != nil {
			continue // it has just ended
		}
		sum += kilobytes(text, "RssAnon:") + kilobytes(text, "RssShmem:")
	}
	return sum
}

// kilobytes reads a field of /proc/PID/status, and returns bytes.
func kilobytes(text []byte, field string) int64 {
	_, rest, ok := bytes.Cut(text, []byte(field))
	if !ok {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(line), []byte("kB")))), 10, 64)
	return n << 10
}
