package registry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/mcphub/mcphub/internal/hub"
)

// Facts are the display facts of a server that its owner may change without a new version. nil leaves
// a fact as it is.
type Facts struct {
	Title, Description, License, Homepage, Repository *string
	Keywords, Categories                              []string
}

// SetFacts changes display facts. The next version that becomes the latest brings its own.
func (s *Service) SetFacts(ctx context.Context, actor hub.Actor, ref string, f Facts) (*hub.Server, error) {
	srv, err := s.Server(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := mayPublish(actor, srv.Name); err != nil {
		return nil, err
	}
	before, _ := json.Marshal(display(srv))
	for _, field := range []struct {
		name string
		to   *string
		in   *string
		url  bool
	}{
		{"title", &srv.Title, f.Title, false}, {"description", &srv.Description, f.Description, false},
		{"license", &srv.License, f.License, false}, {"homepage", &srv.Homepage, f.Homepage, true},
		{"repository", &srv.Repository, f.Repository, true},
	} {
		if field.in == nil {
			continue
		}
		if err := plainText(field.name, *field.in, 4096); err != nil {
			return nil, err
		}
		if field.url && *field.in != "" && !strings.HasPrefix(*field.in, "https://") {
			return nil, hub.Errorf(hub.Invalid, "%s %q is not an https address", field.name, *field.in)
		}
		*field.to = *field.in
	}
	if strings.TrimSpace(srv.Description) == "" {
		return nil, hub.Errorf(hub.Invalid, "the description is empty").WithHint("say in a sentence what the server is for")
	}
	for _, word := range slices.Concat(f.Keywords, f.Categories) {
		if err := plainText("keyword", word, 50); err != nil {
			return nil, err
		}
	}
	if f.Keywords != nil {
		srv.Keywords = f.Keywords
	}
	if f.Categories != nil {
		srv.Categories = f.Categories
	}
	srv.Score = hub.Score(srv, srv.Latest, false)
	ev := s.event(actor, hub.ActionServerUpdated, srv.ID, srv.Name.String())
	ev.Before = before
	ev.After, _ = json.Marshal(display(srv))
	if err := s.store.Save(ctx, srv, ev); err != nil {
		return nil, err
	}
	s.Changed()
	return srv, nil
}

// plainText refuses what could hide something in a terminal or a page: control characters and those that
// turn the direction of text; and what is longer than most characters.
func plainText(what, s string, most int) error {
	if n := len([]rune(s)); n > most {
		return hub.Errorf(hub.Invalid, "the %s has %d characters; at most %d are allowed", what, n, most)
	}
	for _, r := range s {
		if (unicode.IsControl(r) && r != '\n' && r != '\t') || unicode.Is(unicode.Bidi_Control, r) {
			return hub.Errorf(hub.Invalid, "the %s holds the invisible character %U", what, r).WithHint("remove it")
		}
	}
	return nil
}

func display(s *hub.Server) map[string]any {
	return map[string]any{"title": s.Title, "description": s.Description, "license": s.License, "homepage": s.Homepage,
		"repository": s.Repository, "keywords": s.Keywords, "categories": s.Categories}
}

// Tag points a dist-tag at a version, or removes it when version is "". The tag "latest" is kept by the
// hub: it follows the rule for the latest version.
func (s *Service) Tag(ctx context.Context, actor hub.Actor, ref, tag, version string) (*hub.Server, error) {
	srv, err := s.Server(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := mayPublish(actor, srv.Name); err != nil {
		return nil, err
	}
	if tag == "latest" || !validTag(tag) {
		return nil, hub.Errorf(hub.Invalid, "dist-tag %q: use letters, digits and hyphens, starting with a letter; latest is kept by the hub", tag)
	}
	tags := map[string]string{}
	for k, v := range srv.DistTags {
		tags[k] = v
	}
	delete(tags, tag)
	if version != "" {
		tags[tag] = version
	}
	ev := s.event(actor, hub.ActionServerUpdated, srv.ID, srv.Name.String())
	ev.Reason = "dist-tag " + tag + " -> " + version
	if err := s.store.SetTags(ctx, srv.ID, tags, ev); err != nil {
		return nil, err
	}
	s.Changed()
	srv.DistTags = tags
	return srv, nil
}

func validTag(tag string) bool {
	if tag == "" || len(tag) > 64 || tag[0] < 'a' || tag[0] > 'z' {
		return false
	}
	return !slices.ContainsFunc([]rune(tag), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}
