// Package auth answers one question: who is calling. It checks passwords and secrets, makes and reads
// tokens, and turns an Authorization header into a hub.Actor. What that actor may do is decided in
// internal/registry, not here.
//
// Three credentials exist: an access token (EdDSA JWT, minutes), a refresh token (days, each good for
// one use, a second use revokes the login), and an API key ("mcph_...", until it is revoked). Refresh
// tokens and keys are kept only as SHA-256; they are long and random, so a fast hash is enough.
package auth
