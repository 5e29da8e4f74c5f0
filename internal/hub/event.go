package hub

import (
	"encoding/json"
	"time"
)

// Event is one change of state. The event table is the audit log and the outbox that projectors follow.
type Event struct {
	Seq       int64 // position in the log, assigned by the store; grows in commit order
	At        time.Time
	Actor     string // account ID, "system" or ""
	ActorName string
	Action    string // one of the Action constants
	Subject   string // what it happened to: a server ID, an account ID, a namespace ...
	Name      string // the subject's name for people: "@acme/db 1.2.0"
	Before    json.RawMessage
	After     json.RawMessage
	Reason    string
	RequestID string
}

// The actions in the event log. "version.<state>" is made from a State.
const (
	ActionServerCreated    = "server.created"
	ActionServerUpdated    = "server.updated"
	ActionVersionSubmitted = "version.submitted"
	ActionAccountCreated   = "account.created"
	ActionAccountUpdated   = "account.updated"
	ActionNamespaceClaimed = "namespace.claimed"
	ActionTokenCreated     = "token.created"
	ActionTokenRevoked     = "token.revoked"
)

// ActionOf returns the action of a version entering a state.
func ActionOf(s State) string { return "version." + string(s) }

// Job is a piece of work that survives a crash.
type Job struct {
	ID        string
	Kind      string // "publish", ...
	Subject   string // a version ID, ...
	Payload   json.RawMessage
	Attempts  int       // claims so far
	RunAt     time.Time // not before
	LeaseBy   string    // worker that holds it
	LeaseTill time.Time
	Parked    bool   // failed too often; kept for a person to look at
	LastError string // of the last attempt
	CreatedAt time.Time
}

// JobPublish takes a submitted version through its stages. Its subject is the version ID.
const JobPublish = "publish"
