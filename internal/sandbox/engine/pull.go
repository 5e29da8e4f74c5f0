package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// maxEvents is how many bytes an engine may tell of one pull or build: it repeats each layer's progress many times.
const maxEvents = 1 << 30

// Login is what an engine signs in with at a registry.
type Login struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	ServerAddress string `json:"serveraddress"` // the registry's host
}

// Pull has the engine fetch an image by its digest, which the engine checks. login is nil for an image that everybody may
// have; it travels in a header over the engine's own socket. progress is told how many bytes are here of how many that are
// known of so far.
func (c *Client) Pull(ctx context.Context, repository, digest string, login *Login, progress func(done, of int64)) error {
	path := "/images/create?" + url.Values{"fromImage": {repository}, "tag": {digest}}.Encode()
	if host, _, _ := strings.Cut(repository, "/"); loopback(host) {
		if info, err := c.Info(ctx); err == nil && info.Podman { // Docker speaks plain HTTP there by itself
			path = "/v4.0.0/libpod/images/pull?" + url.Values{"reference": {repository + "@" + digest}, "tlsVerify": {"false"}}.Encode()
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine"+path, nil)
	if err != nil {
		return err
	}
	if login != nil {
		data, err := json.Marshal(login)
		if err != nil {
			return err
		}
		req.Header.Set("X-Registry-Auth", base64.URLEncoding.EncodeToString(data))
	}
	layers := map[string][2]int64{}
	return c.follow(req, func(e event) {
		if e.ID == "" || e.ProgressDetail.Total <= 0 || !strings.HasPrefix(e.Status, "Downloading") || len(layers) > 1000 {
			return
		}
		layers[e.ID] = [2]int64{e.ProgressDetail.Current, e.ProgressDetail.Total}
		var done, of int64
		for _, l := range layers {
			done, of = done+l[0], of+l[1]
		}
		progress(done, of)
	})
}

// loopback reports whether a registry is on this machine.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// event is a line of what an engine tells while it pulls or builds.
type event struct {
	ID, Status, Stream, Error string
	ProgressDetail            struct{ Current, Total int64 }
	Aux                       struct{ ID string }
}

// follow sends a request whose answer is events, and ends with the error that one of them tells.
func (c *Client) follow(req *http.Request, told func(event)) error {
	return c.sendWithin(req, maxEvents, func(body io.Reader) error {
		for said := json.NewDecoder(body); ; {
			var e event
			switch err := said.Decode(&e); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return fmt.Errorf("the container engine at %s broke off: %w", c.Address, err)
			case e.Error != "":
				return errors.New(clip(e.Error))
			}
			told(e)
		}
	})
}

// Build has the engine build an image called name from the Dockerfile in a tar archive. told gets what it says.
func (c *Client) Build(ctx context.Context, archive io.Reader, name string, told func(string)) error {
	q := url.Values{"t": {name}, "dockerfile": {"Dockerfile"}, "rm": {"1"}, "forcerm": {"1"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/build?"+q.Encode(), archive)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-tar")
	return c.follow(req, func(e event) {
		if said := strings.TrimSpace(clip(e.Stream)); said != "" {
			told(said)
		}
	})
}

// Save writes an image as an archive that docker load takes, of at most so many bytes.
func (c *Client) Save(ctx context.Context, name string, to io.Writer, limit int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/images/"+name+"/get", nil)
	if err != nil {
		return err
	}
	return c.sendWithin(req, limit+1, func(body io.Reader) error {
		n, err := io.Copy(to, body)
		if err == nil && n > limit {
			err = fmt.Errorf("the image has more than %d bytes", limit)
		}
		return err
	})
}
