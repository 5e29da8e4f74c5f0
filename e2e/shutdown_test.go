package e2e

import (
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGracefulShutdown asks the hub to end in the middle of an upload: it takes no new calls, finishes that one,
// ends well, and what it acknowledged is there when it starts again.
func TestGracefulShutdown(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows")
	}
	data := t.TempDir()
	token := newPublisher(t, data, os.Environ())
	h, err := startHub(data, os.Environ(), "--starter=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.kill() })
	p := newPublication(1)
	send, answer := slowUpload(t, h.url, token, p)
	send(len(p.bundle) / 2)
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	poll(t, "the hub says that it stops", func() bool { return strings.Contains(h.out.String(), "finishing what is being answered") })
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	poll(t, "it takes no new calls", func() bool {
		resp, err := fresh.Get(h.url + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err != nil
	})
	select {
	case err := <-h.done:
		t.Fatalf("the hub ended before the upload did: %v\n%s", err, h.out)
	default:
	}
	send(len(p.bundle) - len(p.bundle)/2)
	if status := <-answer; status != http.StatusAccepted && status != http.StatusCreated {
		t.Errorf("the upload was answered with %d\n%s", status, h.out)
	}
	select {
	case err := <-h.done:
		if err != nil {
			t.Errorf("the hub ended with %v\n%s", err, h.out)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the hub did not end")
	}
	if err := h.start(os.Environ()); err != nil {
		t.Fatal(err)
	}
	p.check(t, h.url)
}

func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// slowUpload starts to publish p, and returns once the hub reads it: the hub's "100 Continue" (RFC 9110 section
// 10.1.1) says so. The connection is its own, for one that has been idle may be closed before the hub has seen the
// call. send gives the next n bytes of the bundle, and the end with the last one; the status of the answer comes from
// the channel, 0 when there is none.
func slowUpload(t *testing.T, hubURL, token string, p *publication) (send func(n int), answer <-chan int) {
	t.Helper()
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	status := make(chan int, 1)
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 30 * time.Second}}
	t.Cleanup(client.CloseIdleConnections)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hubURL+"/api/v1/servers/"+url.PathEscape(crashServer)+"/versions", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Expect", "100-continue")
	go func() {
		resp, err := client.Do(req)
		if err != nil {
			t.Log(err)
			r.CloseWithError(err)
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	select {
	case <-reading:
	case <-time.After(30 * time.Second):
		t.Fatal("the hub did not begin to read the upload")
	}
	write := func(w io.Writer, b []byte) {
		t.Helper()
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormField("manifest")
	if err != nil {
		t.Fatal(err)
	}
	write(part, []byte(p.manifest))
	if part, err = form.CreateFormFile("bundle", "b.tgz"); err != nil {
		t.Fatal(err)
	}
	rest := p.bundle
	return func(n int) {
		t.Helper()
		write(part, rest[:n])
		if rest = rest[n:]; len(rest) == 0 {
			if err := form.Close(); err != nil {
				t.Fatal(err)
			}
			w.Close()
		}
	}, status
}
