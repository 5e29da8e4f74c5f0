package wire

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// CommandHeader tells the hub which verb of mcpm asks; "install" counts as an install.
const CommandHeader = "Mcpm-Command"

// SearchQuery is what to look for. Filters that are empty do not filter.
type SearchQuery struct {
	Text      string
	Package   string // npm, pypi, oci, mcpb, nuget, cargo, bundle, remote
	Transport string
	Runtime   string
	License   string
	Category  string
	Scope     string
	Cursor    string
	Limit     int // 0 lets the hub choose
}

// Search returns one page of servers that match, best first.
func (c *Client) Search(ctx context.Context, q SearchQuery) (*SearchResult, error) {
	v := url.Values{"q": {q.Text}}
	for key, value := range map[string]string{
		"package": q.Package, "transport": q.Transport, "runtime": q.Runtime, "license": q.License,
		"category": q.Category, "scope": q.Scope, "cursor": q.Cursor,
	} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	out := &SearchResult{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"search"}, query: v}, out)
}

// Server returns a server with its latest version. name may also be a UUID. NotFound when there is none.
func (c *Client) Server(ctx context.Context, name string) (*ServerDetail, error) {
	out := &ServerDetail{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"servers", name}}, out)
}

// Versions returns all versions of a server, newest publication first. NotFound when there is no server.
func (c *Client) Versions(ctx context.Context, name string) (*VersionList, error) {
	out := &VersionList{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"servers", name, "versions"}}, out)
}

// Version returns one version, named exactly or by dist-tag. command goes into CommandHeader unless "".
func (c *Client) Version(ctx context.Context, name, version, command string) (*VersionDetail, error) {
	r := call{method: http.MethodGet, path: []string{"servers", name, "versions", version}}
	if command != "" {
		r.header = http.Header{CommandHeader: {command}}
	}
	out := &VersionDetail{}
	return out, c.do(ctx, r, out)
}

// PutServer sets what is shown about a server, and publishes its first version when a manifest is in it.
func (c *Client) PutServer(ctx context.Context, name string, in PutServer) (*ServerDetail, error) {
	out := &ServerDetail{}
	return out, c.do(ctx, call{method: http.MethodPut, path: []string{"servers", name}, in: in}, out)
}

// Withdrawal is how a version is taken back: deprecated unless Yank or Unpublish is set.
type Withdrawal struct {
	Message     string
	Replacement string
	Yank        bool
	Unpublish   bool
}

// Withdraw deprecates, yanks or unpublishes a version and returns it in its new state.
func (c *Client) Withdraw(ctx context.Context, name, version string, w Withdrawal) (*Version, error) {
	q := url.Values{}
	for key, value := range map[string]string{"message": w.Message, "replacement": w.Replacement} {
		if value != "" {
			q.Set(key, value)
		}
	}
	for key, on := range map[string]bool{"yank": w.Yank, "unpublish": w.Unpublish} {
		if on {
			q.Set(key, "true")
		}
	}
	out := &Version{}
	r := call{method: http.MethodDelete, path: []string{"servers", name, "versions", version}, query: q}
	return out, c.do(ctx, r, out)
}

// HostShape returns how a host application keeps its servers. NotFound for a host the hub does not know.
func (c *Client) HostShape(ctx context.Context, host string) (*HostShape, error) {
	out := &HostShape{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"config", host}}, out)
}

// HostConfig returns the ready-to-paste configuration of a server for a host application.
func (c *Client) HostConfig(ctx context.Context, name, host string) (*HostConfig, error) {
	out := &HostConfig{}
	r := call{method: http.MethodGet, path: []string{"servers", name, "config"}, query: url.Values{"host": {host}}}
	return out, c.do(ctx, r, out)
}
