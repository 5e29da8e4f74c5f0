package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/mcphub/mcphub/internal/hub"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

// optionalBool tells false from not given.
type optionalBool struct{ Value, Set bool }

// Schema is that of a boolean.
func (o optionalBool) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeOf(o.Value))
}

// Receiver is where Huma puts the value.
func (o *optionalBool) Receiver() reflect.Value { return reflect.ValueOf(o).Elem().Field(0) }

// OnParamSet notes that a value was given.
func (o *optionalBool) OnParamSet(set bool, _ any) { o.Set = set }

type officialListIn struct {
	Cursor         string       `query:"cursor" doc:"nextCursor of the page before; it carries the filters." maxLength:"4000"`
	Limit          int          `query:"limit" default:"30" minimum:"1" maximum:"100"`
	UpdatedSince   string       `query:"updated_since" doc:"Only what changed after this time (RFC 3339); deleted versions too." example:"2026-08-07T13:15:04.280Z"`
	Search         string       `query:"search" doc:"Part of the name, in any case; at least 3 characters." maxLength:"200"`
	Version        string       `query:"version" doc:"latest, or an exact version." maxLength:"255"`
	IncludeDeleted optionalBool `query:"include_deleted"`
}

// officialReads are GET /servers and what is under it, as the official registry answers them.
func (s *server) officialReads(api huma.API, version string) {
	op := func(path, summary string, body reflect.Type, name string) huma.Operation {
		o := s.officialOp(http.MethodGet, version, path, summary)
		o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"application/json": {Schema: api.OpenAPI().Components.Schemas.Schema(body, true, name)}}}}
		return o
	}
	list, one := reflect.TypeFor[apiv0.ServerListResponse](), reflect.TypeFor[apiv0.ServerResponse]()
	register(s, api, op("/servers", "List server versions", list, "OfficialList"), s.officialList)
	register(s, api, op("/servers/{serverName}/versions", "List the versions of a server", list, "OfficialList"), s.officialVersions)
	register(s, api, op("/servers/{serverName}/versions/{version}", "Read a version", one, "OfficialServer"), s.officialVersion)
}

func (s *server) officialOp(method, version, path, summary string) huma.Operation {
	id := strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "").Replace(version+path)
	return huma.Operation{OperationID: id, Method: method, Path: version + path, Summary: summary, Tags: []string{"registry"}, Hidden: version == "/v0"}
}

// rawOut is bytes that are JSON already.
type rawOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) officialList(ctx context.Context, in *officialListIn) (*rawOut, error) {
	q, err := catalogQuery(in)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	rows, err := s.Registry.Page(ctx, q)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = encodeCursor(catalogCursor{Name: last.Name, Version: last.Version, Search: q.Search, Since: micros(q.UpdatedSince), Only: q.Version, Deleted: q.IncludeDeleted})
	}
	return &rawOut{ContentType: "application/json", Body: joinRows(rows, next)}, nil
}

// catalogQuery reads the parameters; a cursor brings the filters that the request leaves out.
func catalogQuery(in *officialListIn) (hub.CatalogQuery, error) {
	q := hub.CatalogQuery{Limit: in.Limit, Search: in.Search, Version: in.Version, IncludeDeleted: in.IncludeDeleted.Value}
	if in.UpdatedSince != "" {
		since, err := time.Parse(time.RFC3339, in.UpdatedSince)
		if err != nil {
			return q, hub.Errorf(hub.Malformed, "updated_since %q is not an RFC 3339 time", in.UpdatedSince).WithHint("write it like 2026-08-07T13:15:04.280Z")
		}
		q.UpdatedSince = since
	}
	if in.Search != "" && utf8.RuneCountInString(strings.TrimSpace(in.Search)) < 3 {
		return q, hub.Errorf(hub.Invalid, "search %q is shorter than 3 characters", in.Search).WithHint("give at least 3 characters of the name")
	}
	if in.Cursor != "" {
		var cur catalogCursor
		if err := decodeCursor(in.Cursor, &cur); err != nil {
			return q, err
		}
		q.AfterName, q.AfterVersion = cur.Name, cur.Version
		if q.Search == "" {
			q.Search = cur.Search
		}
		if q.UpdatedSince.IsZero() {
			q.UpdatedSince = fromMicros(cur.Since)
		}
		if q.Version == "" {
			q.Version = cur.Only
		}
		if !in.IncludeDeleted.Set {
			q.IncludeDeleted = cur.Deleted
		}
	}
	if !q.UpdatedSince.IsZero() {
		if in.IncludeDeleted.Set && !in.IncludeDeleted.Value {
			return q, hub.Errorf(hub.Malformed, "include_deleted=false cannot go with updated_since").
				WithHint("a mirror has to hear of deleted versions: leave include_deleted out")
		}
		q.IncludeDeleted = true
	}
	return q, nil
}

