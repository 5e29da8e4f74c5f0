// Package engine speaks to a container engine over its local socket, in the dozen requests of the Docker Engine API that a
// sandbox takes. Docker and Podman both answer them. It is written on net/http: the engine's own client brings tracing,
// registries and remote engines along, which a sandbox has no use for.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxAnswer  = 8 << 20 // bytes of one answer
	maxMessage = 2 << 10 // bytes of an error that is told
	dialTime   = 5 * time.Second
)

// ErrNotFound is wrapped by errors about an image or a container that the engine does not have.
var ErrNotFound = errors.New("the engine does not have it")

// Client speaks to one engine.
type Client struct {
	Address string // "unix:///run/docker.sock"
	http    *http.Client
}

// New returns a client of the engine at a local socket, "unix:///path". Nothing is sent yet. What listens elsewhere is refused: its
// containers would run on another machine, without a way back to this program.
func New(address string) (*Client, error) {
	path, ok := strings.CutPrefix(address, "unix://")
	if !ok || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("the container engine at %q is not at a local socket such as unix:///run/docker.sock", address)
	}
	dialer := &net.Dialer{Timeout: dialTime}
	return &Client{Address: address, http: &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) },
		DisableKeepAlives: false, IdleConnTimeout: time.Minute, MaxIdleConns: 8, MaxIdleConnsPerHost: 8, MaxResponseHeaderBytes: 64 << 10,
	}}}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Info is what an engine says of itself.
type Info struct {
	ServerVersion   string
	OSType          string
	Architecture    string
	MemoryLimit     bool
	PidsLimit       bool
	CPUCfsQuota     bool `json:"CpuCfsQuota"`
	SecurityOptions []string
	CgroupVersion   string
	Rootless        bool // the engine itself is no more than a person
	Podman          bool `json:"-"`
}

// Info asks the engine what it is and what it can limit.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var in struct {
		Info
		BuildahVersion string // only Podman has one
	}
	if err := c.ask(ctx, http.MethodGet, "/info", nil, &in); err != nil {
		return Info{}, err
	}
	for _, o := range in.SecurityOptions {
		in.Rootless = in.Rootless || o == "name=rootless"
	}
	in.Podman = in.BuildahVersion != ""
	return in.Info, nil
}

// Image is what an image says of how it is started.
type Image struct {
	ID     string `json:"Id"`
	Os     string
	Config struct {
		User, WorkingDir     string
		Env, Entrypoint, Cmd []string
		Volumes              map[string]struct{}
	}
}

// Image looks at an image that the engine has. The error wraps ErrNotFound when it does not.
func (c *Client) Image(ctx context.Context, ref string) (Image, error) {
	var out Image
	if strings.ContainsAny(ref, "?#%\\ ") || strings.Contains(ref, "..") || strings.Contains(ref, "//") {
		return out, fmt.Errorf("%q is not the name of an image", clip(ref))
	}
	return out, c.ask(ctx, http.MethodGet, "/images/"+ref+"/json", nil, &out)
}

// Mount is one of a container. Type is "bind".
type Mount struct {
	Type, Source, Target string
	ReadOnly             bool
	BindOptions          *BindOptions `json:",omitempty"`
}

// BindOptions are those of a mount of a path of the machine.
type BindOptions struct {
	Propagation  string
	NonRecursive bool
}

// Ulimit is a limit of each process.
type Ulimit struct {
	Name       string
	Soft, Hard int64
}

// HostConfig is what a container gets of the machine.
type HostConfig struct {
	AutoRemove     bool
	Init           bool
	NetworkMode    string   `json:",omitempty"`
	IpcMode        string   `json:",omitempty"`
	UsernsMode     string   `json:",omitempty"`
	CapDrop        []string `json:",omitempty"`
	SecurityOpt    []string `json:",omitempty"`
	ReadonlyRootfs bool
	Memory         int64             `json:",omitempty"` // bytes
	MemorySwap     int64             `json:",omitempty"`
	NanoCPUs       int64             `json:"NanoCpus,omitempty"`
	PidsLimit      int64             `json:",omitempty"`
	ShmSize        int64             `json:",omitempty"`
	Tmpfs          map[string]string `json:",omitempty"`
	Mounts         []Mount           `json:",omitempty"`
	Ulimits        []Ulimit          `json:",omitempty"`
	LogConfig      struct{ Type string }
	MaskedPaths    []string          `json:",omitempty"`
	ReadonlyPaths  []string          `json:",omitempty"`
	Sysctls        map[string]string `json:",omitempty"`
}

