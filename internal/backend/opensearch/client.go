package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	readTime   = 10 * time.Second // for an answer to a search
	writeTime  = 60 * time.Second
	restTime   = 10 * time.Second // a node that failed is asked last for so long
	maxAnswer  = 32 << 20
	maxMessage = 300 // characters of an engine's complaint that are passed on
)

// node is one address of the cluster.
type node struct {
	base   string
	failed atomic.Int64 // when, in nanoseconds of the Unix epoch
}

// client asks the nodes of a cluster in turn. Every request it is given may be sent twice.
type client struct {
	nodes          []*node
	user, password string
	http           *http.Client
	turn           atomic.Uint32
}

func newClient(hosts []string, tls bool, user *url.Userinfo) *client {
	c := &client{http: &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, DisableCompression: true,
		Proxy: http.ProxyFromEnvironment,
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	for _, h := range hosts {
		c.nodes = append(c.nodes, &node{base: scheme + h})
	}
	if user != nil {
		c.user = user.Username()
		c.password, _ = user.Password()
	}
	return c
}

// answerError is an answer of the engine that is not a success.
type answerError struct {
	status int
	kind   string // such as index_not_found_exception
	text   string
}

func (e *answerError) Error() string {
	return fmt.Sprintf("opensearch: status %d: %s: %.*s", e.status, e.kind, maxMessage, e.text)
}

// busy reports whether another node, or the same a little later, may do better.
func (e *answerError) busy() bool {
	return e.status == http.StatusBadGateway || e.status == http.StatusServiceUnavailable || e.status == http.StatusGatewayTimeout
}

// order returns the nodes in turn, those that failed lately last.
func (c *client) order() []*node {
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

// do sends a request to the first node that answers and reads its answer into out, which may be nil. body is
// sent as it is when it is bytes (lines of JSON), as JSON otherwise.
func (c *client) do(ctx context.Context, method, path string, body, out any) error {
	data, kind, limit := []byte(nil), "application/json", readTime
	switch b := body.(type) {
	case nil:
	case []byte:
		data, kind, limit = b, "application/x-ndjson", writeTime
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			return err
		}
	}
	if method != http.MethodGet && !strings.Contains(path, "/_search") {
		limit = writeTime
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
		if refused := (*answerError)(nil); errors.As(err, &refused) && !refused.busy() {
			return err
		}
		at.failed.Store(time.Now().UnixNano())
		last = err
	}
	return &silence{last}
}

func (c *client) ask(ctx context.Context, at *node, limit time.Duration, method, path, kind string, data []byte, out any) error {
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
	if c.user != "" {
		req.SetBasicAuth(c.user, c.password)
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
		return fmt.Errorf("opensearch: an answer of more than %d bytes", maxAnswer)
	}
	if res.StatusCode/100 != 2 {
		return refusal(res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("opensearch: an answer that is no JSON: %w", err)
	}
	return nil
}

// refusal reads why a request was refused.
func refusal(status int, b []byte) error {
	e := &answerError{status: status}
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	var why struct {
		Type, Reason string
	}
	if json.Unmarshal(b, &body) == nil && json.Unmarshal(body.Error, &why) == nil {
		e.kind, e.text = why.Type, why.Reason
	} else {
		e.text = strings.ToValidUTF8(string(b[:min(len(b), maxMessage)]), "")
	}
	return e
}

// is reports whether an error is an answer with a status or of a kind.
func is(err error, status int, kind string) bool {
	e := (*answerError)(nil)
	return errors.As(err, &e) && (e.status == status || kind != "" && e.kind == kind)
}

// silence is that no node answered; also in time, which is not the caller's deadline.
type silence struct{ err error }

func (s *silence) Error() string { return "opensearch: no node answers: " + s.err.Error() }

// Unwrap returns what the last node did.
func (s *silence) Unwrap() error { return s.err }

// failed maps an error of the engine; those of the context and of hub pass.
func failed(what string, err error) error {
	out := hub.Errorf(hub.Unavailable, "the search index cannot be %s", what).WithCause(err)
	if errors.As(err, new(*silence)) {
		return out.WithHint("see that a node of the cluster that --search names answers")
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || hub.KindOf(err) != "" {
		return err
	}
	if is(err, http.StatusUnauthorized, "") || is(err, http.StatusForbidden, "") {
		return out.WithHint("give --search a user and password that may make, write and delete the index and its alias")
	}
	if is(err, http.StatusNotFound, "") {
		return out.WithHint("the index is gone; mcphub admin reindex makes it anew")
	}
	return out
}
