package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
)

// How far this machine's clock may be from the hub's: tokens and certificates are good for a time. Date has whole
// seconds, and so has what is said of it.
const (
	clockNotice  = 30 * time.Second
	clockProblem = 5 * time.Minute
	maxReady     = 64 << 10
)

// registries asks every hub that the settings name.
func (o *doctorOptions) registries(ctx context.Context) []finding {
	s, err := o.Settings()
	if err != nil {
		return []finding{{Name: "settings", Status: problem, Text: err.Error(), Hint: "mend the file or the variable it names"}}
	}
	hubs := map[string][]string{s.Registry: nil}
	for scope, u := range s.Scopes {
		hubs[u] = append(hubs[u], "@"+scope)
	}
	urls := slices.Sorted(maps.Keys(hubs))
	urls = append([]string{s.Registry}, slices.DeleteFunc(urls, func(u string) bool { return u == s.Registry })...)
	answers := make([]chan []finding, len(urls))
	for i, u := range urls {
		answers[i] = make(chan []finding, 1)
		go func() { answers[i] <- o.registry(ctx, u) }()
	}
	var out []finding
	for i, u := range urls {
		for _, f := range <-answers[i] {
			if slices.Sort(hubs[u]); len(hubs[u]) > 0 && u != s.Registry {
				f.Text += ", for " + strings.Join(hubs[u], ", ")
			}
			out = append(out, f)
		}
	}
	return out
}

// registry asks one hub whether it is ready, and compares the clocks.
func (o *doctorOptions) registry(ctx context.Context, base string) []finding {
	if o.Offline {
		return []finding{{Name: "hub", Status: absent, Text: base + ": not asked (--offline)"}}
	}
	bad := func(format string, args ...any) []finding {
		return []finding{{Name: "hub", Status: problem, Text: base + ": " + fmt.Sprintf(format, args...), Hint: "check the address and that the hub runs, or name another: --registry URL"}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return bad("it is no address: %v", err)
	}
	req.Header.Set("User-Agent", o.UserAgent())
	client := http.Client{}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	begun, clock := time.Now(), o.Now()
	resp, err := client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		if ctx.Err() != nil {
			return bad("it does not answer within %s", shortly)
		}
		return bad("it cannot be reached: %v", err)
	}
	defer resp.Body.Close()
	took := time.Since(begun)
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxReady))
	if err != nil {
		return bad("its answer broke off: %v", err)
	}
	var ready struct {
		Status string            `json:"status"`
		Parts  map[string]string `json:"parts"`
	}
	if json.Unmarshal(data, &ready) != nil || ready.Status != "ready" && ready.Status != "not ready" {
		return bad("something answers there with %s, and it is not an mcphub", resp.Status)
	}
	f := finding{Name: "hub", Status: fine, Text: fmt.Sprintf("%s, reachable in %d ms", base, took.Milliseconds())}
	var down []string
	for part, state := range ready.Parts {
		if state != "ok" {
			down = append(down, part)
		}
	}
	if slices.Sort(down); ready.Status != "ready" {
		f.Status, f.Text = notice, f.Text+", and it says that it is not ready"
		if len(down) > 0 {
			f.Text += ": " + app.AndList(down) + " down"
		}
	}
	return []finding{f, clockOf(resp.Header.Get("Date"), clock.Add(took/2))}
}

// clockOf compares a Date header with this machine's time when it was written.
func clockOf(date string, here time.Time) finding {
	f := finding{Name: "clock"}
	at, err := http.ParseTime(date)
	if err != nil {
		f.Status, f.Text = absent, "not compared: the hub does not say what time it is"
		return f
	}
	apart := here.Sub(at)
	word := "ahead of"
	if apart < 0 {
		apart, word = -apart, "behind"
	}
	switch {
	case apart < clockNotice:
		f.Status, f.Text = fine, "in step with the hub"
		return f
	case apart < clockProblem:
		f.Status = notice
	default:
		f.Status = problem
	}
	size := app.Plural(int(apart.Seconds()), "second")
	if apart >= 2*time.Minute {
		size = app.Plural(int(apart.Minutes()), "minute")
	}
	f.Text = fmt.Sprintf("this machine is %s %s the hub", size, word)
	f.Hint = "set the clock: logins and certificates are good for a time"
	return f
}
