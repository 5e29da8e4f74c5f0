package wire

import (
	"net/http"
	"time"
)

// traced tells of each request, as it was sent: repetitions and redirects are requests of their own.
type traced struct {
	next http.RoundTripper
	tell func(method, url, answer string, took time.Duration)
}

func (t traced) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := t.next.RoundTrip(req)
	answer := ""
	if err != nil {
		answer = err.Error()
	} else {
		answer = resp.Status
	}
	t.tell(req.Method, req.URL.Redacted(), answer, time.Since(began))
	return resp, err
}
