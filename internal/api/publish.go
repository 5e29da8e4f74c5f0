package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/mcphub/mcphub/internal/wire"
)

// Limits of a publish.
const (
	maxManifest   = 1 << 20
	uploadTimeout = 10 * time.Minute // for the whole body
)

func (s *server) publishRoutes(api huma.API) {
	op := func(method, path, summary string) huma.Operation {
		return huma.Operation{Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{"publish"},
			Security: []map[string][]string{{"bearer": {}}}}
	}
	put := op(http.MethodPut, "/servers/{id}", "Create or change a server")
	put.Description = "Changes what is shown about a server. With a manifest it publishes that version first, which creates the server."
	put.MaxBodyBytes = 2 * maxManifest
	register(s, api, put, s.putServer)

	post := op(http.MethodPost, "/servers/{id}/versions", "Publish a version")
	post.Description = "A form with the part `manifest` (mcp.json) first and the optional part `bundle` (.tgz) second, streamed. " +
		"A `Content-Digest` header on the bundle's part (RFC 9530, sha-256) is checked. 201: published; 202: on its way, follow Location. " +
		"With `Idempotency-Key` a repeated request is answered and not done again."
	register(s, api, post, s.postVersion)
	// documented after registering: Huma would read a body it knows of, and this one is streamed
	api.OpenAPI().Paths[post.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
		Type: "object", Required: []string{"manifest"}, Properties: map[string]*huma.Schema{
			"manifest": {Type: "string", Format: "binary", Description: "mcp.json, at most 1 MiB"},
			"bundle":   {Type: "string", Format: "binary", Description: ".tgz made by mcpm publish"},
		}}}}}
	register(s, api, op(http.MethodGet, "/servers/{id}/versions/{version}/publication", "Follow a publish"), s.publication)

	del := op(http.MethodDelete, "/servers/{id}/versions/{version}", "Deprecate, yank or unpublish a version")
	del.Description = "Deprecates; with yank=true lock holders keep it and nobody else gets it; with unpublish=true it is taken back, within 24 hours of publishing."
	register(s, api, del, s.deleteVersion)
	register(s, api, op(http.MethodPut, "/servers/{id}/tags/{tag}", "Point a dist-tag at a version"), s.putTag)
	register(s, api, op(http.MethodDelete, "/servers/{id}/tags/{tag}", "Remove a dist-tag"), s.deleteTag)
}

type putServerIn struct {
	ServerRef
	Body wire.PutServer
}

func (s *server) putServer(ctx context.Context, in *putServerIn) (*jsonOut[wire.ServerDetail], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if len(b.Manifest) > 0 {
		_, err := s.Registry.Publish(ctx, actor, registry.Publish{Format: hub.FormatMCP, Manifest: b.Manifest, Name: stripAt(in.ID), Retry: true})
		if err != nil {
			return nil, err
		}
	}
	facts := registry.Facts{Title: b.Title, Description: b.Description, License: b.License, Homepage: b.Homepage,
		Repository: b.Repository, Keywords: b.Keywords, Categories: b.Categories}
	if b.Title != nil || b.Description != nil || b.License != nil || b.Homepage != nil || b.Repository != nil || b.Keywords != nil || b.Categories != nil {
		if _, err := s.Registry.SetFacts(ctx, actor, in.ID, facts); err != nil {
			return nil, err
		}
	} else if len(b.Manifest) == 0 {
		return nil, hub.Errorf(hub.Invalid, "the request changes nothing").WithHint("send a manifest, or the facts to change")
	}
	return s.getServer(ctx, &in.ServerRef)
}

func stripAt(ref string) string { return strings.TrimPrefix(ref, "@") }

