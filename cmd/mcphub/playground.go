package main

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/source"
)

// openPlayground makes what visitors try tools with; nil when it is off. A machine that cannot confine servers has remote ones
// only, and the log says so.
func (p *hubProgram) openPlayground(ctx context.Context, blobs hub.Blobs) (*playground.Service, error) {
	c := p.config
	if c.Playground == "off" || c.Role == "worker" {
		return nil, nil
	}
	s, err := playground.New(playground.Config{
		Blobs: blobs, Dir: filepath.Join(c.Data, "playground"), Version: programVersion(), AtOnce: runtime.GOMAXPROCS(0),
		HTTP: source.NewClient(source.GuardOptions{AllowPrivate: c.AllowPrivate, Timeout: playground.CallTime}),
	})
	if err != nil {
		return nil, err
	}
	if err := playground.Check(); err != nil {
		p.log.WarnContext(ctx, "servers that were published as bundles cannot be tried here", "error", err)
	}
	return s, nil
}
