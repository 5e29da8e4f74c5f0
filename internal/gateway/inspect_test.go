package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestInspect(t *testing.T) {
	web := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return newServer() }, nil))
	defer web.Close()
	sse := httptest.NewServer(mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return newServer() }, nil))
	defer sse.Close()
	for name, s := range map[string]*gateway.Server{
		"local": self("mcp"), "streamable": {URL: web.URL}, "sse": {URL: sse.URL, Transport: "sse"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := gateway.Inspect(ctx, s, "test", "1")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range r.Capabilities {
				got = append(got, fmt.Sprintf("%s %s: %s", c.Type, c.Name, c.Description))
			}
			want := []string{"tool add: Add two numbers", "tool slow: Answer late, with progress", "resource pi: The number", "prompt ask: Ask for a sum"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r.Name != "calc" || r.Version != "1.2.3" || r.Protocol == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestInspectFails(t *testing.T) {
	_, err := gateway.Inspect(t.Context(), self("mute"), "test", "1")
	e, ok := err.(*hub.Error)
	if !ok || e.Kind != hub.Unavailable || len(e.Issues) != 1 || e.Issues[0].Message != "cannot open the database" {
		t.Errorf("%#v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := gateway.Inspect(ctx, self("wait"), "test", "1"); err == nil || hub.KindOf(err) != hub.Unavailable {
		t.Errorf("%v", err)
	}
}
