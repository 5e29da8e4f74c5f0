// Package archive downloads MCP bundles: files of .mcpb that anybody may have put anywhere on the web. What comes is only
// worth something once its digest was compared, which is for the caller.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/mcphub/mcphub/internal/source"
)

const (
	wholeTime = 30 * time.Minute // of a download
	idleTime  = time.Minute      // without a byte
)

// NewClient returns the guarded client for archives, which goes through the proxies of the environment. private lets it
// reach this machine and its networks.
func NewClient(userAgent string, private bool) *http.Client {
	return source.NewClient(source.GuardOptions{AllowPrivate: private, Timeout: wholeTime, UserAgent: userAgent, Proxy: http.ProxyFromEnvironment})
}

// Open asks for a file from a byte on. size is that of the whole file, 0 when the other side does not say. Unavailable
// when it cannot be had, or does not begin there; NotFound when it is gone; Forbidden for an address that the client may
// not reach. The body ends with an error when nothing comes for a minute.
func Open(ctx context.Context, c *http.Client, url string, from int64) (body io.ReadCloser, size int64, err error) {
	if err := mcpb.CheckURL(url); err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		cancel()
		return nil, 0, hub.Errorf(hub.Invalid, "the address of the archive is not readable").WithCause(err)
	}
	req.Header.Set("Accept", "application/octet-stream, */*;q=0.5")
	req.Header.Set("Accept-Encoding", "identity") // its digest is that of the bytes as they are
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	resp, err := c.Do(req)
	if err != nil {
		cancel()
		var refused *hub.Error
		if errors.As(err, &refused) {
			return nil, 0, refused
		}
		return nil, 0, hub.Errorf(hub.Unavailable, "its archive could not be fetched: %v", err).WithHint("try again; if this comes back, tell the publisher").WithCause(err)
	}
	if size, err = sizeOf(resp, from); err != nil {
		resp.Body.Close()
		cancel()
		return nil, 0, err
	}
	return &idle{body: resp.Body, cancel: cancel, timer: time.AfterFunc(idleTime, cancel)}, size, nil
}

// sizeOf returns the size of the whole file when an answer has what was asked for.
func sizeOf(resp *http.Response, from int64) (int64, error) {
	switch at := resp.Request.URL.Redacted(); {
	case resp.StatusCode == http.StatusOK && from == 0:
		return max(resp.ContentLength, 0), nil
	case resp.StatusCode == http.StatusPartialContent && from > 0 && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from)):
		if resp.ContentLength < 0 {
			return 0, nil
		}
		return from + resp.ContentLength, nil
	case resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return 0, hub.Errorf(hub.Unavailable, "%s does not go on at the byte %d", at, from)
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return 0, hub.Errorf(hub.NotFound, "its archive %s is not there (%d)", at, resp.StatusCode).WithHint("tell the publisher, or choose another version")
	default:
		return 0, hub.Errorf(hub.Unavailable, "%s answers %d", at, resp.StatusCode).WithHint("try again; if this comes back, tell the publisher")
	}
}

// idle is a body that ends when nothing comes.
type idle struct {
	body   io.ReadCloser
	cancel context.CancelFunc
	timer  *time.Timer
}

func (i *idle) Read(p []byte) (int, error) {
	n, err := i.body.Read(p)
	i.timer.Reset(idleTime)
	return n, err
}

func (i *idle) Close() error {
	i.timer.Stop()
	err := i.body.Close()
	i.cancel()
	return err
}
