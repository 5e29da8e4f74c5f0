package hub

import (
	"slices"
	"time"
)

// Account is a person or machine that can sign in.
type Account struct {
	ID           string // UUIDv7
	Name         string // hub scope rule; "@name" is the account's own namespace
	Email        string // lower case, unique
	PasswordHash string // argon2id, PHC string; empty when it cannot sign in by password
	Role         Role
	Disabled     bool
	CreatedAt    time.Time
}

// Role is what an account may do beyond its own namespaces.
type Role string

// The roles, from least to most.
const (
	RoleUser  Role = "user"
	RoleAdmin Role = "admin"
)

// Scope is what a token may be used for.
type Scope string

// The scopes; each includes the ones before it.
const (
	ScopeRead    Scope = "read"
	ScopePublish Scope = "publish"
	ScopeAdmin   Scope = "admin"
)

// Scopes lists all scopes from least to most.
var Scopes = []Scope{ScopeRead, ScopePublish, ScopeAdmin}

// TokenKind tells an API key from a refresh token.
type TokenKind string

// The token kinds.
const (
	TokenAPIKey  TokenKind = "api_key"
	TokenRefresh TokenKind = "refresh"
	TokenSetup   TokenKind = "setup" // one-time: makes the first administrator
)

// Token is a stored secret, kept only as the SHA-256 of its text.
type Token struct {
	ID        string
	AccountID string // "" for a setup token
	Kind      TokenKind
	Name      string // what its owner calls it
	Hash      string // hex SHA-256
	Prefix    string // the first characters, for telling keys apart in a list
	Scopes    []Scope
	Family    string // refresh tokens that came from one login
	CreatedAt time.Time
	ExpiresAt time.Time // zero for never
	LastUsed  time.Time // zero for never; exact to a minute
	Used      bool      // a refresh or setup token that was spent
}

// Namespace is a scope and the account that owns it.
type Namespace struct {
	Scope     string
	AccountID string
	ClaimedBy string // account that gave it; equal to AccountID for an account's own scope
	CreatedAt time.Time
}

// Actor is who does something: the first argument of everything that changes or reveals something.
type Actor struct {
	AccountID  string // "" for nobody
	Name       string // account name, "system" or ""
	Role       Role
	Scopes     []Scope // what the credential may be used for
	Namespaces []string
	KeyID      string // token the request came with, "" for a password session
	RequestID  string
}

// System is the actor for what the hub does by itself: jobs, imports, the command line on the server.
func System(requestID string) Actor {
	return Actor{AccountID: "system", Name: "system", Role: RoleAdmin, Scopes: Scopes, RequestID: requestID}
}

// Anonymous reports whether nobody is signed in.
func (a Actor) Anonymous() bool { return a.AccountID == "" }

// Can reports whether the actor's credential covers scope.
func (a Actor) Can(scope Scope) bool {
	have := slices.Index(Scopes, scope)
	for _, s := range a.Scopes {
		if slices.Index(Scopes, s) >= have && have >= 0 {
			return true
		}
	}
	return false
}

// Admin reports whether the actor may do everything: an administrator with a credential of scope admin.
func (a Actor) Admin() bool { return a.Role == RoleAdmin && a.Can(ScopeAdmin) }