// Config is a container that is to be made.
type Config struct {
	Image       string
	User        string `json:",omitempty"`
	Entrypoint  []string
	Cmd         []string
	WorkingDir  string
	Labels      map[string]string
	StopSignal  string
	Healthcheck struct{ Test []string }
	HostConfig  HostConfig
}

// Create makes a container and returns its id, and what the engine warns of.
func (c *Client) Create(ctx context.Context, conf *Config) (id string, warnings []string, err error) {
	var out struct {
		ID       string `json:"Id"`
		Warnings []string
	}
	if err := c.ask(ctx, http.MethodPost, "/containers/create", conf, &out); err != nil {
		return "", nil, err
	}
	if out.ID == "" {
		return "", nil, errors.New("the engine made a container and did not name it")
	}
	return out.ID, out.Warnings, nil
}

// Start starts a container.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.ask(ctx, http.MethodPost, "/containers/"+url.PathEscape(id)+"/start", nil, nil)
}

// Wait waits until a container has ended.
func (c *Client) Wait(ctx context.Context, id string) error {
	return c.ask(ctx, http.MethodPost, "/containers/"+url.PathEscape(id)+"/wait", nil, nil)
}

// Remove ends a container if it runs and removes it with its volumes. One that is gone, or is being removed, is no error.
func (c *Client) Remove(ctx context.Context, id string) error {
	err := c.ask(ctx, http.MethodDelete, "/containers/"+url.PathEscape(id)+"?force=1&v=1", nil, nil)
	var s *statusError
	if errors.Is(err, ErrNotFound) || errors.As(err, &s) && s.code == http.StatusConflict {
		return nil
	}
	return err
}

// Container is one that the engine has.
type Container struct {
	ID      string `json:"Id"`
	State   string // "created", "running", "exited", ...
	Created int64  // seconds since 1970
	Labels  map[string]string
}

// List lists all containers with a label, running or not.
func (c *Client) List(ctx context.Context, label string) ([]Container, error) {
	filters, err := json.Marshal(map[string][]string{"label": {label}})
	if err != nil {
		return nil, err
	}
	var out []Container
	return out, c.ask(ctx, http.MethodGet, "/containers/json?all=1&filters="+url.QueryEscape(string(filters)), nil, &out)
}

// Import makes an image of a tar archive of its files and returns its id.
func (c *Client) Import(ctx context.Context, tar io.Reader) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/images/create?fromSrc=-", tar)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-tar")
	id := ""
	err = c.send(req, func(body io.Reader) error {
		for said := json.NewDecoder(body); ; {
			var line struct{ Status, Error string }
			switch err := said.Decode(&line); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			case line.Error != "":
				return errors.New(clip(line.Error))
			}
			id = line.Status
		}
	})
	return "sha256:" + strings.TrimPrefix(id, "sha256:"), err
}

// RemoveImage removes an image.
func (c *Client) RemoveImage(ctx context.Context, id string) error {
	return c.ask(ctx, http.MethodDelete, "/images/"+id+"?force=1", nil, nil)
}

// statusError is an answer that is no success.
type statusError struct {
	code    int
	message string
}

func (e *statusError) Error() string { return e.message }

// Is implements errors.Is.
func (e *statusError) Is(target error) bool {
	return target == ErrNotFound && e.code == http.StatusNotFound
}

// ask sends a request with a JSON body and reads a JSON answer.
func (c *Client) ask(ctx context.Context, method, path string, body, out any) error {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, content)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.send(req, func(body io.Reader) error {
		if out == nil {
			_, err := io.Copy(io.Discard, body)
			return err
		}
		return json.NewDecoder(body).Decode(out)
	})
}

func (c *Client) send(req *http.Request, read func(io.Reader) error) error {
	return c.sendWithin(req, maxAnswer, read)
}

// sendWithin is send for an answer of at most so many bytes.
func (c *Client) sendWithin(req *http.Request, limit int64, read func(io.Reader) error) error {
	res, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address in it says nothing
		}
		return fmt.Errorf("the container engine at %s does not answer: %w", c.Address, err)
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, limit)
	if res.StatusCode >= 400 {
		data, _ := io.ReadAll(io.LimitReader(body, maxMessage))
		var said struct{ Message string }
		if json.Unmarshal(data, &said) != nil || said.Message == "" {
			said.Message = string(data)
		}
		return &statusError{res.StatusCode, clip(fmt.Sprintf("the container engine at %s says: %s", c.Address, strings.TrimSpace(said.Message)))}
	}
	return read(body)
}

// clip keeps a message short and on one line.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), 600)]
}
