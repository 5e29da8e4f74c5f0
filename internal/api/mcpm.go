package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
)

// mcpmRoutes tell of the program that people use this hub with.
func (s *server) mcpmRoutes(api huma.API) {
	op := huma.Operation{Method: http.MethodGet, Path: "/api/v1/mcpm", Summary: "The version of mcpm that this hub was released with", Tags: []string{"config"}}
	op.Description = "mcpm asks for it at most once a day, to tell that a newer one is out. 404 when the operator turned it off, or this hub is no release."
	register(s, api, op, s.mcpm)
}

type mcpmOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         wire.Mcpm
}

func (s *server) mcpm(context.Context, *struct{}) (*mcpmOut, error) {
	if s.Mcpm == "" {
		return nil, hub.Errorf(hub.NotFound, "this hub does not say which mcpm is the newest")
	}
	return &mcpmOut{CacheControl: "public, max-age=3600", Body: wire.Mcpm{Version: s.Mcpm, Page: s.BaseURL + "/start"}}, nil
}
