package nodes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	readTime   = 10 * time.Second // for an answer to a question
	writeTime  = 60 * time.Second
	restTime   = 10 * time.Second // a node that failed is asked last for so long
	maxAnswer  = 64 << 20
	maxMessage = 300 // characters of an engine's complaint that are kept
)

// Lines is a body of lines of JSON.
type Lines []byte

// node is one address of the cluster.
type node struct {
	base   string
	failed atomic.Int64 // when, in nanoseconds of the Unix epoch
}

// Client asks the nodes of a cluster in turn. Every request it is given may be sent twice.
type Client struct {
	nodes []*node
	auth  func(*http.Request)
	http  *http.Client
	turn  atomic.Uint32
}

// New makes a Client for the hosts of a target. auth says on a request who asks.
func New(t Target, auth func(*http.Request)) *Client {
	c := &Client{auth: auth, http: &http.Client{Transport: &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, DisableCompression: true,
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	scheme := "http://"
	if t.TLS {
		scheme = "https://"
	}
	for _, h := range t.Hosts {
		c.nodes = append(c.nodes, &node{base: scheme + h})
	}
	return c
}

// Close gives idle connections back.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// AnswerError is an answer that is not a success.
type AnswerError struct {
	Status int
	Kind   string // as the engine names it, such as index_not_found_exception
	Text   string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the engine answers %d %s %s", e.Status, e.Kind, e.Text[:min(len(e.Text), maxMessage)])
}

// busy reports whether another node, or the same a little later, may do better.
func (e *AnswerError) busy() bool {
	return e.Status == http.StatusBadGateway || e.Status == http.StatusServiceUnavailable || e.Status == http.StatusGatewayTimeout
}

// order returns the nodes in turn, those that failed lately last.
func (c *Client) order() []*node {
	n := len(c.nodes)
	start := int(c.turn.Add(1)) % n
	var good, bad []*node
	since := time.Now().Add(-restTime).UnixNano()
	for i := range n {
		if at := c.nodes[(start+i)%n]; at.failed.Load() > since {
			bad = append(bad, at)
		} else {
			good = append(good, at)
		}
	}
	return append(good, bad...)
}

// Read asks a question: it may be a POST, and changes nothing. body, which may be nil, is sent as JSON, and the
// answer is read into out unless that is nil. AnswerError when the answer is no success.
func (c *Client) Read(ctx context.Context, method, path string, body, out any) error {
	return c.do(ctx, readTime, method, path, body, out)
}

// Write is Read for changes, which may take longer.
func (c *Client) Write(ctx context.Context, method, path string, body, out any) error {
	return c.do(ctx, writeTime, method, path, body, out)
}

func (c *Client) do(ctx context.Context, limit time.Duration, method, path string, body, out any) error {
	data, kind := []byte(nil), "application/json"
	switch b := body.(type) {
	case nil:
	case Lines:
		data, kind = b, "application/x-ndjson"
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			return err
		}
	}
	var last error
	for _, at := range c.order() {
		err := c.ask(ctx, at, limit, method, path, kind, data, out)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refused := (*AnswerError)(nil); errors.As(err, &refused) && !refused.busy() {
			return err
		}
		at.failed.Store(time.Now().UnixNano())
		last = err
	}
	return &silence{last}
}

func (c *Client) ask(ctx context.Context, at *node, limit time.Duration, method, path, kind string, data []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if data != nil {
		req.Header.Set("Content-Type", kind)
	}
	if c.auth != nil {
		c.auth(req)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return err
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("nodes: an answer of more than %d bytes", maxAnswer)
	}
	if res.StatusCode/100 != 2 {
		return refusal(res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("nodes: an answer that is no JSON: %w", err)
	}
	return nil
}

// refusal reads why a request was refused.
func refusal(status int, b []byte) error {
	e := &AnswerError{Status: status, Text: strings.ToValidUTF8(string(b[:min(len(b), maxMessage)]), "")}
	var body struct{ Error json.RawMessage }
	var why struct{ Type, Reason string }
	if json.Unmarshal(b, &body) == nil && json.Unmarshal(body.Error, &why) == nil {
		e.Kind, e.Text = why.Type, why.Reason
	}
	return e
}

// Is reports whether an error is an answer with a status.
func Is(err error, status int) bool {
	e := (*AnswerError)(nil)
	return errors.As(err, &e) && e.Status == status
}

// silence is that no node answered; also in time, which is not the caller's deadline.
type silence struct{ err error }

func (s *silence) Error() string { return "no node answers: " + s.err.Error() }

// Unwrap returns what the last node did.
func (s *silence) Unwrap() error { return s.err }

// Failed makes the error that a caller sees of one that an engine gave: what is a sentence such as "the search index
// cannot be read", setting the one that names the engine. Errors of the context and of hub pass.
func Failed(what, setting string, err error) error {
	out := hub.Errorf(hub.Unavailable, "%s", what).WithCause(err)
	switch {
	case errors.As(err, new(*silence)):
		return out.WithHint("see that a node that %s names answers", setting)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), hub.KindOf(err) != "":
		return err
	case Is(err, http.StatusUnauthorized), Is(err, http.StatusForbidden):
		return out.WithHint("give a user or key in %s that may make, write and delete the index", setting)
	case Is(err, http.StatusNotFound):
		return out.WithHint("what was there is gone; mcphub admin reindex makes it anew")
	}
	return out
}
