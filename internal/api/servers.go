package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
)

// Filters are the facts by which servers are chosen in lists and searches.
type Filters struct {
	Package   string `json:"p,omitempty" query:"package" doc:"Package type: npm, pypi, oci, mcpb, nuget, cargo, bundle, remote." maxLength:"20"`
	Transport string `json:"t,omitempty" query:"transport" doc:"stdio, streamable-http or sse." maxLength:"20"`
	Runtime   string `json:"r,omitempty" query:"runtime" doc:"docker, node, python, go, binary or remote." maxLength:"20"`
	License   string `json:"l,omitempty" query:"license" doc:"SPDX expression, exact." maxLength:"200"`
	Category  string `json:"c,omitempty" query:"category" maxLength:"100"`
	Scope     string `json:"s,omitempty" query:"scope" doc:"Namespace, with or without @." maxLength:"130"`
	Mirrored  string `json:"m,omitempty" query:"mirrored" doc:"true: only copies from other catalogues; false: only what is published here." enum:"true,false"`
}

func (f Filters) mirrored() *bool {
	if f.Mirrored == "" {
		return nil
	}
	yes := f.Mirrored == "true"
	return &yes
}

func (f Filters) scope() string {
	if len(f.Scope) > 0 && f.Scope[0] == '@' {
		return f.Scope[1:]
	}
	return f.Scope
}

type jsonOut[T any] struct{ Body T }

// ServerRef names a server in a path. Huma reads embedded structs only when they are exported.
type ServerRef struct {
	ID string `path:"id" doc:"Name (%40acme%2Fpostgres) or UUID." example:"%40acme%2Fpostgres" maxLength:"250"`
}

// VersionRef names a version in a path.
type VersionRef struct {
	ServerRef
	Version string `path:"version" doc:"Number, or a dist-tag such as latest." example:"1.4.2" maxLength:"255"`
}

type listIn struct {
	Filters
	Sort    hub.Sort `query:"sort" enum:"name,updated,installs,score" default:"name" doc:"name ascending; updated, installs and score highest first."`
	Keyword string   `query:"keyword" maxLength:"100"`
	Limit   int      `query:"limit" minimum:"1" maximum:"100" default:"30"`
	Cursor  string   `query:"cursor" doc:"nextCursor of the page before; it carries order and filters."`
}

