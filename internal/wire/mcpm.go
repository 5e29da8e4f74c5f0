package wire

import (
	"context"
	"net/http"
)

// Mcpm is the version of mcpm that a hub was released with.
type Mcpm struct {
	Version string `json:"version" doc:"SemVer, without a v." example:"1.4.2"`
	Page    string `json:"page" doc:"Where this hub tells how to get it." format:"uri"`
}

// Mcpm asks which version of mcpm people should have. It is asked once, without a token. NotFound when the hub does not
// say; what it says is not checked.
func (c *Client) Mcpm(ctx context.Context) (*Mcpm, error) {
	out := &Mcpm{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"mcpm"}, noToken: true}, out)
}
