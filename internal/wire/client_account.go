package wire

import (
	"context"
	"net/http"
)

// Login exchanges a name and password for a session. Unauthenticated when they do not fit.
func (c *Client) Login(ctx context.Context, in Login) (*Session, error) {
	out := &Session{}
	return out, c.do(ctx, call{method: http.MethodPost, path: []string{"auth", "login"}, in: in, noToken: true}, out)
}

// Refresh spends a refresh token for a new session. It is sent once: a second use of the token would end
// the whole session.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (*Session, error) {
	out := &Session{}
	r := call{method: http.MethodPost, path: []string{"auth", "token"}, in: Refresh{RefreshToken: refreshToken}, noToken: true}
	return out, c.do(ctx, r, out)
}

// Logout ends the session of a refresh token.
func (c *Client) Logout(ctx context.Context, refreshToken string) error {
	return c.do(ctx, call{method: http.MethodPost, path: []string{"auth", "logout"}, in: Refresh{RefreshToken: refreshToken}}, nil)
}

// Me returns the account of the token. Unauthenticated when there is none.
func (c *Client) Me(ctx context.Context) (*Account, error) {
	out := &Account{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"me"}}, out)
}

// Images tells what a namespace has of container images. Forbidden unless the account may publish to it.
func (c *Client) Images(ctx context.Context, namespace string) (*ImageUsage, error) {
	out := &ImageUsage{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"namespaces", namespace, "images"}}, out)
}

// Keys lists the account's API keys, without their secrets.
func (c *Client) Keys(ctx context.Context) (*KeyList, error) {
	out := &KeyList{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"keys"}}, out)
}

// NewKey makes an API key; its secret is in the answer and nowhere else.
func (c *Client) NewKey(ctx context.Context, in NewKeyRequest) (*NewKey, error) {
	out := &NewKey{}
	return out, c.do(ctx, call{method: http.MethodPost, path: []string{"keys"}, in: in}, out)
}

// DeleteKey revokes an API key. NotFound when the account has no such key.
func (c *Client) DeleteKey(ctx context.Context, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: []string{"keys", id}}, nil)
}
