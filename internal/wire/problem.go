package wire

import (
	"errors"
	"net/http"

	"github.com/mcphub/mcphub/internal/hub"
)

// Problem is the body of every error answer: RFC 9457 problem details with our kind and hint, and an
// "error" member as in the generic MCP registry API, so that clients of either form read it.
type Problem struct {
	Type      string         `json:"type,omitempty" doc:"Always about:blank; kind tells problems apart."`
	Title     string         `json:"title" doc:"The HTTP status in words."`
	Status    int            `json:"status" doc:"The HTTP status code."`
	Detail    string         `json:"detail" doc:"What is wrong, with the value."`
	Kind      hub.Kind       `json:"kind" doc:"Stable machine name of the failure." example:"not_found"`
	Hint      string         `json:"hint,omitempty" doc:"What to do next."`
	RequestID string         `json:"requestId,omitempty" doc:"Name this when you ask the operator."`
	Errors    []ProblemIssue `json:"errors,omitempty" doc:"The single findings."`
	Error     string         `json:"error" doc:"The same as detail, for clients of the generic registry API."`
}

// ProblemIssue is one finding of a Problem.
type ProblemIssue struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
	Value    any    `json:"value,omitempty"`
	Line     int    `json:"line,omitempty"`
}

var statusOf = map[hub.Kind]int{
	hub.Invalid:         http.StatusUnprocessableEntity,
	hub.Malformed:       http.StatusBadRequest,
	hub.NotFound:        http.StatusNotFound,
	hub.Exists:          http.StatusConflict,
	hub.Conflict:        http.StatusConflict,
	hub.Unauthenticated: http.StatusUnauthorized,
	hub.Forbidden:       http.StatusForbidden,
	hub.Gone:            http.StatusGone,
	hub.TooLarge:        http.StatusRequestEntityTooLarge,
	hub.RateLimited:     http.StatusTooManyRequests,
	hub.Unavailable:     http.StatusServiceUnavailable,
	hub.Integrity:       http.StatusUnprocessableEntity,
}

var kindOf = map[int]hub.Kind{
	http.StatusBadRequest:            hub.Malformed,
	http.StatusUnauthorized:          hub.Unauthenticated,
	http.StatusForbidden:             hub.Forbidden,
	http.StatusNotFound:              hub.NotFound,
	http.StatusConflict:              hub.Conflict,
	http.StatusGone:                  hub.Gone,
	http.StatusRequestEntityTooLarge: hub.TooLarge,
	http.StatusUnprocessableEntity:   hub.Invalid,
	http.StatusTooManyRequests:       hub.RateLimited,
	http.StatusBadGateway:            hub.Unavailable,
	http.StatusServiceUnavailable:    hub.Unavailable,
	http.StatusGatewayTimeout:        hub.Unavailable,
}

// Status returns the HTTP status of an error kind; 500 for internal errors.
func Status(k hub.Kind) int {
	if s, ok := statusOf[k]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// KindOf returns the error kind of an HTTP status, for answers that carry no kind of their own.
func KindOf(status int) hub.Kind { return kindOf[status] }

// NewProblem makes the body for an error. An error without a kind is internal: its text is not shown.
func NewProblem(err error, requestID string) *Problem {
	p := &Problem{RequestID: requestID, Kind: hub.KindOf(err)}
	p.Status = Status(p.Kind)
	p.Title = http.StatusText(p.Status)
	e := asHubError(err)
	if e == nil {
		p.Kind = "internal"
		p.Detail = "the hub failed to answer this request"
		p.Hint = "try again; if it stays, tell the operator the request id"
	} else {
		p.Detail, p.Hint = e.Message, e.Hint
		for _, i := range e.Issues {
			p.Errors = append(p.Errors, ProblemIssue{Message: i.Message, Location: i.Path, Line: i.Line})
		}
	}
	p.Error = p.Detail
	return p
}

// HubError turns a received Problem into the error the server had.
func (p *Problem) HubError() *hub.Error {
	kind := p.Kind
	if Status(kind) == http.StatusInternalServerError {
		kind = KindOf(p.Status)
	}
	e := hub.Errorf(kind, "%s", p.Detail)
	e.Hint = p.Hint
	if e.Message == "" {
		e.Message = p.Error
	}
	for _, i := range p.Errors {
		e.Issues = append(e.Issues, hub.Issue{Path: i.Location, Message: i.Message, Severity: hub.SeverityError, Line: i.Line})
	}
	return e
}

func asHubError(err error) *hub.Error {
	var e *hub.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
