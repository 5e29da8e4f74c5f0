package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	pageLimit     = 100              // what the API allows at most
	maxPageBytes  = 32 << 20         // of one page
	maxRetryAfter = 10 * time.Minute // longest wait a registry may ask for
	maxBackoff    = time.Minute
)

// Mirror reads other registries over the official API, /v0.1. The zero value works, through a guarded
// client. It is polite: pages of 100, one request at a time, conditional where the registry offers ETags,
// and it waits as long as it is told to.
type Mirror struct {
	HTTP     *http.Client                                     // default NewClient
	Sleep    func(ctx context.Context, d time.Duration) error // default a timer
	Now      func() time.Time                                 // default time.Now; for Retry-After given as a date
	Jitter   func() float64                                   // in [0,1); default random
	Attempts int                                              // tries of one page; default 6

	// Seen remembers pages by URL, so that an unchanged one is not sent again. The caller may keep it
	// from one run to the next; nil turns conditional requests off.
	Seen map[string]SeenPage
}

// SeenPage is what is remembered of a page.
type SeenPage struct {
	ETag string `json:"etag"`
	Next string `json:"next"` // cursor after it
}

// Page is one page of another registry.
type Page struct {
	Entries   []Entry
	Unchanged bool   // the page is the one that was seen before; Entries is empty
	Next      string // cursor to go on with, "" after the last page
}

// Pages calls fn with each page of the registry at base (which may carry a path), from cursor on, of
// versions updated after since (all when it is zero), deleted ones included. A caller that keeps Page.Next
// and since can go on where it stopped. Answers 429 and 5xx and lost connections are tried again, after the
// time the registry asks for or a growing one. It ends with the error of fn, of ctx, with Unavailable when
// the registry does not answer or makes no sense, and with Forbidden as NewClient says.
func (m *Mirror) Pages(ctx context.Context, base string, since time.Time, cursor string, fn func(Page) error) error {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return hub.Errorf(hub.Invalid, "%q is not the address of a registry", base).WithHint("write it like https://registry.example.com")
	}
	for first := true; first || cursor != ""; first = false {
		page, err := m.page(ctx, u, since, cursor)
		if err != nil {
			return err
		}
		if page.Next == cursor && cursor != "" {
			return hub.Errorf(hub.Unavailable, "%s repeats the cursor %q, so its list has no end", u.Host, cut(cursor, 80))
		}
		if err := fn(page); err != nil {
			return err
		}
		cursor = page.Next
	}
	return nil
}

