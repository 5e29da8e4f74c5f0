package hub

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an Error is. One table maps it to an HTTP status (internal/wire), one
// to an exit code (internal/cli). The zero Kind is internal: logged, never shown.
type Kind string

// The kinds of failure.
const (
	Invalid         Kind = "invalid"         // the input breaks a rule; sending it again will not help
	Malformed       Kind = "malformed"       // the request cannot be read at all
	NotFound        Kind = "not_found"       // no such thing, or the caller may not know of it
	Exists          Kind = "exists"          // the name or version number is taken
	Conflict        Kind = "conflict"        // the thing is not in the state the request needs
	Unauthenticated Kind = "unauthenticated" // nobody knows who is calling
	Forbidden       Kind = "forbidden"       // the caller is known and may not
	Gone            Kind = "gone"            // it was here and was taken back
	TooLarge        Kind = "too_large"       // over a limit on size
	RateLimited     Kind = "rate_limited"    // over a limit on calls
	Unavailable     Kind = "unavailable"     // a part this needs does not answer; try again later
	Integrity       Kind = "integrity"       // bytes are not the bytes that were promised
)

// Severity of an Issue.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Issue is one thing wrong with a document, at a place in it.
type Issue struct {
	Path     string   `json:"path"`           // "servers.db.transport", "packages[0].version"; empty for the whole document
	Message  string   `json:"message"`        // what is wrong, with the value
	Severity Severity `json:"severity"`       // only errors make a document invalid
	Code     string   `json:"code,omitempty"` // stable machine name, such as "unknown-field"
	Line     int      `json:"line,omitempty"` // 1-based line in the source text, 0 when unknown
}

// Error is the one error type people see. Message says what is wrong, with the value; Hint says what to
// do next. Err, when set, is the cause and is only logged.
type Error struct {
	Kind    Kind
	Message string
	Hint    string
	Issues  []Issue
	Err     error
}

// Error returns the message, without hint or cause.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of the given kind.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// WithHint sets what to do next and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithCause sets the cause, which is logged and never shown, and returns e.
func (e *Error) WithCause(err error) *Error {
	e.Err = err
	return e
}

// WithIssues sets the single findings behind the message and returns e.
func (e *Error) WithIssues(issues []Issue) *Error {
	e.Issues = issues
	return e
}

// KindOf returns the kind of the first Error in err's chain, or "" for an internal error or nil.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// HasErrors reports whether any issue is an error.
func HasErrors(issues []Issue) bool {
	for _, i := range issues {
		if i.Severity == SeverityError {
			return true
		}
	}
	return false
}