// joinRows makes a list answer from stored bytes.
func joinRows(rows []hub.CatalogRow, next string) []byte {
	size := 64 + len(next)
	for _, r := range rows {
		size += len(r.ServerJSON) + len(r.Meta) + 24
	}
	b := make([]byte, 0, size)
	b = append(b, `{"servers":[`...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, r.ServerJSON, r.Meta)
	}
	b = append(b, `],"metadata":{`...)
	if next != "" {
		b = append(append(append(b, `"nextCursor":"`...), next...), `",`...)
	}
	b = append(b, `"count":`...)
	return append(strconv.AppendInt(b, int64(len(rows)), 10), "}}"...)
}

func appendRow(b, server, meta []byte) []byte {
	b = append(append(b, `{"server":`...), server...)
	b = append(append(b, `,"_meta":`...), meta...)
	return append(b, '}')
}

// OfficialRef names a server in a path of the official API.
type OfficialRef struct {
	Name string `path:"serverName" doc:"Name as one path segment." example:"io.github.acme%2Fweather" maxLength:"250"`
}

// OfficialVersionsIn names a server and whether deleted versions count.
type OfficialVersionsIn struct {
	OfficialRef
	IncludeDeleted bool `query:"include_deleted"`
}

// officialName reads the name; one that cannot exist is not found rather than invalid, as upstream.
func officialName(s string) (hub.Name, error) {
	name, err := hub.ParseMirrorName(s)
	if err != nil {
		return "", hub.Errorf(hub.NotFound, "Server not found: %q is not a server's name", s).WithCause(err)
	}
	return name, nil
}

func (s *server) officialVersions(ctx context.Context, in *OfficialVersionsIn) (*rawOut, error) {
	name, err := officialName(in.Name)
	if err != nil {
		return nil, err
	}
	rows, err := s.Registry.PageByDate(ctx, name, in.IncludeDeleted)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, hub.Errorf(hub.NotFound, "Server not found: %s", name)
	}
	return &rawOut{ContentType: "application/json", Body: joinRows(rows, "")}, nil
}

type officialVersionIn struct {
	OfficialVersionsIn
	Version string `path:"version" doc:"Exact version, or latest." example:"1.0.0" maxLength:"255"`
}

func (s *server) officialVersion(ctx context.Context, in *officialVersionIn) (*rawOut, error) {
	name, err := officialName(in.Name)
	if err != nil {
		return nil, err
	}
	rows, err := s.Registry.Page(ctx, hub.CatalogQuery{Limit: 1, Name: name, Version: in.Version, IncludeDeleted: in.IncludeDeleted})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, hub.Errorf(hub.NotFound, "Server not found: %s %s", name, in.Version)
	}
	return &rawOut{ContentType: "application/json", Body: appendRow(nil, rows[0].ServerJSON, rows[0].Meta)}, nil
}

// officialItem renders a version that was just written.
func officialItem(v *hub.Version, origin string) []byte {
	return appendRow(nil, v.ServerJSON, hub.RenderMeta(v, origin))
}

// joinItems makes a JSON array of items.
func joinItems(items [][]byte) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(items, []byte{','})...), ']')
}
