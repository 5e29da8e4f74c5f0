package app

import (
	"context"
	"io"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// FetchBundle brings the bundle of a server into the store.
func (a *App) FetchBundle(ctx context.Context, h install.Home, name hub.Name, version string, b install.Artifact) error {
	c, err := a.ClientFor(name)
	if err != nil {
		return err
	}
	bar := a.IO.Progress(name.String(), b.Size)
	defer bar.Done()
	return h.SaveBundle(b, func(from int64) (io.ReadCloser, error) {
		body, _, err := c.Bundle(ctx, string(name), version, from)
		if err != nil {
			return nil, err
		}
		return &meter{ReadCloser: body, n: from, report: bar.Set}, nil
	})
}

// meter reports how much was read through it.
type meter struct {
	io.ReadCloser
	n      int64
	report func(int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.n += int64(n)
	m.report(m.n)
	return n, err
}
