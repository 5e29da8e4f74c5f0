// Package signin signs a person in to protected remote servers, as the authorization of MCP says (OAuth 2.1 with PKCE, found
// by RFC 9728 and RFC 8414), keeps what came of it with the other secrets, and sends the token along to that server alone.
// Discovery, registration and the exchange of the code are those of the official SDK.
package signin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"golang.org/x/oauth2"
)

// kept is what the session of a server is called among its values. No input can have this name.
const kept = "oauth:sign-in"

const (
	early     = 30 * time.Second // before its end a token is renewed
	maxAnswer = 1 << 20          // bytes of an answer of an authorization server
)

// session is what a sign-in gave. It is kept as JSON among the secrets.
type session struct {
	URL          string           `json:"url"` // of the server: the token is for nothing else
	Resource     string           `json:"resource"`
	ClientID     string           `json:"clientId"`
	ClientSecret string           `json:"clientSecret,omitempty"`
	Style        oauth2.AuthStyle `json:"style,omitempty"`
	TokenURL     string           `json:"tokenUrl"`
	Scopes       []string         `json:"scopes,omitempty"`
	Access       string           `json:"access"`
	Refresh      string           `json:"refresh,omitempty"`
	Expires      time.Time        `json:"expires,omitzero"`
}

func (s *session) fresh(now time.Time) bool {
	return s.Access != "" && (s.Expires.IsZero() || now.Add(early).Before(s.Expires))
}

// keeper reads and writes the session of one server.
type keeper struct {
	*app.App
	project install.Project
	name    hub.Name
}

// read returns the session; nil when there is none.
func (k keeper) read(ctx context.Context) (*session, error) {
	h, err := k.Store()
	if err != nil {
		return nil, err
	}
	values, err := h.OwnValues(k.project, k.name)
	if err != nil {
		return nil, err
	}
	v, ok := values[kept]
	if !ok {
		return nil, nil
	}
	got, err := k.Reveal(ctx, k.project, k.name, map[string]install.Value{kept: v})
	if err != nil {
		return nil, err
	}
	s := new(session)
	if err := json.Unmarshal([]byte(got[kept]), s); err != nil {
		return nil, hub.Errorf(hub.Integrity, "the sign-in of %s cannot be read", k.name).WithHint("mcpm auth %s", k.name)
	}
	return s, nil
}

func (k keeper) write(ctx context.Context, s *session) (app.Stored, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return app.Stored{}, err
	}
	return k.StoreValues(ctx, k.project, k.name, map[string]string{kept: string(text)}, []string{kept}, nil)
}

func (k keeper) remove(ctx context.Context) error {
	_, err := k.StoreValues(ctx, k.project, k.name, nil, nil, []string{kept})
	return err
}

// renew asks for a new token with the refresh token (RFC 6749 section 6, with the resource of RFC 8707).
func (s *session) renew(ctx context.Context, client *http.Client, now time.Time) error {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.Refresh}, "resource": {s.Resource}}
	inHeader := s.ClientSecret != "" && s.Style == oauth2.AuthStyleInHeader
	if !inHeader {
		form.Set("client_id", s.ClientID)
		if s.ClientSecret != "" {
			form.Set("client_secret", s.ClientSecret)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if inHeader {
		req.SetBasicAuth(url.QueryEscape(s.ClientID), url.QueryEscape(s.ClientSecret))
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var told struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
		Error   string `json:"error"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&told)
	switch {
	case told.Error != "":
		return hub.Errorf(hub.Unauthenticated, "the sign-in was not renewed: %s", app.Clean(told.Error))
	case resp.StatusCode != http.StatusOK || err != nil || told.Access == "" || !strings.EqualFold(told.Type, "bearer"):
		return hub.Errorf(hub.Unavailable, "the authorization server %s gave no token (status %d)", req.URL.Host, resp.StatusCode)
	}
	s.Access, s.Expires = told.Access, time.Time{}
	if told.Seconds > 0 {
		s.Expires = now.Add(time.Duration(min(told.Seconds, 1<<31)) * time.Second)
	}
	if told.Refresh != "" {
		s.Refresh = told.Refresh
	}
	return nil
}
