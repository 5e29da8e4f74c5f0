package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Limits of the client. A hub that sends more than maxJSON is not believed.
const (
	maxJSON       = 32 << 20
	maxProblem    = 1 << 20
	maxRetryAfter = 20 * time.Second
)

// ClientOptions tune a Client; the zero value is good.
type ClientOptions struct {
	// Token gives the bearer token to send, "" for none. rejected is "" at first; when the hub answers
	// 401 the function is called once more with the token that was refused, so that it can get a newer.
	Token func(ctx context.Context, rejected string) (string, error)

	UserAgent string
	HTTP      *http.Client  // default: one with timeouts for each step of a connection
	Attempts  int           // how often a repeatable request is tried; default 4
	Backoff   time.Duration // wait before the second try, doubled each time; default 150 ms

	// Trace, when set, is told of each request and what came of it: the status, or why there was no answer.
	Trace func(method, url, answer string, took time.Duration)
}

// Client speaks /api/v1 of one hub. Its methods are safe for concurrent use. What fails comes back as a
// *hub.Error: the one the hub sent, or Unavailable when the hub could not be reached or made no sense.
type Client struct {
	base *url.URL
	opts ClientOptions
	http *http.Client
}

// NewClient makes a client for the hub at base, an http or https URL that may carry a path prefix.
func NewClient(base string, opts ClientOptions) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, hub.Errorf(hub.Invalid, "registry %q is not an http or https URL", base).
			WithHint("write it like https://hub.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, hub.Errorf(hub.Invalid, "registry %q must be a plain URL without password, query or fragment", u.Redacted()).
			WithHint("use mcpm login to store a credential")
	}
	if opts.Attempts <= 0 {
		opts.Attempts = 4
	}
	if opts.Backoff <= 0 {
		opts.Backoff = 150 * time.Millisecond
	}
	c := &Client{base: u, opts: opts}
	h := http.Client{}
	if opts.HTTP != nil {
		h = *opts.HTTP
	} else {
		h.Transport = newTransport()
	}
	if opts.Trace != nil {
		h.Transport = traced{cmp.Or(h.Transport, http.DefaultTransport), opts.Trace}
	}
	h.CheckRedirect = checkRedirect
	c.http = &h
	return c, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   8,
		ForceAttemptHTTP2:     true,
	}
}

// Base returns the hub's address without a slash at the end.
func (c *Client) Base() string { return c.base.String() }

// checkRedirect follows redirects of reads only, and never takes a token to another host or from https
// to http.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) >= 5:
		return hub.Errorf(hub.Unavailable, "%s redirects in a circle", first.URL.Redacted())
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return http.ErrUseLastResponse
	case first.URL.Scheme == "https" && req.URL.Scheme != "https":
		return hub.Errorf(hub.Unavailable, "%s redirects from https to %s", first.URL.Host, req.URL.Scheme)
	case req.URL.Host != first.URL.Host && first.Header.Get("Authorization") != "":
		return hub.Errorf(hub.Unavailable, "%s redirects to %s; a token is not taken to another host", first.URL.Host, req.URL.Host).
			WithHint("set the registry to the address it redirects to")
	}
	return nil
}

// call is one request as the methods of Client describe it.
type call struct {
	method  string
	path    []string // segments after /api/v1, unescaped
	query   url.Values
	header  http.Header
	in      any                                  // JSON body
	body    func() (io.ReadCloser, int64, error) // any other body; called again for every try
	repeat  bool                                 // safe to send twice
	noToken bool                                 // login and refresh carry no token
}

// do runs a call and decodes its JSON answer into out, which may be nil.
func (c *Client) do(ctx context.Context, r call, out any) error {
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxProblem))
		return nil
	}
	data, err := readLimited(resp.Body, maxJSON)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return hub.Errorf(hub.Unavailable, "%s did not answer %s with the JSON of an mcphub", c.base, r.path[0]).
			WithHint("check that %s is a hub: mcpm search --registry URL", c.base).WithCause(err)
	}
	return nil
}

