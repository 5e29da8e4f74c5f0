package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/mcphub/mcphub/internal/hub"
)

// Limits of what an endpoint is asked and may answer.
const (
	maxChars      = 8000    // characters of a text; endpoints refuse longer ones instead of cutting them
	maxDimensions = 8192    // numbers in a vector
	maxNumber     = 32      // bytes of one number in an answer
	attempts      = 4       // of one request
	firstWait     = 250     // milliseconds before the second attempt; each further one waits twice as long
	longestWait   = 10_000  // milliseconds, also when the endpoint asks for more
	answerExtra   = 1 << 16 // bytes of an answer that are no vectors
)

// RemoteOptions say which endpoint a Remote asks, and how.
type RemoteOptions struct {
	URL    string       // base URL of the endpoint, with or without /v1
	Model  string       // name of the model, as the endpoint knows it
	Key    string       // API key, sent as bearer token; empty for none
	Client *http.Client // the guarded client: the URL comes from settings
	Batch  int          // texts in one request; default 64

	// Wait waits before another attempt, until ctx is done at the latest; default the clock.
	Wait func(ctx context.Context, d time.Duration) error
}

// Remote is a model behind an HTTP endpoint that speaks the OpenAI form of /v1/embeddings. It is safe for
// use by many at once.
type Remote struct {
	opts     RemoteOptions
	endpoint string
	name     string
	dims     atomic.Int64 // of the first answer; 0 before
}

var _ hub.Embedder = (*Remote)(nil)

// NewRemote checks the options. It asks nothing yet.
func NewRemote(opts RemoteOptions) (*Remote, error) {
	u, err := url.Parse(opts.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, hub.Errorf(hub.Invalid, "the address of the embedding endpoint is not a http or https URL").
			WithHint("it looks like https://host or https://host/v1")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, hub.Errorf(hub.Invalid, "the address of the embedding endpoint at %s has a user, query or fragment", u.Host).
			WithHint("give the key as the API key, not in the URL")
	}
	if opts.Model == "" {
		return nil, hub.Errorf(hub.Invalid, "the embedding endpoint at %s needs the name of a model", u.Host)
	}
	if opts.Client == nil {
		return nil, errors.New("embed: NewRemote without a client")
	}
	if opts.Batch <= 0 {
		opts.Batch = 64
	}
	if opts.Wait == nil {
		opts.Wait = wait
	}
	base := strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1")
	return &Remote{opts: opts, endpoint: base + "/v1/embeddings", name: "remote:" + u.Host + "/" + opts.Model}, nil
}

// Model names host and model.
func (r *Remote) Model() string { return r.name }

// Embed asks the endpoint for the vectors of texts, in batches. Texts without a letter or digit are not
// sent. Answers with too few, too short or damaged vectors, or vectors of another length than before, are
// Unavailable like no answer; nothing of the endpoint's words, which may repeat the key, gets into an error.
func (r *Remote) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	var asked []string
	var places []int
	for i, text := range texts {
		if text = cut(text); text != "" {
			asked, places = append(asked, text), append(places, i)
		}
	}
	if len(asked) == 0 && len(texts) > 0 && r.dims.Load() == 0 {
		if _, err := r.batch(ctx, []string{"text"}); err != nil { // only to know how many zeros
			return nil, err
		}
	}
	for at := 0; at < len(asked); at += r.opts.Batch {
		end := min(at+r.opts.Batch, len(asked))
		vectors, err := r.batch(ctx, asked[at:end])
		if err != nil {
			return nil, err
		}
		for i, v := range vectors {
			normalize(v)
			out[places[at+i]] = v
		}
	}
	for i := range out {
		if out[i] == nil {
			out[i] = make([]float32, r.dims.Load())
		}
	}
	return out, nil
}