// serverRoutes are the reads of /api/v1.
func (s *server) serverRoutes(api huma.API) {
	get := func(path, summary string) huma.Operation {
		return huma.Operation{Method: http.MethodGet, Path: "/api/v1" + path, Summary: summary, Tags: []string{"servers"}}
	}
	register(s, api, get("/servers", "List servers"), s.listServers)
	register(s, api, get("/servers/{id}", "Read a server and its latest version"), s.getServer)
	register(s, api, get("/servers/{id}/versions", "List the versions of a server"), s.listVersions)
	register(s, api, get("/servers/{id}/versions/{version}", "Read a version with its manifest"), s.getVersion)
	register(s, api, get("/servers/{id}/capabilities", "List what a server's version declares"), s.serverCapabilities)
	find := get("/search", "Find servers by words, meaning and facts")
	find.Description = "The words are looked for as they are and by what they mean. Filters may stand among them: `tool:query lang:python license:mit transport:stdio host:cursor publisher:acme`; " +
		"several values of one facet, with commas between, are alternatives."
	register(s, api, find, s.search)
	register(s, api, get("/suggest", "Complete what is being typed"), s.suggest)
	register(s, api, get("/servers/{id}/quality", "Judge a server by what is known of it"), s.quality)
	register(s, api, get("/servers/{id}/installs", "Count installs by day"), s.installs)
	register(s, api, get("/servers/{id}/related", "List servers that are for the like"), s.related)
	register(s, api, get("/capabilities", "List all tools, resources and prompts with counts"), s.capabilities)
	bundle := get("/servers/{id}/bundle/{version}", "Download the bundle of a version")
	bundle.Description = "The archive, named by its content: the ETag is its digest. Ranges work; the bytes of a version never change."
	bundle.Responses = map[string]*huma.Response{"200": {Description: "The archive.", Content: map[string]*huma.MediaType{"application/gzip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
	register(s, api, bundle, s.bundle)
}

func (s *server) listServers(ctx context.Context, in *listIn) (*jsonOut[wire.ServerList], error) {
	cur := serverCursor{Sort: in.Sort, Keyword: in.Keyword, Filter: in.Filters}
	if in.Cursor != "" {
		cur = serverCursor{}
		if err := decodeCursor(in.Cursor, &cur); err != nil {
			return nil, err
		}
	}
	q := hub.ServerQuery{Sort: cur.Sort, Limit: in.Limit + 1, Scope: cur.Filter.scope(), PackageType: cur.Filter.Package,
		Transport: cur.Filter.Transport, Runtime: cur.Filter.Runtime, License: cur.Filter.License,
		Category: cur.Filter.Category, Keyword: cur.Keyword, Mirrored: cur.Filter.mirrored()}
	if in.Cursor != "" {
		q.After = &hub.ServerAfter{Name: cur.Name, Number: cur.Number, Time: fromMicros(cur.Micros)}
		q.AsOf = fromMicros(cur.AsOf)
	} else if q.Sort == hub.SortUpdated {
		cur.AsOf = micros(s.Now())
	}
	rows, err := s.Registry.Servers(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.ServerList]{Body: wire.ServerList{Servers: make([]wire.Server, 0, len(rows))}}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		last := rows[len(rows)-1]
		cur.Name, cur.Micros, cur.Number = last.Name, micros(last.UpdatedAt), last.Installs
		if cur.Sort == hub.SortScore {
			cur.Number = int64(last.Score)
		}
		out.Body.NextCursor = encodeCursor(cur)
	}
	for _, row := range rows {
		out.Body.Servers = append(out.Body.Servers, wire.NewServer(row))
	}
	return out, nil
}

func (s *server) getServer(ctx context.Context, in *ServerRef) (*jsonOut[wire.ServerDetail], error) {
	srv, err := s.Registry.Server(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.ServerDetail]{Body: wire.ServerDetail{Server: wire.NewServer(srv)}}
	v, err := s.Registry.Version(ctx, srv.ID, srv.Latest.Version)
	switch {
	case err == nil:
		detail := wire.NewVersionDetail(v)
		out.Body.LatestVersion = &detail
	case hub.KindOf(err) != hub.Gone:
		return nil, err
	}
	return out, nil
}

func (s *server) listVersions(ctx context.Context, in *ServerRef) (*jsonOut[wire.VersionList], error) {
	srv, versions, err := s.Registry.Versions(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.VersionList]{Body: wire.VersionList{Name: srv.Name.String(), DistTags: srv.DistTags, Versions: make([]wire.Version, len(versions))}}
	for i, v := range versions {
		out.Body.Versions[i] = wire.NewVersion(v)
	}
	return out, nil
}

type versionIn struct {
	VersionRef
	Command string `header:"Mcpm-Command" doc:"What mcpm does this for; install counts as an install." maxLength:"20"`
}

func (s *server) getVersion(ctx context.Context, in *versionIn) (*jsonOut[wire.VersionDetail], error) {
	v, err := s.Registry.Version(ctx, in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	if in.Command == "install" {
		s.Registry.CountInstall(v.ServerID)
	}
	return &jsonOut[wire.VersionDetail]{Body: wire.NewVersionDetail(v)}, nil
}

type serverCapabilitiesIn struct {
	ServerRef
	Version string `query:"version" default:"latest" maxLength:"255"`
}

func (s *server) serverCapabilities(ctx context.Context, in *serverCapabilitiesIn) (*jsonOut[wire.ServerCapabilities], error) {
	v, err := s.Registry.Version(ctx, in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	list := v.Capabilities
	if list == nil {
		list = []hub.Capability{}
	}
	return &jsonOut[wire.ServerCapabilities]{Body: wire.ServerCapabilities{Name: v.Name.String(), Version: v.Version, Capabilities: list}}, nil
}

type capabilitiesIn struct {
	Type   hub.CapabilityType `query:"type" enum:"tool,resource,prompt"`
	Prefix string             `query:"prefix" maxLength:"100"`
	Limit  int                `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string             `query:"cursor"`
}

func (s *server) capabilities(ctx context.Context, in *capabilitiesIn) (*jsonOut[wire.CapabilityList], error) {
	q := hub.CapabilityQuery{Type: in.Type, Prefix: in.Prefix, Limit: in.Limit + 1}
	if in.Cursor != "" {
		var cur capabilityCursor
		if err := decodeCursor(in.Cursor, &cur); err != nil {
			return nil, err
		}
		q.Type, q.Prefix, q.After = cur.Type, cur.Prefix, &cur.Last
	}
	rows, err := s.Registry.Capabilities(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.CapabilityList]{}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		out.Body.NextCursor = encodeCursor(capabilityCursor{Last: rows[len(rows)-1], Type: q.Type, Prefix: q.Prefix})
	}
	if out.Body.Capabilities = rows; rows == nil {
		out.Body.Capabilities = []hub.CapabilityCount{}
	}
	return out, nil
}