func (m *Mirror) page(ctx context.Context, base *url.URL, since time.Time, cursor string) (Page, error) {
	at := base.JoinPath("v0.1", "servers")
	q := url.Values{"limit": {strconv.Itoa(pageLimit)}, "include_deleted": {"true"}}
	if !since.IsZero() {
		q.Set("updated_since", since.UTC().Format(time.RFC3339Nano))
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	at.RawQuery = q.Encode()
	seen, known := m.Seen[at.String()]
	attempts := m.Attempts
	if attempts <= 0 {
		attempts = 6
	}
	var last error
	for try := range attempts {
		if try > 0 {
			if err := m.sleep(ctx, m.delay(try, last)); err != nil {
				return Page{}, err
			}
		}
		header := http.Header{"Accept": {"application/json"}}
		if known && seen.ETag != "" {
			header.Set("If-None-Match", seen.ETag)
		}
		page, err := m.fetch(ctx, at, header, base)
		var again *retryable
		switch {
		case err == nil && page.Unchanged:
			page.Next = seen.Next
			return page, nil
		case err == nil:
			return page, nil
		case ctx.Err() != nil:
			return Page{}, ctx.Err()
		case !errors.As(err, &again):
			return Page{}, err
		}
		last = err
	}
	return Page{}, hub.Errorf(hub.Unavailable, "%s does not answer: %v (%d tries)", base.Host, last, attempts).
		WithHint("try again later; it goes on where it stopped").WithCause(last)
}

// retryable is a failure that may pass. After is how long the registry asks to wait, 0 when it says nothing.
type retryable struct {
	after time.Duration
	err   error
}

func (r *retryable) Error() string { return r.err.Error() }
func (r *retryable) Unwrap() error { return r.err }

func (m *Mirror) fetch(ctx context.Context, at *url.URL, header http.Header, base *url.URL) (Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return Page{}, err
	}
	req.Header = header
	resp, err := m.client().Do(req)
	if err != nil {
		if hub.KindOf(err) != "" {
			return Page{}, errorOf(err)
		}
		return Page{}, &retryable{err: errors.Unwrap(err)}
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code == http.StatusNotModified && header.Get("If-None-Match") != "":
		return Page{Unchanged: true}, nil
	case code == http.StatusTooManyRequests || code >= 500:
		return Page{}, &retryable{after: m.retryAfter(resp.Header.Get("Retry-After")), err: fmt.Errorf("it answered %s", resp.Status)}
	case code != http.StatusOK:
		return Page{}, hub.Errorf(hub.Unavailable, "%s answered %s", at.Redacted(), resp.Status).
			WithHint("is it the address of a registry, without /v0.1?")
	}
	data, err := ReadLimited(resp.Body, maxPageBytes, "a page of "+base.Host)
	if err != nil {
		if hub.KindOf(err) != "" {
			return Page{}, err
		}
		return Page{}, &retryable{err: err}
	}
	page, err := readPage(data, base)
	if err != nil {
		return Page{}, err
	}
	if etag := resp.Header.Get("ETag"); etag != "" && m.Seen != nil {
		m.Seen[at.String()] = SeenPage{ETag: etag, Next: page.Next}
	}
	return page, nil
}

// errorOf returns the hub.Error inside the client's wrapping.
func errorOf(err error) error {
	var e *hub.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

func readPage(data []byte, base *url.URL) (Page, error) {
	var list struct {
		Servers  []json.RawMessage `json:"servers"`
		Metadata struct {
			NextCursor string `json:"nextCursor"`
		} `json:"metadata"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&list); err != nil || list.Servers == nil {
		return Page{}, hub.Errorf(hub.Unavailable, "%s answered with something that is no list of servers", base.Host).
			WithHint("is it the address of a registry, without /v0.1?").WithCause(err)
	}
	page := Page{Next: list.Metadata.NextCursor}
	origin := base.Host + strings.TrimRight(base.Path, "/")
	for i, raw := range list.Servers {
		e := readOfficial("", origin, raw)
		if e.Source = fmt.Sprintf("%s %s", origin, e.Name); e.Name == "" {
			e.Source = fmt.Sprintf("%s[%d]", origin, i)
		}
		page.Entries = append(page.Entries, e)
	}
	return page, nil
}

func (m *Mirror) client() *http.Client {
	if m.HTTP == nil {
		m.HTTP = NewClient(GuardOptions{UserAgent: "mcphub"})
	}
	return m.HTTP
}

func (m *Mirror) sleep(ctx context.Context, d time.Duration) error {
	if m.Sleep != nil {
		return m.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// delay is how long to wait before a try: what the registry asked for, or one second doubled each time
// and spread by half, so that many mirrors do not come back together.
func (m *Mirror) delay(try int, last error) time.Duration {
	var r *retryable
	if errors.As(last, &r) && r.after > 0 {
		return r.after
	}
	jitter := rand.Float64
	if m.Jitter != nil {
		jitter = m.Jitter
	}
	d := min(time.Second<<(try-1), maxBackoff)
	return d/2 + time.Duration(jitter()*float64(d))
}

// retryAfter reads the header: seconds, or a date.
func (m *Mirror) retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return min(max(time.Duration(n)*time.Second, 0), maxRetryAfter)
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	return min(max(at.Sub(now()), 0), maxRetryAfter)
}
