package embed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform"
	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/hub"
)

const key = "sk-very-secret"

// request is what an endpoint is asked.
type request struct {
	Model    string   `json:"model"`
	Input    []string `json:"input"`
	Encoding string   `json:"encoding_format"`
}

// vectors answers as OpenAI's endpoint does, in reverse order and not of length 1.
func vectors(w http.ResponseWriter, r *http.Request, model hub.Embedder) {
	var req request
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	got, err := model.Embed(r.Context(), req.Input)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	data := []map[string]any{}
	for i := len(got) - 1; i >= 0; i-- {
		for j := range got[i] {
			got[i][j] *= 7
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": got[i]})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data, "model": req.Model})
}

// remote returns an embedder that asks handle, and never sleeps.
func remote(t *testing.T, handle http.HandlerFunc, change func(o *embed.RemoteOptions)) *embed.Remote {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	opts := embed.RemoteOptions{URL: srv.URL, Model: "small", Key: key, Client: srv.Client(),
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	if change != nil {
		change(&opts)
	}
	r, err := embed.NewRemote(opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func builtIn(t *testing.T) *embed.Static {
	t.Helper()
	s, err := embed.New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRemote(t *testing.T) {
	conform.Embedder(t, func(t *testing.T) hub.Embedder {
		s := builtIn(t)
		return remote(t, func(w http.ResponseWriter, r *http.Request) { vectors(w, r, s) }, nil)
	})
}

func TestRemoteAsks(t *testing.T) {
	s, sizes := builtIn(t), ""
	r := remote(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/base/v1/embeddings" || r.Header.Get("Authorization") != "Bearer "+key || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		var req request
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.Model != "small" || req.Encoding != "float" {
			t.Errorf("%+v %v", req, err)
		}
		for _, text := range req.Input {
			if text == "" || len(text) > 40_000 {
				t.Errorf("a text of %d bytes is sent", len(text))
			}
		}
		sizes += fmt.Sprint(len(req.Input), " ")
		body, _ := json.Marshal(req)
		r.Body = http.NoBody
		again, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
		vectors(w, again, s)
	}, func(o *embed.RemoteOptions) { o.URL, o.Batch = o.URL+"/base/v1/", 3 })
	texts := []string{"a", "", "b", "c", "  ", "d", "e", strings.Repeat("é", 50_000), "!?"}
	got, err := r.Embed(context.Background(), texts)
	if err != nil || len(got) != len(texts) || sizes != "3 3 " {
		t.Fatalf("%d vectors, %v, batches of %s", len(got), err, sizes)
	}
	if host := strings.TrimPrefix(r.Model(), "remote:127.0.0.1:"); !strings.HasSuffix(host, "/small") {
		t.Errorf("Model %q", r.Model())
	}
}

func TestRemoteTriesAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		statuses []int // one after the other, then 200
		after    string
		ok       bool
		asked    int32
		waits    string
	}{
		{"busy once", []int{429}, "", true, 2, "[250ms]"},
		{"busy, and says how long", []int{429, 503}, "3", true, 3, "[3s 3s]"},
		{"busy for an hour", []int{429}, "3600", true, 2, "[10s]"},
		{"broken for a while", []int{500, 502, 503}, "", true, 4, "[250ms 500ms 1s]"},
		{"broken for good", []int{500, 500, 500, 500, 500}, "", false, 4, "[250ms 500ms 1s]"},
		{"wrong key", []int{401}, "", false, 1, "[]"},
		{"unknown model", []int{404}, "", false, 1, "[]"},
		{"bad request", []int{400}, "", false, 1, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int32
			waits := []time.Duration{}
			s := builtIn(t)
			r := remote(t, func(w http.ResponseWriter, r *http.Request) {
				if n := int(asked.Add(1)); n <= len(c.statuses) {
					if c.after != "" {
						w.Header().Set("Retry-After", c.after)
					}
					http.Error(w, "your key "+key+" is bad", c.statuses[n-1])
					return
				}
				vectors(w, r, s)
			}, func(o *embed.RemoteOptions) {
				o.Wait = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
			})
			_, err := r.Embed(context.Background(), []string{"word"})
			if (err == nil) != c.ok || asked.Load() != c.asked || fmt.Sprint(waits) != c.waits {
				t.Errorf("%v, asked %d times, waited %v", err, asked.Load(), waits)
			}
			if err != nil {
				unavailable(t, err)
			}
		})
	}
}

// unavailable checks the kind, that there is a hint, and that the key is nowhere.
func unavailable(t *testing.T, err error) {
	t.Helper()
	var e *hub.Error
	if !errors.As(err, &e) || e.Kind != hub.Unavailable || e.Hint == "" {
		t.Errorf("%v is not Unavailable with a hint", err)
		return
	}
	if said := fmt.Sprintf("%+v %v %v", *e, e.Err, e.Message); strings.Contains(said, key) {
		t.Errorf("the key is in %s", said)
	}
}

func TestRemoteBadAnswers(t *testing.T) {
	const one = `{"index":0,"embedding":[1,2]}`
	for name, answer := range map[string]string{
		"nothing":          ``,
		"a page":           `<html>` + key,
		"no data":          `{}`,
		"too few":          `{"data":[` + one + `]}`,
		"twice the same":   `{"data":[` + one + `,` + one + `]}`,
		"index too high":   `{"data":[` + one + `,{"index":2,"embedding":[1,2]}]}`,
		"index below zero": `{"data":[` + one + `,{"index":-1,"embedding":[1,2]}]}`,
		"other length":     `{"data":[` + one + `,{"index":1,"embedding":[1,2,3]}]}`,
		"no numbers":       `{"data":[` + one + `,{"index":1,"embedding":[]}]}`,
		"a huge number":    `{"data":[` + one + `,{"index":1,"embedding":[1,1e400]}]}`,
		"words":            `{"data":[` + one + `,{"index":1,"embedding":["a","b"]}]}`,
		"too long":         `{"data":[` + one + `,{"index":1,"embedding":[` + strings.Repeat("1,", 10_000) + `1]}]}`,
		"too many bytes":   `{"data":[` + one + `,{"index":1,"embedding":[1,2],"x":"` + strings.Repeat("x", 2<<20) + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := remote(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }, nil)
			_, err := r.Embed(context.Background(), []string{"a", "b"})
			unavailable(t, err)
		})
	}
	t.Run("other length than before", func(t *testing.T) {
		n := 1
		r := remote(t, func(w http.ResponseWriter, _ *http.Request) {
			n++
			_, _ = fmt.Fprintf(w, `{"data":[{"index":0,"embedding":[1%s]}]}`, strings.Repeat(",1", n))
		}, nil)
		if _, err := r.Embed(context.Background(), []string{"a"}); err != nil {
			t.Fatal(err)
		}
		_, err := r.Embed(context.Background(), []string{"a"})
		unavailable(t, err)
	})
}

