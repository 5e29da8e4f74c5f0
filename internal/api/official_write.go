package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/mcphub/mcphub/internal/wire"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

// Bearer is the header upstream requires: 422 without it, 401 when it is wrong.
type Bearer struct {
	Authorization string `header:"Authorization" required:"true" doc:"Bearer and a registry token, access token or API key."`
}

// officialWrites are publishing and status changes, as the official registry answers them.
func (s *server) officialWrites(api huma.API, version string) {
	op := func(method, path, summary string) huma.Operation {
		o := s.officialOp(method, version, path, summary)
		o.Security = []map[string][]string{{"bearer": {}}}
		return o
	}
	register(s, api, op(http.MethodPost, "/publish", "Publish a server.json"), s.officialPublish)
	register(s, api, op(http.MethodPatch, "/servers/{serverName}/versions/{version}/status", "Change the status of a version"), s.officialStatus)
	register(s, api, op(http.MethodPatch, "/servers/{serverName}/status", "Change the status of all versions"), s.officialStatusAll)
	register(s, api, op(http.MethodDelete, "/servers/{serverName}/versions/{version}", "Delete a version"), s.officialDelete)
	register(s, api, op(http.MethodPut, "/servers/{serverName}/versions/{version}", "Edit a version"), s.officialEdit)
	validate := s.officialOp(http.MethodPost, version, "/validate", "Check a server.json without publishing it")
	register(s, api, validate, s.officialValidate)
}

// asOfficial gives failures the statuses of the official registry: what clashes is a bad request there.
func asOfficial(ctx context.Context, err error) error {
	switch hub.KindOf(err) {
	case hub.Exists, hub.Conflict, hub.Gone:
		return &statusError{officialProblem(ctx, err)}
	}
	return err
}

func officialProblem(ctx context.Context, err error) *wire.Problem {
	p := wire.NewProblem(err, contextRequestID(ctx))
	p.Status, p.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
	return p
}

type officialPublishIn struct {
	Bearer
	Key     string `header:"Idempotency-Key" maxLength:"200" doc:"With it the same publish again is no error."`
	Body    apiv0.ServerJSON
	RawBody []byte
}

func (s *server) officialPublish(ctx context.Context, in *officialPublishIn) (*rawOut, error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	publish := func(again bool) (int, []byte, error) {
		v, err := s.Registry.Publish(ctx, actor, registry.Publish{Format: hub.FormatServer, Manifest: in.RawBody, Retry: again})
		switch {
		case err != nil:
			return 0, nil, err
		case v.State == hub.Rejected:
			return 0, nil, hub.Errorf(hub.Invalid, "%s was rejected: %s", v.Name, v.Message)
		case v.State.Pending():
			return 0, nil, hub.Errorf(hub.Unavailable, "%s %s is stored and still being checked", v.Name, v.Version).WithHint("send the same again in a minute")
		}
		return http.StatusOK, officialItem(v, ""), nil
	}
	var body []byte
	if in.Key == "" {
		_, body, err = publish(false)
	} else {
		_, body, err = s.Registry.Once(ctx, actor, in.Key, trust.SHA256(in.RawBody), publish)
	}
	if err != nil {
		return nil, asOfficial(ctx, err)
	}
	return &rawOut{ContentType: "application/json", Body: body}, nil
}

type statusBody struct {
	Status  hub.Status `json:"status" enum:"active,deprecated,deleted"`
	Message *string    `json:"statusMessage,omitempty" maxLength:"500"`
}

// change reads the body as a change of state.
func (b statusBody) change() (registry.Change, error) {
	to, ok := b.Status.StateOf()
	if !ok {
		return registry.Change{}, hub.Errorf(hub.Malformed, "status %q is not one of active, deprecated, deleted", b.Status)
	}
	c := registry.Change{To: to}
	if b.Message != nil {
		if to == hub.Published {
			return c, hub.Errorf(hub.Malformed, "statusMessage cannot go with status active")
		}
		c.Message = *b.Message
	}
	return c, nil
}

type officialStatusIn struct {
	Bearer
	OfficialRef
	Version string `path:"version" maxLength:"255"`
	Body    statusBody
}

func (s *server) officialStatus(ctx context.Context, in *officialStatusIn) (*rawOut, error) {
	c, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	return s.changeOfficial(ctx, in.Name, in.Version, c)
}

func (s *server) changeOfficial(ctx context.Context, name, version string, c registry.Change) (*rawOut, error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.Registry.ChangeState(ctx, actor, name, version, c)
	if err != nil {
		return nil, asOfficial(ctx, err)
	}
	return &rawOut{ContentType: "application/json", Body: officialItem(v, s.origin(ctx, v))}, nil
}

func (s *server) origin(ctx context.Context, v *hub.Version) string {
	if !v.Mirrored {
		return ""
	}
	srv, err := s.Registry.Server(ctx, v.ServerID)
	if err != nil {
		return ""
	}
	return srv.Origin
}

type officialStatusAllIn struct {
	Bearer
	OfficialRef
	Body statusBody
}

