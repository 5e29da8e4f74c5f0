package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// Trace is told of each try, so that a person sees that a slow answer was a third one.
func TestTrace(t *testing.T) {
	tries := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"servers":[]}`))
	}))
	defer srv.Close()
	var told []string
	c, err := NewClient(srv.URL, ClientOptions{Backoff: time.Millisecond, Trace: func(method, url, answer string, took time.Duration) {
		told = append(told, method+" "+url+" "+answer)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Search(context.Background(), SearchQuery{Text: "time"}); err != nil {
		t.Fatal(err)
	}
	url := srv.URL + "/api/v1/search?q=time"
	if want := []string{"GET " + url + " 503 Service Unavailable", "GET " + url + " 200 OK"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