func TestRemoteDoesNotAnswer(t *testing.T) {
	r := remote(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil)
	_, err := r.Embed(context.Background(), []string{"a"})
	unavailable(t, err)
	guarded := &http.Client{Transport: refuse{}}
	r = remote(t, nil, func(o *embed.RemoteOptions) { o.Client = guarded })
	_, err = r.Embed(context.Background(), []string{"a"})
	unavailable(t, err)
	if !strings.HasSuffix(err.Error(), "may not be asked: 127.0.0.1 is not public") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r = remote(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		http.Error(w, "", http.StatusServiceUnavailable)
	}, func(o *embed.RemoteOptions) { o.Wait = nil })
	if _, err := r.Embed(ctx, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// refuse is a guard that lets nothing through.
type refuse struct{}

func (refuse) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, hub.Errorf(hub.Forbidden, "127.0.0.1 is not public").WithHint("allow private addresses")
}

func TestNewRemote(t *testing.T) {
	for _, c := range []struct{ url, model, want string }{
		{"", "m", "not a http or https URL"},
		{"ftp://host", "m", "not a http or https URL"},
		{"host:80", "m", "not a http or https URL"},
		{"https://u:" + key + "@host", "m", "has a user"},
		{"https://host?key=" + key, "m", "has a user"},
		{"https://host", "", "needs the name of a model"},
		{"https://ho\nst/" + key, "m", "not a http or https URL"},
	} {
		_, err := embed.NewRemote(embed.RemoteOptions{URL: c.url, Model: c.model, Client: http.DefaultClient})
		if hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", c.url, err)
		}
	}
	if _, err := embed.NewRemote(embed.RemoteOptions{URL: "https://host", Model: "m"}); err == nil {
		t.Error("no client: no error")
	}
}