func (s *server) officialStatusAll(ctx context.Context, in *officialStatusAllIn) (*rawOut, error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	c, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	versions, err := s.Registry.ChangeAll(ctx, actor, in.Name, c)
	if err != nil {
		return nil, asOfficial(ctx, err)
	}
	items := make([][]byte, len(versions))
	for i, v := range versions {
		items[i] = officialItem(v, s.origin(ctx, v))
	}
	body, err := json.Marshal(struct {
		UpdatedCount int             `json:"updatedCount"`
		Servers      json.RawMessage `json:"servers"`
	}{len(versions), joinItems(items)})
	return &rawOut{ContentType: "application/json", Body: body}, err
}

type officialDeleteIn struct {
	Bearer
	OfficialRef
	Version string `path:"version" maxLength:"255"`
}

func (s *server) officialDelete(ctx context.Context, in *officialDeleteIn) (*rawOut, error) {
	return s.changeOfficial(ctx, in.Name, in.Version, registry.Change{To: hub.Yanked})
}

// officialEdit answers 501, as the specification wants of what a registry does not offer: here a
// published version never changes.
func (s *server) officialEdit(ctx context.Context, _ *officialDeleteIn) (*rawOut, error) {
	if _, err := actorOf(ctx); err != nil {
		return nil, err
	}
	p := wire.NewProblem(hub.Errorf(hub.Conflict, "a published version never changes on this hub").WithHint("publish a new version"), contextRequestID(ctx))
	p.Status, p.Title = http.StatusNotImplemented, http.StatusText(http.StatusNotImplemented)
	return nil, &statusError{p}
}

type officialValidateIn struct{ Body apiv0.ServerJSON }

type validation struct {
	Valid  bool              `json:"valid"`
	Issues []validationIssue `json:"issues"`
}

type validationIssue struct {
	Type      string       `json:"type" doc:"json, schema, semantic or linter."`
	Path      string       `json:"path"`
	Message   string       `json:"message"`
	Severity  hub.Severity `json:"severity"`
	Reference string       `json:"reference"`
}

func (s *server) officialValidate(_ context.Context, in *officialValidateIn) (*jsonOut[validation], error) {
	findings := manifest.CheckServerJSON(&in.Body)
	out := &jsonOut[validation]{Body: validation{Valid: true, Issues: make([]validationIssue, 0, len(findings))}}
	for _, f := range findings {
		out.Body.Issues = append(out.Body.Issues, validationIssue{Type: f.Code, Path: f.Path, Message: f.Message, Severity: f.Severity, Reference: f.Reference})
		if f.Severity == hub.SeverityError {
			out.Body.Valid = false
		}
	}
	return out, nil
}

// officialMeta are the small ones: health, ping, version, tokens.
func (s *server) officialMeta(api huma.API, version string) {
	register(s, api, s.officialOp(http.MethodGet, version, "/health", "Health"), func(context.Context, *struct{}) (*jsonOut[statusOut], error) {
		return &jsonOut[statusOut]{Body: statusOut{Status: "ok"}}, nil
	})
	register(s, api, s.officialOp(http.MethodGet, version, "/ping", "Ping"), func(context.Context, *struct{}) (*jsonOut[pingOut], error) {
		return &jsonOut[pingOut]{Body: pingOut{Pong: true}}, nil
	})
	register(s, api, s.officialOp(http.MethodGet, version, "/version", "Version of the program"), func(context.Context, *struct{}) (*jsonOut[versionOut], error) {
		return &jsonOut[versionOut]{Body: versionOut{Version: s.Version, Commit: s.Commit}}, nil
	})
	register(s, api, s.officialOp(http.MethodPost, version, "/auth/{method}", "Get a registry token"), s.officialToken)
}

type statusOut struct {
	Status string `json:"status"`
}

type pingOut struct {
	Pong bool `json:"pong"`
}

type versionOut struct {
	Version string `json:"version"`
	Commit  string `json:"git_commit"`
	Built   string `json:"build_time"`
}

type officialTokenIn struct {
	Method string `path:"method" example:"none" maxLength:"50"`
}

type officialTokenOut struct {
	Token   string `json:"registry_token"`
	Expires int64  `json:"expires_at" doc:"Unix seconds."`
}

func (s *server) officialToken(_ context.Context, in *officialTokenIn) (*jsonOut[officialTokenOut], error) {
	if in.Method != "none" {
		p := wire.NewProblem(hub.Errorf(hub.Conflict, "this hub does not offer login by %s", strings.ToValidUTF8(in.Method, "")).
			WithHint("make an API key with scope publish and use it as the registry token"), "")
		p.Status, p.Title = http.StatusNotImplemented, http.StatusText(http.StatusNotImplemented)
		return nil, &statusError{p}
	}
	if !s.AllowAnonymous {
		return nil, hub.Errorf(hub.NotFound, "this hub does not allow publishing without an account").
			WithHint("for development: mcphub serve --allow-anonymous-publish")
	}
	token, expires, err := s.Auth.RegistryToken()
	if err != nil {
		return nil, err
	}
	return &jsonOut[officialTokenOut]{Body: officialTokenOut{Token: token, Expires: expires.Unix()}}, nil
}
