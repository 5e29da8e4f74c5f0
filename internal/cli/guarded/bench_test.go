package guarded

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/guard"
	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/mcphub/mcphub/internal/guard/pins"
)

// TestMain lets the test binary be the server that is called.
func TestMain(m *testing.M) {
	if os.Getenv("GUARDED_TEST_SERVER") == "" {
		os.Exit(m.Run())
	}
	text := strings.Repeat("a row of the answer, ", 50)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		id, _, _ := bytes.Cut(in.Bytes()[len(`{"jsonrpc":"2.0","id":`):], []byte(","))
		result := `{"content":[{"type":"text","text":"` + text + `"}]}`
		if bytes.Contains(in.Bytes(), []byte("tools/list")) {
			id = []byte(strings.Split(string(in.Bytes()), `"id":`)[1])
			id, _, _ = bytes.Cut(id, []byte(","))
			result = `{"tools":[{"name":"query","inputSchema":{"type":"object"}}]}`
		}
		fmt.Printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}\n", id, result)
	}
	os.Exit(0)
}

// BenchmarkCall is a call of a tool with an answer of 1 KB from a server in a process of its own, directly and through the
// guard with its log, one after the other; p50 and p95 in microseconds.
func BenchmarkCall(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for _, guarded := range []bool{false, true} {
		name := "direct"
		if guarded {
			name = "guarded"
		}
		b.Run(name, func(b *testing.B) {
			c, err := gateway.Open(b.Context(), &gateway.Server{Command: exe, Env: append(os.Environ(), "GUARDED_TEST_SERVER=1")}, io.Discard, "", nil)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Stop()
			if guarded {
				dir := b.TempDir()
				v := &guard.Vault{}
				v.Add("@acme/db", map[string]string{"TOKEN": "a-secret-of-the-server"})
				g := &Guard{config: guard.Config{
					Server: "@acme/db", Version: "1.0.0", Vault: v, FindSecret: bundle.FindSecret, Log: &audit.Log{Dir: filepath.Join(dir, "log")},
					Pins: pins.Open(filepath.Join(dir, "guard"), pins.Key{Server: "@acme/db"}, nil),
				}}
				g.Conn(b.Context(), c)
			}
			out := bufio.NewReaderSize(c.Out, 64<<10)
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				begun := time.Now()
				fmt.Fprintf(c.In, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"query","arguments":{"sql":"select name, price from products where id = 7"}}}`+"\n", n)
				line, err := out.ReadString('\n')
				if err != nil || !strings.Contains(line, "a row") {
					b.Fatal(line, err)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
		})
	}
}
