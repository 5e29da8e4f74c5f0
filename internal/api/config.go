package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
)

func (s *server) configRoutes(api huma.API) {
	op := func(path, summary string) huma.Operation {
		return huma.Operation{Method: http.MethodGet, Path: "/api/v1" + path, Summary: summary, Tags: []string{"config"}}
	}
	register(s, api, op("/config", "List the host applications this hub knows"), s.hostList)
	register(s, api, op("/config/{host}", "The exact configuration shape of a host application"), s.hostShape)
	register(s, api, op("/servers/{id}/config", "Ready-to-paste configuration of a server"), s.serverConfig)
}

type hostsOut struct {
	Body struct {
		Hosts []wire.HostShape `json:"hosts"`
	}
}

func (s *server) hostList(context.Context, *struct{}) (*hostsOut, error) {
	out := &hostsOut{}
	for _, h := range hosts.All() {
		s, err := shape(h)
		if err != nil {
			return nil, err
		}
		out.Body.Hosts = append(out.Body.Hosts, s)
	}
	return out, nil
}

type hostRef struct {
	Host string `path:"host" example:"cursor" maxLength:"50"`
}

func (s *server) hostShape(_ context.Context, in *hostRef) (*jsonOut[wire.HostShape], error) {
	h, err := findHost(in.Host)
	if err != nil {
		return nil, err
	}
	out, err := shape(h)
	return &jsonOut[wire.HostShape]{Body: out}, err
}

func findHost(id string) (hosts.Host, error) {
	h, ok := hosts.ByID(id)
	if ok {
		return h, nil
	}
	var known []string
	for _, h := range hosts.All() {
		known = append(known, h.ID)
	}
	return h, hub.Errorf(hub.NotFound, "this hub does not know a host application %q", id).WithHint("known ones: %s", strings.Join(known, ", "))
}

func shape(h hosts.Host) (wire.HostShape, error) {
	text := hosts.Example(h)
	example, err := h.JSON(text)
	if err != nil {
		return wire.HostShape{}, err
	}
	out := wire.HostShape{ID: h.ID, Name: h.Name, Format: string(h.Format), Key: h.Key, List: h.List, Remote: h.Remote(),
		AfterEdit: h.AfterEdit, Example: compactJSON(example), Text: string(text)}
	for _, p := range h.Places() {
		out.Paths = append(out.Paths, wire.HostPath{OS: p.OS, Scope: string(p.Scope), Path: p.Path})
	}
	return out, nil
}

type serverConfigIn struct {
	ServerRef
	Host    string `query:"host" required:"true" example:"claude-desktop" maxLength:"50"`
	Version string `query:"version" default:"latest" maxLength:"255"`
}

func (s *server) serverConfig(ctx context.Context, in *serverConfigIn) (*jsonOut[wire.HostConfig], error) {
	h, err := findHost(in.Host)
	if err != nil {
		return nil, err
	}
	v, err := s.Registry.Version(ctx, in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	if v.Facts.Unstartable() {
		return nil, hub.Errorf(hub.Conflict, "mcpm does not start packages of %s, so no configuration runs %s", strings.Join(v.Facts.PackageTypes, " and "), v.Name).
			WithHint("look for a server that is a container image or an archive")
	}
	// the entry every host can hold: mcpm starts what was locked, local or remote
	text, err := hosts.File(h, []string{v.Name.Base()}, map[string]hosts.Entry{v.Name.Base(): hosts.RunEntry("mcpm", v.Name.String())})
	if err != nil {
		return nil, err
	}
	config, err := h.JSON(text)
	if err != nil {
		return nil, err
	}
	out := wire.HostConfig{Host: h.ID, Name: v.Name.String(), Version: v.Version, Text: string(text), Config: compactJSON(config), AfterEdit: h.AfterEdit}
	for _, p := range h.Places() {
		if p.Scope == hosts.User && (p.OS == "any" || p.OS == "linux") {
			out.Path = p.Path
			break
		}
	}
	return &jsonOut[wire.HostConfig]{Body: out}, nil
}

// segment escapes a name or version as one path segment.
func segment(s string) string { return url.PathEscape(s) }
