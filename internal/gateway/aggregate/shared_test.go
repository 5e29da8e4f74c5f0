package aggregate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/gateway/aggregate"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// sharedGateway has one server for all clients.
func sharedGateway(t *testing.T) *aggregate.Gateway {
	list := members(t, "one")
	open := list[0].Open
	shared := &aggregate.Shared{Version: "1", Open: func() (*gateway.Conn, error) { return open(context.Background()) }}
	list[0].Open = shared.Join
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}}
	g.SetMembers(list)
	return g
}

func gone(pid string) func() bool {
	return func() bool { _, err := os.Stat("/proc/" + pid); return err != nil }
}

// TestShared guards: clients have one server together, each gets its own answers, progress and cancellation, and the server
// ends with the last of them.
func TestShared(t *testing.T) {
	g := sharedGateway(t)
	var n [2]told
	first, second := overLines(t, g, &n[0]), overLines(t, g, &n[1])
	pid := call(t, first, "one__pid", "")
	if other := call(t, second, "one__pid", ""); other != pid {
		t.Fatalf("two servers run, %s and %s", pid, other)
	}
	var wg sync.WaitGroup
	for i, s := range []*mcp.ClientSession{first, second} {
		for j := range 50 {
			wg.Go(func() {
				want := fmt.Sprintf("one %d-%d", i, j)
				if got := call(t, s, "one__echo", fmt.Sprintf("%d-%d", i, j)); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			})
		}
	}
	wg.Wait()
	params := &mcp.CallToolParams{Name: "one__wait", Arguments: map[string]any{"text": ""}, Meta: mcp.Meta{"progressToken": "p"}}
	if _, err := first.CallTool(within(t), params); err != nil {
		t.Fatal(err)
	}
	eventually(t, "progress", func() bool { return n[0].progress.Load() == 3 })
	if n[1].progress.Load() != 0 {
		t.Error("a client was told of another's progress")
	}
	mark := filepath.Join(t.TempDir(), "mark")
	ctx, cancel := context.WithCancel(within(t))
	go func() {
		_, _ = second.CallTool(ctx, &mcp.CallToolParams{Name: "one__wait", Arguments: map[string]any{"text": mark}, Meta: mcp.Meta{"progressToken": "p"}})
	}()
	eventually(t, "the call is under way", func() bool { return n[1].progress.Load() == 3 })
	if got := call(t, first, "one__echo", "meanwhile"); got != "one meanwhile" {
		t.Error(got)
	}
	cancel()
	eventually(t, "the call was cancelled", func() bool { _, err := os.Stat(mark); return err == nil })
	if got := call(t, first, "one__ask", "x"); !strings.Contains(got, "cannot ask for") && !strings.Contains(got, "not support") {
		t.Errorf("a server that is shared asked a client: %s", got)
	}
	call(t, first, "one__grow", "")
	eventually(t, "both are told of new tools", func() bool { return n[0].tools.Load() > 0 && n[1].tools.Load() > 0 })
	first.Close()
	if got := call(t, second, "one__pid", ""); got != pid {
		t.Errorf("the server ended with the first client: %s, was %s", got, pid)
	}
	second.Close()
	eventually(t, "the server ended with the last client", gone(pid))
}

// TestSharedResources guards: who asked for it is told of a resource's changes, and nobody else; one who does not want to know
// any more does not take it from others.
func TestSharedResources(t *testing.T) {
	g := sharedGateway(t)
	var n [3]told
	var s [3]*mcp.ClientSession
	for i := range s {
		s[i] = overLines(t, g, &n[i])
		call(t, s[i], "one__echo", "")
	}
	for i := range 2 {
		if err := s[i].Subscribe(within(t), &mcp.SubscribeParams{URI: "shared://one"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s[0].Unsubscribe(within(t), &mcp.UnsubscribeParams{URI: "shared://one"}); err != nil {
		t.Fatal(err)
	}
	call(t, s[2], "one__touch", "")
	eventually(t, "the second is told", func() bool { return n[1].updated.Load() == 1 })
	if n[0].updated.Load()+n[2].updated.Load() != 0 {
		t.Error("others were told")
	}
}

// TestSharedDies guards: a shared server that dies is started again, for all of its clients.
func TestSharedDies(t *testing.T) {
	g := sharedGateway(t)
	first, second := overLines(t, g, &told{}), overLines(t, g, &told{})
	pid := call(t, first, "one__pid", "")
	call(t, second, "one__pid", "")
	if got := call(t, first, "one__die", ""); !strings.HasPrefix(got, "error") {
		t.Error(got)
	}
	eventually(t, "it died", gone(pid))
	var again string
	eventually(t, "it runs again", func() bool { again = call(t, second, "one__pid", ""); return !strings.HasPrefix(again, "error") })
	if got := call(t, first, "one__pid", ""); got != again || got == pid {
		t.Errorf("%s and %s, was %s", got, again, pid)
	}
}