// send runs a call until it has an answer below 400, or gives up with a *hub.Error.
func (c *Client) send(ctx context.Context, r call) (*http.Response, error) {
	attempts := 1
	if r.repeat || r.method == http.MethodGet {
		attempts = c.opts.Attempts
	}
	rejected, renewed := "", false
	for try := 1; ; try++ {
		resp, token, err := c.once(ctx, r, rejected)
		var wait time.Duration
		switch {
		case err != nil:
			if !connectionFailed(err) || try >= attempts || ctx.Err() != nil {
				return nil, c.unreachable(ctx, err)
			}
			wait = c.backoff(try)
		case resp.StatusCode < 400:
			return resp, nil
		case resp.StatusCode == http.StatusUnauthorized && token != "" && !renewed:
			renewed, rejected = true, token
			first := problemOf(resp)
			if next, err := c.opts.Token(ctx, rejected); err != nil || next == "" || next == rejected {
				return nil, first
			}
			try--
			continue
		case retryable(resp.StatusCode) && try < attempts:
			wait = retryAfter(resp.Header.Get("Retry-After"))
			if wait == 0 {
				wait = c.backoff(try)
			}
			if wait > maxRetryAfter {
				return nil, problemOf(resp)
			}
			drain(resp)
		default:
			return nil, problemOf(resp)
		}
		select {
		case <-ctx.Done():
			return nil, c.unreachable(ctx, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// once makes one HTTP request. It returns the token it sent.
func (c *Client) once(ctx context.Context, r call, rejected string) (*http.Response, string, error) {
	body, size := io.ReadCloser(http.NoBody), int64(0)
	switch {
	case r.in != nil:
		data, err := json.Marshal(r.in)
		if err != nil {
			return nil, "", fmt.Errorf("encode request: %w", err)
		}
		body, size = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	case r.body != nil:
		var err error
		if body, size, err = r.body(); err != nil {
			return nil, "", err
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.url(r.path, r.query), body)
	if err != nil {
		return nil, "", err
	}
	req.ContentLength = size
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json, application/problem+json")
	}
	if c.opts.UserAgent != "" {
		req.Header.Set("User-Agent", c.opts.UserAgent)
	}
	token := ""
	if c.opts.Token != nil && !r.noToken {
		if token, err = c.opts.Token(ctx, rejected); err != nil {
			return nil, "", err
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
	}
	resp, err := c.http.Do(req)
	return resp, token, err
}

// url joins the base, /api/v1 and path segments; each segment is escaped whole, so a name stays one.
func (c *Client) url(path []string, query url.Values) string {
	var b strings.Builder
	b.WriteString(c.base.String())
	b.WriteString("/api/v1")
	for _, p := range path {
		b.WriteByte('/')
		b.WriteString(segment(p))
	}
	if len(query) > 0 {
		b.WriteByte('?')
		b.WriteString(query.Encode())
	}
	return b.String()
}

// segment escapes one path segment. "@" and "+" are legal in a path, but proxies disagree on them.
func segment(s string) string {
	return strings.NewReplacer("@", "%40", "+", "%2B").Replace(url.PathEscape(s))
}

func (c *Client) backoff(try int) time.Duration {
	d := c.opts.Backoff << (try - 1)
	return d/2 + rand.N(d/2+1)
}

// unreachable turns a failure of transport into what a person should read.
func (c *Client) unreachable(ctx context.Context, err error) error {
	var e *hub.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	why := err.Error()
	var ue *url.Error
	if errors.As(err, &ue) {
		why = ue.Err.Error()
		if ue.Timeout() {
			why = "no answer in time"
		}
	}
	return hub.Errorf(hub.Unavailable, "cannot reach the hub at %s: %s", c.base, why).
		WithHint("check the address and that the hub runs, or name another: --registry URL").WithCause(err)
}

func connectionFailed(err error) bool {
	var e *hub.Error
	return !errors.As(err, &e) && !errors.Is(err, context.Canceled)
}

func retryable(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads seconds or a date; 0 when there is none.
func retryAfter(h string) time.Duration {
	if n, err := strconv.Atoi(h); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(h); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// problemOf reads an error answer and closes it.
func problemOf(resp *http.Response) error {
	defer resp.Body.Close()
	data, _ := readLimited(resp.Body, maxProblem)
	mt, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var p Problem
	if strings.HasSuffix(mt, "json") && json.Unmarshal(data, &p) == nil && (p.Detail != "" || p.Error != "") {
		p.Status = resp.StatusCode
		e := p.HubError()
		if e.Kind == "" {
			e.Kind = hub.Unavailable // the hub failed; to the caller that is a hub that does not work
		}
		if p.RequestID != "" && p.Status >= 500 {
			e.Message += " (request " + p.RequestID + ")"
		}
		return e
	}
	kind := KindOf(resp.StatusCode)
	if kind == "" {
		kind = hub.Unavailable
	}
	return hub.Errorf(kind, "%s answered %s", resp.Request.URL.Host, resp.Status).
		WithHint("check that %s is an mcphub and that the path before /api is right", resp.Request.URL.Host)
}

func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	resp.Body.Close()
}

// readLimited reads all of r, and fails when that is more than limit bytes.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, hub.Errorf(hub.Unavailable, "the hub's answer is over %d MiB", limit>>20)
	}
	return data, err
}
