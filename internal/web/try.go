package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/web/play"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// tryRate bounds how many tools one visitor tries.
var tryRate = hub.Rate{Limit: 10, Window: time.Minute}

// tryPath is where a tool of what is shown is tried; "" when it cannot be.
func (v *serverView) tryPath(tool string) string {
	if !v.Playable {
		return ""
	}
	return ui.VersionPath(v.Server.Name, v.Version.Version) + "/try/" + url.PathEscape(tool)
}

// try shows the form for a tool, and what it answered when the form was sent.
func (s *site) try(w http.ResponseWriter, r *http.Request) error {
	v, err := s.load(w, r)
	if v == nil || err != nil {
		return err
	}
	tool, ok := playground.Tool(v.Version, r.PathValue("tool"))
	if s.Playground == nil || !ok {
		return s.nothing(w, r)
	}
	w.Header().Set("Cache-Control", noStore)
	p := &play.View{Frame: s.frame(r, "Try "+oneLine(tool.Name, 60)+" of "+ui.DisplayTitle(v.Server), "", ""), Server: v.Server, Version: v.Version.Version, Back: v.Base + "/capabilities",
		Action: ui.VersionPath(v.Server.Name, v.Version.Version) + "/try/" + url.PathEscape(tool.Name), Tool: tool, MaySend: s.TryAnyone || !visitorOf(r).Anonymous()}
	p.Section = "browse"
	if p.Prepare(v.Manifest, v.Version); r.Method != http.MethodPost || p.Declined != "" {
		return s.show(w, r, http.StatusOK, play.Page(p))
	}
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	p.Fill(form)
	status := http.StatusOK
	if p.Answer, err = s.called(r, v, p); err != nil {
		if status = problemStatus[hub.KindOf(err)]; status == 0 {
			return err
		}
		p.Problem = sentence(err.Error())
	}
	return s.show(w, r, status, play.Page(p))
}

// called calls the tool as the form says, once it was looked whether the visitor may.
func (s *site) called(r *http.Request, v *serverView, p *play.View) (*playground.Answer, error) {
	who := visitorOf(r)
	if !p.MaySend {
		return nil, hub.Errorf(hub.Unauthenticated, "sign in to try tools")
	}
	if v.Version.State != hub.Published && v.Version.State != hub.Deprecated {
		return nil, hub.Errorf(hub.Forbidden, "version %s is %s, and is not started here", v.Version.Version, v.Version.State)
	}
	arguments, err := p.Arguments()
	if err != nil {
		return nil, err
	}
	key := "t:" + s.caller(r)
	if !who.Anonymous() {
		key = "t:" + strings.ToLower(who.Name)
	}
	if s.Limiter != nil && !s.Limiter.Allow(r.Context(), key, tryRate).OK {
		return nil, hub.Errorf(hub.RateLimited, "you tried %d tools within a minute", tryRate.Limit).WithHint("wait a minute")
	}
	answer, err := s.Playground.Call(r.Context(), v.Manifest, v.Version, p.Tool.Name, arguments)
	s.Log.InfoContext(r.Context(), "tool tried", "server", v.Server.Name, "version", v.Version.Version, "tool", oneLine(p.Tool.Name, 100), "account", who.Name, "error", err, "cause", errors.Unwrap(err))
	return answer, err
}
