package aggregate_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/gateway/aggregate"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// BenchmarkCall is a tool call to a server in a process of its own, directly and through the gateway, with one and with 32
// under way; p50 and p95 in microseconds.
func BenchmarkCall(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	direct := func(b *testing.B) (*mcp.ClientSession, string) {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), "AGGREGATE_TEST=one")
		return connected(b, &mcp.CommandTransport{Command: cmd}), "echo"
	}
	through := func(b *testing.B) (*mcp.ClientSession, string) {
		g := &aggregate.Gateway{Version: "1"}
		g.SetMembers(many(exe, 1))
		return connected(b, throughLines(b, g)), "s0__echo"
	}
	for _, inFlight := range []int{1, 32} {
		for _, c := range []struct {
			name string
			open func(*testing.B) (*mcp.ClientSession, string)
		}{{"direct", direct}, {"gateway", through}} {
			b.Run(fmt.Sprintf("%s/%d", c.name, inFlight), func(b *testing.B) {
				s, tool := c.open(b)
				measure(b, s, tool, inFlight)
			})
		}
	}
}

// BenchmarkFifty is the time until fifty servers that do not run yet are listed, all of them started on the way.
func BenchmarkFifty(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g := &aggregate.Gateway{Version: "1"}
		g.SetMembers(many(exe, 50))
		s := connected(b, throughLines(b, g))
		tools, err := s.ListTools(b.Context(), nil)
		if err != nil || len(tools.Tools) != 50*8 {
			b.Fatal(err)
		}
		s.Close()
	}
}

func many(exe string, n int) []aggregate.Member {
	var out []aggregate.Member
	for i := range n {
		s := &gateway.Server{Command: exe, Env: append(os.Environ(), fmt.Sprintf("AGGREGATE_TEST=s%d", i))}
		out = append(out, aggregate.Member{Name: fmt.Sprintf("@acme/s%d", i), Prefix: fmt.Sprintf("s%d", i), Open: func(ctx context.Context) (*gateway.Conn, error) {
			return gateway.Open(ctx, s, io.Discard, "test", nil)
		}})
	}
	return out
}

// throughLines is a gateway on pipes of the system, as one that a host application starts.
func throughLines(b *testing.B, g *aggregate.Gateway) mcp.Transport {
	fromClient, toGateway, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	fromGateway, toClient, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		_ = g.ServeLines(context.Background(), fromClient, toClient)
		toClient.Close()
		fromClient.Close()
	}()
	return &mcp.IOTransport{Reader: fromGateway, Writer: toGateway}
}

func connected(b *testing.B, t mcp.Transport) *mcp.ClientSession {
	s, err := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, nil).Connect(b.Context(), t, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func measure(b *testing.B, s *mcp.ClientSession, tool string, inFlight int) {
	ask := func() error {
		_, err := s.CallTool(b.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": "hello"}})
		return err
	}
	if err := ask(); err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	var took []time.Duration
	room := make(chan struct{}, inFlight)
	for b.Loop() {
		room <- struct{}{}
		go func() {
			begun := time.Now()
			err := ask()
			d := time.Since(begun)
			mu.Lock()
			took = append(took, d)
			mu.Unlock()
			if err != nil {
				b.Error(err)
			}
			<-room
		}()
	}
	for range inFlight {
		room <- struct{}{}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
}
