package playground_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestMain lets the test binary be the steps of a sandbox.
func TestMain(m *testing.M) {
	sandbox.Init()
	os.Exit(m.Run())
}

// server answers in a shell, without another program: what it has to say depends on the name of the tool.
const server = `
while read -r line; do
  id=${line#*'"id":'}; id=${id%%[,\}]*}
  case $line in
  *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}\n' "$id" ;;
  *'"name":"echo"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"hello"},{"type":"image","data":"AAAA","mimeType":"image/png"}],"structuredContent":{"n":1}}}\n' "$id" ;;
  *'"name":"look"'*)
    seen=
    [ -n "$MCPHUB_SECRET" ] && seen="$seen variable"
    [ -r "$PROBE" ] && seen="$seen probe"
    [ -r /etc/shadow ] && seen="$seen shadow"
    [ -e SECRETFILE ] && seen="$seen file"
    (echo x > written) 2>/dev/null && seen="$seen written"
    printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"seen:%s"}]}}\n' "$id" "$seen" ;;
  *'"name":"fail"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"isError":true,"content":[{"type":"text","text":"no such city"}]}}\n' "$id" ;;
  *'"name":"flood"'*) while :; do printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}}\n'; done ;;
  *'"name":"die"'*) echo 'cannot open the database' >&2; exit 3 ;;
  *'"id":'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"method not found"}}\n' "$id" ;;
  esac
done
`

var tools = []string{"echo", "look", "fail", "flood", "die"}

// published is a version of a server that is a shell script in a bundle.
func published(t *testing.T, blobs hub.Blobs, script string) (*manifest.Manifest, *hub.Version) {
	t.Helper()
	text := `{"name":"@acme/shell","version":"1.0.0","description":"x","servers":{"default":{"command":"sh","args":["${bundle}/server.sh"]}}}`
	dir := t.TempDir()
	for name, content := range map[string]string{"mcp.json": text, "server.sh": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := bundle.Pack(dir, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	packed, err := bundle.Write(&b, dir, files, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if packed.Digest, _, err = blobs.Write(t.Context(), &b, 1<<20); err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v := &hub.Version{Version: "1.0.0", Bundle: &packed}
	for _, name := range tools {
		v.Capabilities = append(v.Capabilities, hub.Capability{Type: hub.Tool, Name: name})
	}
	return m, v
}

func service(t *testing.T) (*playground.Service, hub.Blobs) {
	t.Helper()
	blobs, err := blobstore.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := playground.New(playground.Config{Blobs: blobs, HTTP: http.DefaultClient, Dir: filepath.Join(t.TempDir(), "play"), Version: "1.0.0", AtOnce: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s, blobs
}

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

// TestBundle guards: a tool of a bundle answers, from a sandbox in which nothing of the hub is seen, and leaves nothing behind.
func TestBundle(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MCPHUB_SECRET", "x")
	t.Setenv("PROBE", secret)
	s, blobs := service(t)
	m, v := published(t, blobs, strings.ReplaceAll(server, "SECRETFILE", secret))
	a, err := s.Call(within(t), m, v, "echo", json.RawMessage(`{"text":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Pieces) != 2 || a.Pieces[0].Text != "hello" || a.Pieces[1].Kind != "image" || a.Pieces[1].Size != 3 || a.Structured != "{\n  \"n\": 1\n}" || a.Failed || a.Took <= 0 {
		t.Errorf("%+v", a)
	}
	if a, err = s.Call(within(t), m, v, "look", nil); err != nil || len(a.Pieces) != 1 || a.Pieces[0].Text != "seen:" {
		t.Errorf("%+v, %v; want that nothing is seen", a, err)
	}
	if a, err = s.Call(within(t), m, v, "fail", nil); err != nil || !a.Failed {
		t.Errorf("%+v, %v; want a failure that the tool tells", a, err)
	}
	left, err := os.ReadDir(s.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestNoAnswer guards: a server that dies, floods or was changed is an error that says so, and a tool that is not declared is
// not called.
func TestNoAnswer(t *testing.T) {
	s, blobs := service(t)
	m, v := published(t, blobs, server)
	for tool, want := range map[string]string{"die": "gave no answer", "flood": "more than 4 MiB", "drop": "declares no tool"} {
		if _, err := s.Call(within(t), m, v, tool, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", tool, err, want)
		}
	}
	if _, err := s.Call(within(t), m, v, "echo", make([]byte, playground.MaxArguments+1)); hub.KindOf(err) != hub.TooLarge {
		t.Errorf("%v, want that the arguments are too long", err)
	}
	_, other := published(t, blobs, server+"\n")
	other.Bundle.Digest, v.Bundle.Digest = v.Bundle.Digest, "sha256:"+strings.Repeat("0", 64)
	if _, err := s.Call(within(t), m, v, "echo", nil); err == nil {
		t.Error("a bundle that is not there was started")
	}
}

// TestRemote guards: a remote server is called at its address.
func TestRemote(t *testing.T) {
	srv := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
	type in struct {
		City string `json:"city"`
	}
	mcp.AddTool(srv, &mcp.Tool{Name: "weather"}, func(_ context.Context, _ *mcp.CallToolRequest, i in) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "sunny in " + i.City}}}, nil, nil
	})
	h := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return srv }, nil))
	defer h.Close()
	s, _ := service(t)
	m, _, err := manifest.Parse([]byte(`{"name":"@acme/weather","version":"1.0.0","servers":{"remote":{"transport":"streamable-http","url":"` + h.URL + `"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	v := &hub.Version{Version: "1.0.0", Capabilities: []hub.Capability{{Type: hub.Tool, Name: "weather"}}}
	if way, err := playground.WayOf(m, v); err != nil || way.Remote != h.URL {
		t.Errorf("%+v, %v", way, err)
	}
	a, err := s.Call(within(t), m, v, "weather", json.RawMessage(`{"city":"Ghent"}`))
	if err != nil || len(a.Pieces) != 1 || a.Pieces[0].Text != "sunny in Ghent" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestWays guards: what needs a secret, a package or a port is not tried, and it is said why.
func TestWays(t *testing.T) {
	for entry, want := range map[string]string{
		`{"command":"npx","args":["-y","x@1.0.0"]}`: "started from a package",
		`{"remote":{"type":"streamable-http","url":"https://example.com/mcp","headers":[{"name":"Authorization","value":"{token}","variables":{"token":{"isRequired":true,"isSecret":true}}}]}}`: "needs a value for token",
	} {
		m, _, err := manifest.Parse([]byte(`{"name":"@acme/x","version":"1.0.0","servers":{"default":` + entry + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = playground.WayOf(m, &hub.Version{Version: "1.0.0"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}
