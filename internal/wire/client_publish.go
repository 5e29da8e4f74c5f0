package wire

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"

	"github.com/mcphub/mcphub/internal/hub"
)

// Upload is a version to publish. The same Upload under the same Key is published once, however often
// it is sent, so Publish tries again by itself when a connection breaks.
type Upload struct {
	Name     string
	Manifest []byte // canonical mcp.json
	Key      string // Idempotency-Key

	// Bundle opens the .tgz from its start, for every try anew; nil when there is none.
	Bundle   func() (io.ReadCloser, error)
	Size     int64  // bytes of the bundle
	SHA256   []byte // of the bundle, sent as Content-Digest of its part
	Progress func(sent int64)
}

// Publish sends a version: a multipart form with the manifest first and the bundle, if any, second. The
// answer comes as soon as the hub has stored it; follow it with Publication.
func (c *Client) Publish(ctx context.Context, u Upload) (*Publication, error) {
	head, tail, contentType, err := u.form()
	if err != nil {
		return nil, err
	}
	size := int64(len(head) + len(tail))
	if u.Bundle != nil {
		size += u.Size
	}
	r := call{
		method: http.MethodPost, path: []string{"servers", u.Name, "versions"}, repeat: u.Key != "",
		header: http.Header{"Content-Type": {contentType}},
		body: func() (io.ReadCloser, int64, error) {
			if u.Bundle == nil {
				return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(tail))), size, nil
			}
			f, err := u.Bundle()
			if err != nil {
				return nil, 0, err
			}
			file := &counter{r: f, report: u.Progress}
			return readCloser{io.MultiReader(bytes.NewReader(head), file, bytes.NewReader(tail)), f}, size, nil
		},
	}
	if u.Key != "" {
		r.header.Set("Idempotency-Key", u.Key)
	}
	out := &Publication{}
	return out, c.do(ctx, r, out)
}

// form makes what goes before and after the bundle's bytes, so that the length is known beforehand.
func (u Upload) form() (head, tail []byte, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="manifest"; filename="mcp.json"`},
		"Content-Type":        {"application/json"},
	})
	if err == nil {
		_, err = part.Write(u.Manifest)
	}
	if err == nil && u.Bundle != nil {
		h := textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="bundle"; filename="bundle.tgz"`},
			"Content-Length":      {strconv.FormatInt(u.Size, 10)},
			"Content-Type":        {"application/gzip"},
		}
		if len(u.SHA256) > 0 {
			h.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(u.SHA256)+":")
		}
		_, err = w.CreatePart(h)
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("write form: %w", err)
	}
	n := b.Len()
	if err := w.Close(); err != nil {
		return nil, nil, "", fmt.Errorf("write form: %w", err)
	}
	return b.Bytes()[:n:n], b.Bytes()[n:], w.FormDataContentType(), nil
}

// Publication returns how far a publish got. Only its publisher may ask.
func (c *Client) Publication(ctx context.Context, name, version string) (*Publication, error) {
	out := &Publication{}
	r := call{method: http.MethodGet, path: []string{"servers", name, "versions", version, "publication"}}
	return out, c.do(ctx, r, out)
}

// Bundle opens the bundle of a version, from its byte offset on. The caller checks what it reads: the
// client promises nothing about the bytes. Size is what is still to come, -1 when unknown.
func (c *Client) Bundle(ctx context.Context, name, version string, offset int64) (body io.ReadCloser, size int64, err error) {
	r := call{
		method: http.MethodGet, path: []string{"servers", name, "bundle", version},
		header: http.Header{"Accept": {"application/gzip, application/octet-stream, application/problem+json"}},
	}
	if offset > 0 {
		r.header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	if offset > 0 && resp.StatusCode != http.StatusPartialContent {
		resp.Body.Close()
		return nil, 0, hub.Errorf(hub.Unavailable, "%s cannot continue a download", c.base)
	}
	return resp.Body, resp.ContentLength, nil
}

// counter tells how many bytes of an upload were read so far.
type counter struct {
	r      io.Reader
	n      int64
	report func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.report != nil && n > 0 {
		c.report(c.n)
	}
	return n, err
}

type readCloser struct {
	io.Reader
	io.Closer
}
