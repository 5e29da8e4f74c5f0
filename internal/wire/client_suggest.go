package wire

import (
	"context"
	"net/http"
	"net/url"
)

// Suggest returns what a text that is being typed may become: names of servers, tools, resources and prompts.
func (c *Client) Suggest(ctx context.Context, text string) (*SuggestResult, error) {
	out := &SuggestResult{}
	return out, c.do(ctx, call{method: http.MethodGet, path: []string{"suggest"}, query: url.Values{"q": {text}}}, out)
}
