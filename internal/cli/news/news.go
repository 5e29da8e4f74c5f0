// Package news tells a person, at most once a day, that a newer mcpm is out. The hub is asked beside a command that talks
// to it anyway, at most once a day, and nobody waits for it.
package news

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/wire"
)

const (
	period = 24 * time.Hour         // between two questions, and between two notices
	answer = 5 * time.Second        // how long a hub may take
	linger = 200 * time.Millisecond // how long the end of a command waits for it
)

// Watch is one invocation.
type Watch struct {
	app     *app.App
	version string // of this mcpm
	linger  time.Duration
	heard   chan install.News
}

// silent are the verbs that say nothing of it: the first has its stderr from a server, the others speak to a shell.
var silent = []string{"run", "completion", "__complete", "__completeNoDesc"}

// Start watches a command that is about to run, by its name. version is that of this mcpm.
func Start(a *app.App, verb, version string) *Watch {
	w := &Watch{app: a, version: version, linger: linger}
	if slices.Contains(silent, verb) || a.JSON || !a.IO.ErrTTY || Off(a, version) != "" {
		return nil
	}
	a.OnHub = func(registry string) {
		if s, err := a.Settings(); err == nil && s.Registry == registry && w.heard == nil {
			w.ask(registry)
		}
	}
	return w
}

// Off says why nothing is told on this machine, "" when it is.
func Off(a *app.App, version string) string {
	s, err := a.Settings()
	switch {
	case err != nil:
		return "the settings cannot be read"
	case !s.UpdateNotice:
		return "by " + s.From("updateNotice")
	case a.Getenv("CI") != "":
		return "the variable CI is set"
	case a.Quiet:
		return "--quiet was given"
	case a.Offline:
		return "--offline was given"
	case release(version) == "":
		return "this is no release"
	}
	return ""
}

// ask asks a hub that was not asked within a day, beside what the command does.
func (w *Watch) ask(registry string) {
	h, err := w.app.Store()
	if err != nil {
		return
	}
	now, last := w.app.Now(), h.News()
	if last.Registry == registry && !due(last.Asked, now) {
		return
	}
	next := install.News{Registry: registry, Asked: now, Told: last.Told}
	if err := h.SetNews(next); err != nil { // first, so that a hub that hangs is asked no more often
		return
	}
	c, err := wire.NewClient(registry, wire.ClientOptions{HTTP: w.app.HTTP, UserAgent: w.app.UserAgent(), Attempts: 1})
	if err != nil {
		return
	}
	heard := make(chan install.News, 1)
	w.heard = heard
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), answer)
		defer cancel()
		if m, err := c.Mcpm(ctx); err == nil {
			next.Version, next.Page = release(m.Version), pageOf(registry, m.Page)
			heard <- next
		}
		close(heard)
	}()
}

// due reports whether a day is over, or the clock was set back.
func due(since, now time.Time) bool { return now.Sub(since) >= period || since.After(now) }

// End says what is new, after the command has said all it has to say. It waits for a hub that was asked no longer than a
// fifth of a second.
func (w *Watch) End() {
	if w == nil {
		return
	}
	h, err := w.app.Store()
	if err != nil {
		return
	}
	news := h.News()
	if w.heard != nil {
		timer := time.NewTimer(w.linger)
		defer timer.Stop()
		select {
		case n, ok := <-w.heard:
			if ok {
				news = n
				if err := h.SetNews(n); err != nil {
					return
				}
			}
		case <-timer.C:
		}
	}
	s, err := w.app.Settings()
	if err != nil || news.Registry != s.Registry || !due(news.Told, w.app.Now()) || !Newer(news, w.version) {
		return
	}
	news.Told = w.app.Now()
	if err := h.SetNews(news); err != nil {
		return // else it would be told each time
	}
	fmt.Fprintln(w.app.IO.Err, w.app.IO.Dim(Text(news, w.version)))
}

// Newer reports whether a later release than this mcpm was heard of.
func Newer(n install.News, version string) bool {
	is, was := release(n.Version), release(version) // the file may have been changed by anybody
	return is != "" && was != "" && hub.CompareVersions(is, time.Time{}, was, time.Time{}) > 0
}

// Text is the notice.
func Text(n install.News, version string) string {
	at := pageOf(n.Registry, n.Page)
	if at == "" {
		at = "ask who runs " + term.Clean(n.Registry)
	}
	return fmt.Sprintf("mcpm %s is out, this is %s: %s   (MCPM_UPDATE_NOTICE=0 ends these lines)", release(n.Version), release(version), at)
}

// State tells whether notices are on, and what was last heard.
func State(a *app.App, version string) string {
	if why := Off(a, version); why != "" {
		return "off: " + why
	}
	s, err := a.Settings()
	if err != nil {
		return "off: " + err.Error()
	}
	h, err := a.Store()
	if err != nil {
		return "off: " + err.Error()
	}
	text := "on (" + app.First(s.From("updateNotice"), "the default") + "): with a command that asks the hub, at most once a day, GET /api/v1/mcpm. "
	switch n := h.News(); {
	case n.Registry != s.Registry:
		text += "Not asked yet"
	case Newer(n, version):
		text += Text(n, version)
	case release(n.Version) == "":
		text += "The hub did not say at " + n.Asked.UTC().Format(time.RFC3339)
	default:
		text += "This is the newest, as of " + n.Asked.UTC().Format(time.RFC3339)
	}
	return text
}

// release returns the number of a release, without a v; "" for what is none.
func release(s string) string {
	v, err := hub.ParseVersion(strings.TrimPrefix(s, "v"))
	if err != nil || v.Prerelease() != "" {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch())
}

// pageOf returns an address of a hub, "" for one that is not of that hub or is no address of the web.
func pageOf(registry, page string) string {
	base, err := url.Parse(registry)
	u, err2 := url.Parse(page)
	if err != nil || err2 != nil || len(page) > 300 || u.Scheme != base.Scheme || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Host != base.Host || base.Host == "" {
		return ""
	}
	text := u.String()
	if text != term.Clean(text) || strings.ContainsAny(text, " \u00a0") {
		return ""
	}
	return text
}
