package registry

import (
	"context"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// MaxMessage is the longest reason for a change of state, in characters (official registry schema).
const MaxMessage = 500

// Change asks for a new state of a published version.
type Change struct {
	To          hub.State // Published, Deprecated, Yanked, Quarantined, Unpublished
	Message     string
	Replacement string // name of the server to use instead; Deprecated only
}

// ChangeState moves a version of the actor's to another state. Unpublished: only within
// hub.UnpublishWindow after publishing, and its number stays used. Quarantined: administrators only,
// both ways. Errors: Forbidden, NotFound, Conflict when the step is not allowed or changes nothing.
func (s *Service) ChangeState(ctx context.Context, actor hub.Actor, ref, version string, c Change) (*hub.Version, error) {
	v, err := s.owned(ctx, actor, ref, version)
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(actor, v, c); err != nil {
		return nil, err
	}
	if c.Replacement != "" {
		srv, err := s.Server(ctx, c.Replacement)
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "the replacement %q is not on this hub", c.Replacement).WithCause(err)
		}
		c.Replacement = srv.Name.String()
	}
	done, err := s.store.Transition(ctx, hub.Transition{
		VersionID: v.ID, From: v.State, Steps: []hub.Step{{To: c.To, Reason: c.Message}},
		Message: c.Message, Replacement: c.Replacement, Event: s.event(actor, "", v.ID, label(v.Name, v.Version)),
	})
	if err != nil {
		return nil, err
	}
	s.Changed()
	return done, nil
}

// owned returns a visible version that the actor may change, in any state.
func (s *Service) owned(ctx context.Context, actor hub.Actor, ref, version string) (*hub.Version, error) {
	srv, err := s.Server(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := mayPublish(actor, srv.Name); err != nil {
		return nil, err
	}
	v, err := s.store.Version(ctx, srv.ID, version, false)
	if hub.KindOf(err) == hub.NotFound {
		return nil, hub.Errorf(hub.NotFound, "%s has no version %q", srv.Name, version).WithHint("its latest version is %s", srv.Latest.Version)
	}
	return v, err
}

func (s *Service) mayChange(actor hub.Actor, v *hub.Version, c Change) error {
	what := label(v.Name, v.Version)
	if err := checkMessage(c.Message); err != nil {
		return err
	}
	if c.To == v.State && c.Message == v.Message && c.Replacement == v.Replacement {
		return hub.Errorf(hub.Conflict, "%s is %s already", what, v.State).WithHint("nothing to do")
	}
	if (c.To == hub.Quarantined || v.State == hub.Quarantined) && !actor.Admin() {
		return hub.Errorf(hub.Forbidden, "%s: only administrators put versions in and out of quarantine", what)
	}
	if !v.State.CanBecome(c.To) {
		return hub.Errorf(hub.Conflict, "%s is %s and cannot become %s", what, v.State, c.To)
	}
	if c.To == hub.Unpublished {
		if age := s.now().Sub(v.PublishedAt); age > hub.UnpublishWindow {
			return hub.Errorf(hub.Conflict, "%s was published %s ago; versions can be unpublished for %s", what, age.Round(time.Minute), hub.UnpublishWindow).
				WithHint("yank it instead: lock holders keep it, nobody else gets it")
		}
	}
	return nil
}

func checkMessage(message string) error {
	if n := len([]rune(message)); n > MaxMessage {
		return hub.Errorf(hub.Invalid, "the message has %d characters; at most %d are allowed", n, MaxMessage)
	}
	return nil
}

// ChangeAll moves all versions of a server to an official status, one after the other, and returns
// those that changed. Conflict when none would.
func (s *Service) ChangeAll(ctx context.Context, actor hub.Actor, ref string, c Change) ([]*hub.Version, error) {
	srv, versions, err := s.Versions(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := mayPublish(actor, srv.Name); err != nil {
		return nil, err
	}
	if err := checkMessage(c.Message); err != nil {
		return nil, err
	}
	var transitions []hub.Transition
	for _, v := range versions {
		if (v.State == c.To && v.Message == c.Message) || s.mayChange(actor, v, c) != nil {
			continue
		}
		transitions = append(transitions, hub.Transition{
			VersionID: v.ID, From: v.State, Steps: []hub.Step{{To: c.To, Reason: c.Message}}, Message: c.Message,
			Event: s.event(actor, "", v.ID, label(v.Name, v.Version)),
		})
	}
	if len(transitions) == 0 {
		return nil, hub.Errorf(hub.Conflict, "no version of %s would change", srv.Name).WithHint("all of them are %s already", c.To)
	}
	done, err := s.store.TransitionAll(ctx, transitions)
	if err != nil {
		return nil, err
	}
	s.Changed()
	return done, nil
}

// Stages returns the steps a version took so far. Forbidden for those who may not publish to it.
func (s *Service) Stages(ctx context.Context, actor hub.Actor, ref, version string) (*hub.Version, []hub.Event, error) {
	name, err := hub.ParseMirrorName(ref)
	if err != nil {
		return nil, nil, err
	}
	if err := mayPublish(actor, name); err != nil {
		return nil, nil, err
	}
	srv, err := s.store.Server(ctx, string(name))
	if err != nil {
		return nil, nil, err
	}
	v, err := s.store.Version(ctx, srv.ID, version, true)
	if err != nil {
		return nil, nil, err
	}
	events, err := s.store.EventsOf(ctx, v.ID, 50)
	return v, events, err
}