// postVersionIn keeps the body for reading it as it comes.
type postVersionIn struct {
	ServerRef
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"A word of your choice, the same for each try of one publish."`
	body io.Reader
	mime string
	wait func(time.Time) error
}

// Resolve takes the unread body; Huma reads none for an input without a Body field.
func (in *postVersionIn) Resolve(ctx huma.Context) []error {
	in.body, in.mime = ctx.BodyReader(), ctx.Header("Content-Type")
	w := humagin.Unwrap(ctx).Writer
	in.wait = http.NewResponseController(w).SetReadDeadline
	return nil
}

type publicationOut struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Location    string `header:"Location"`
	Body        []byte
}

func (s *server) postVersion(ctx context.Context, in *postVersionIn) (*publicationOut, error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	if actor.Anonymous() { // before reading what could be 64 MiB from nobody
		return nil, hub.Errorf(hub.Unauthenticated, "publishing needs an account").WithHint("sign in first: mcpm login")
	}
	_ = in.wait(time.Now().Add(uploadTimeout)) // a connection that cannot have a deadline is bounded by the server's
	p, err := readForm(in.mime, in.body)
	if err != nil {
		return nil, err
	}
	p.Name = stripAt(in.ID)
	publish := func(again bool) (int, []byte, error) {
		p.Retry = again
		v, err := s.Registry.Publish(ctx, actor, *p)
		if err != nil {
			return 0, nil, err
		}
		body, err := json.Marshal(wire.Publication{Version: wire.NewVersion(v)})
		if v.State.Pending() {
			return http.StatusAccepted, body, err
		}
		return http.StatusCreated, body, err
	}
	out := &publicationOut{ContentType: "application/json"}
	if in.Key == "" {
		out.Status, out.Body, err = publish(false)
	} else {
		digest := trust.SHA256([]byte(p.Name + "\n" + p.BundleDigest + "\n" + string(p.Manifest)))
		out.Status, out.Body, err = s.Registry.Once(ctx, actor, in.Key, digest, publish)
	}
	if err != nil {
		return nil, err
	}
	var done wire.Publication
	if err := json.Unmarshal(out.Body, &done); err != nil {
		return nil, err
	}
	// a kept answer must not say "published" of what was taken back since
	if _, err := s.Registry.Version(ctx, stripAt(done.Name), done.Version.Version); in.Key != "" && hub.KindOf(err) == hub.Gone {
		return nil, err
	}
	out.Location = s.BaseURL + "/api/v1/servers/" + segment(done.Name) + "/versions/" + segment(done.Version.Version) + "/publication"
	return out, nil
}

// readForm reads the form up to the bundle's first byte, which Publish then streams.
func readForm(contentType string, body io.Reader) (*registry.Publish, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, hub.Errorf(hub.Malformed, "the body is %q and not a multipart/form-data form", contentType).
			WithHint("send the parts manifest and bundle")
	}
	form := multipart.NewReader(body, params["boundary"])
	part, err := form.NextPart()
	if err != nil || part.FormName() != "manifest" {
		return nil, hub.Errorf(hub.Malformed, "the first part of the form is not manifest").WithHint("send manifest first, bundle second").WithCause(err)
	}
	manifest, err := io.ReadAll(io.LimitReader(part, maxManifest+1))
	if err != nil {
		return nil, brokenBody(err)
	}
	if len(manifest) > maxManifest {
		return nil, hub.Errorf(hub.TooLarge, "the manifest is larger than %d bytes", maxManifest)
	}
	p := &registry.Publish{Format: hub.FormatMCP, Manifest: manifest}
	part, err = form.NextPart()
	if errors.Is(err, io.EOF) {
		return p, nil
	}
	if err != nil {
		return nil, brokenBody(err)
	}
	if part.FormName() != "bundle" {
		return nil, hub.Errorf(hub.Malformed, "the second part of the form is %q and not bundle", part.FormName())
	}
	p.Bundle = part
	p.BundleDigest, err = contentDigest(part.Header.Get("Content-Digest"))
	return p, err
}

func brokenBody(err error) error {
	return hub.Errorf(hub.Malformed, "the request ended before its body was whole").WithHint("send it again").WithCause(err)
}

// contentDigest reads the sha-256 of a Content-Digest header (RFC 9530 section 2) as "sha256:<hex>".
func contentDigest(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	for member := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if !strings.EqualFold(name, "sha-256") || len(value) < 2 || value[0] != ':' || value[len(value)-1] != ':' {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(value[1 : len(value)-1])
		if err == nil && len(sum) == 32 {
			return "sha256:" + hex.EncodeToString(sum), nil
		}
	}
	return "", hub.Errorf(hub.Malformed, "Content-Digest %q has no sha-256", header).WithHint("send sha-256=:BASE64:")
}

func (s *server) publication(ctx context.Context, in *VersionRef) (*jsonOut[wire.Publication], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	v, events, err := s.Registry.Stages(ctx, actor, in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.Publication]{Body: wire.Publication{Version: wire.NewVersion(v)}}
	for _, e := range events {
		state := hub.State(strings.TrimPrefix(e.Action, "version."))
		out.Body.Stages = append(out.Body.Stages, wire.Stage{State: state, At: e.At.UTC(), Reason: e.Reason})
	}
	return out, nil
}

type deleteIn struct {
	VersionRef
	Message     string `query:"message" maxLength:"500" doc:"Why; everyone who uses the version reads it."`
	Replacement string `query:"replacement" maxLength:"250" doc:"The server to use instead."`
	Yank        bool   `query:"yank"`
	Unpublish   bool   `query:"unpublish"`
}

func (s *server) deleteVersion(ctx context.Context, in *deleteIn) (*jsonOut[wire.Version], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	change := registry.Change{To: hub.Deprecated, Message: in.Message, Replacement: in.Replacement}
	switch {
	case in.Yank && in.Unpublish:
		return nil, hub.Errorf(hub.Invalid, "yank and unpublish exclude each other").WithHint("choose one")
	case in.Yank:
		change.To = hub.Yanked
	case in.Unpublish:
		change.To = hub.Unpublished
	}
	v, err := s.Registry.ChangeState(ctx, actor, in.ID, in.Version, change)
	if err != nil {
		return nil, err
	}
	return &jsonOut[wire.Version]{Body: wire.NewVersion(v)}, nil
}

// TagIn names a dist-tag in a path.
type TagIn struct {
	ServerRef
	Tag string `path:"tag" maxLength:"64" example:"beta"`
}

type putTagIn struct {
	TagIn
	Body struct {
		Version string `json:"version" minLength:"1" maxLength:"255"`
	}
}

func (s *server) putTag(ctx context.Context, in *putTagIn) (*jsonOut[wire.Server], error) {
	return s.tag(ctx, in.ID, in.Tag, in.Body.Version)
}

func (s *server) deleteTag(ctx context.Context, in *TagIn) (*jsonOut[wire.Server], error) {
	return s.tag(ctx, in.ID, in.Tag, "")
}

func (s *server) tag(ctx context.Context, ref, tag, version string) (*jsonOut[wire.Server], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	srv, err := s.Registry.Tag(ctx, actor, ref, tag, version)
	if err != nil {
		return nil, err
	}
	return &jsonOut[wire.Server]{Body: wire.NewServer(srv)}, nil
}