// cut returns what is sent of a text: nothing of one without letter or digit.
func cut(text string) string {
	text = strings.ToValidUTF8(text, " ")
	chars, known := 0, false
	for i, r := range text {
		if chars == maxChars {
			text = text[:i]
			break
		}
		chars++
		known = known || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if !known {
		return ""
	}
	return text
}

// batch asks for some vectors, again when that may help.
func (r *Remote) batch(ctx context.Context, texts []string) ([][]float32, error) {
	body, err := json.Marshal(map[string]any{"model": r.opts.Model, "input": texts, "encoding_format": "float"})
	if err != nil {
		return nil, err
	}
	pause := firstWait * time.Millisecond
	for attempt := 1; ; attempt++ {
		vectors, failed := r.ask(ctx, body, len(texts))
		if failed == nil {
			return vectors, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if attempt == attempts || !failed.again {
			return nil, failed.err
		}
		if err := r.opts.Wait(ctx, min(max(pause, failed.after), longestWait*time.Millisecond)); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// failure is an attempt that gave no vectors.
type failure struct {
	err   *hub.Error
	again bool          // another attempt may help
	after time.Duration // not before then, as the endpoint asks
}

func (r *Remote) fail(again bool, hint, format string, args ...any) *failure {
	message := fmt.Sprintf("the embedding endpoint %s %s", r.name, fmt.Sprintf(format, args...))
	return &failure{err: hub.Errorf(hub.Unavailable, "%s", message).WithHint("%s", hint), again: again}
}

// ask makes one request.
func (r *Remote) ask(ctx context.Context, body []byte, n int) ([][]float32, *failure) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, r.fail(false, "check its address", "cannot be asked")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if r.opts.Key != "" {
		req.Header.Set("Authorization", "Bearer "+r.opts.Key)
	}
	res, err := r.opts.Client.Do(req)
	if err != nil {
		var refused *hub.Error
		if errors.As(err, &refused) { // by the guard, whose words are ours
			return nil, r.fail(false, refused.Hint, "may not be asked: %s", refused.Message)
		}
		f := r.fail(true, "check that it runs and that this hub may reach it", "does not answer")
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		f.err.Err = err
		return nil, f
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, res.Body, answerExtra) // so that the connection is used again
		return nil, r.refused(res)
	}
	limit := int64(n*maxDimensions*maxNumber + answerExtra)
	answer, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return nil, r.fail(true, "try again later", "broke off its answer")
	case int64(len(answer)) > limit:
		return nil, r.fail(false, "check that it speaks the OpenAI form of /v1/embeddings", "answered more than %d bytes", limit)
	}
	return r.read(answer, n)
}

// refused explains an answer that is not 200.
func (r *Remote) refused(res *http.Response) *failure {
	code := res.StatusCode
	switch {
	case code == http.StatusTooManyRequests || code >= 500:
		f := r.fail(true, "try again later, or use the built-in model", "answered %d", code)
		if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
			f.after = time.Duration(min(s, 3600)) * time.Second
		}
		return f
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return r.fail(false, "check its API key", "answered %d", code)
	}
	return r.fail(false, "check its address and the name of the model", "answered %d", code)
}

// read takes the vectors out of an answer and checks them.
func (r *Remote) read(answer []byte, n int) ([][]float32, *failure) {
	damaged := func(format string, args ...any) ([][]float32, *failure) {
		return nil, r.fail(false, "check that it speaks the OpenAI form of /v1/embeddings", format, args...)
	}
	var got struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return damaged("answered something else than vectors")
	}
	if len(got.Data) != n {
		return damaged("answered %d vectors for %d texts", len(got.Data), n)
	}
	out := make([][]float32, n)
	for _, d := range got.Data {
		if d.Index < 0 || d.Index >= n || out[d.Index] != nil {
			return damaged("numbers its vectors wrongly")
		}
		if len(d.Embedding) == 0 || len(d.Embedding) > maxDimensions {
			return damaged("answered a vector of %d numbers", len(d.Embedding))
		}
		r.dims.CompareAndSwap(0, int64(len(d.Embedding)))
		if want := r.dims.Load(); want != int64(len(d.Embedding)) {
			return damaged("answered vectors of %d and of %d numbers", want, len(d.Embedding))
		}
		for _, x := range d.Embedding {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return damaged("answered a number without a value")
			}
		}
		out[d.Index] = d.Embedding
	}
	return out, nil
}

// wait waits for d by the clock.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
