package gateway_test

import (
	"context"
	"fmt"
	"net"
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
		"local": self("mcp"), "listens": listening(t), "streamable": {URL: web.URL}, "sse": {URL: sse.URL, Transport: "sse"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := gateway.Inspect(ctx, s, nil, "test", "1")
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

// listening is a server that is started here and reached at a port.
func listening(t *testing.T) *gateway.Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := self("listen")
	s.URL, s.Env = "http://"+l.Addr().String(), append(s.Env, "TEST_ADDR="+l.Addr().String())
	return s
}

func TestInspectFails(t *testing.T) {
	_, err := gateway.Inspect(t.Context(), self("mute"), nil, "test", "1")
	e, ok := err.(*hub.Error)
	if !ok || e.Kind != hub.Unavailable || len(e.Issues) != 1 || e.Issues[0].Message != "cannot open the database" {
		t.Errorf("%#v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := gateway.Inspect(ctx, self("wait"), nil, "test", "1"); err == nil || hub.KindOf(err) != hub.Unavailable {
		t.Errorf("%v", err)
	}
}
