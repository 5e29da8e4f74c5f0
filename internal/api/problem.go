package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/mcphub/mcphub/internal/wire"
)

// statusError is a Problem as Huma wants its errors.
type statusError struct{ *wire.Problem }

// Error returns the detail.
func (e *statusError) Error() string { return e.Detail }

// GetStatus returns the HTTP status.
func (e *statusError) GetStatus() int { return e.Status }

// ContentType makes Huma send errors as problem+json.
func (e *statusError) ContentType(string) string { return "application/problem+json" }

// Schema documents errors as the Problem they are.
func (e *statusError) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(problemType, true, "Problem")
}

// useProblems makes Huma's own findings (validation, unreadable bodies) Problems too. Huma keeps this in
// a package variable; it is set once, to the same function whoever asks.
var useProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return newStatusError("", status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		e := newStatusError(requestIDOf(humagin.Unwrap(ctx)), status, msg, errs)
		if strings.Contains(ctx.Operation().Path, "/auth/") { // what was sent there may be a password
			for i := range e.Errors {
				e.Errors[i].Value = nil
			}
		}
		return e
	}
})

func newStatusError(requestID string, status int, msg string, errs []error) *statusError {
	kind := wire.KindOf(status)
	p := &wire.Problem{Status: status, Title: http.StatusText(status), Kind: kind, Detail: msg, RequestID: requestID}
	if kind == "" {
		p.Kind = "internal"
	}
	for _, err := range errs {
		var detail huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &detail):
			d := detail.ErrorDetail()
			p.Errors = append(p.Errors, wire.ProblemIssue{Message: d.Message, Location: d.Location, Value: shownValue(d.Value)})
		case status < 500:
			p.Errors = append(p.Errors, wire.ProblemIssue{Message: err.Error()})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail += ": " + p.Errors[0].Message
		if p.Errors[0].Location != "" {
			p.Detail += " (" + p.Errors[0].Location + ")"
		}
	}
	p.Error = p.Detail
	return &statusError{p}
}

// shownValue keeps echoed values short, and secrets out: objects and long strings are left away.
func shownValue(v any) any {
	switch v := v.(type) {
	case string:
		if len(v) > 200 {
			return v[:197] + "..."
		}
		return v
	case float64, bool, int:
		return v
	}
	return nil
}

// fail turns an error of the registry into what Huma sends. Internal ones are logged with the request.
func (s *server) fail(ctx context.Context, requestID string, err error) error {
	if err == nil {
		return nil
	}
	var se huma.StatusError
	if errors.As(err, &se) {
		return err
	}
	p := wire.NewProblem(err, requestID)
	if p.Status >= 500 && !errors.Is(err, context.Canceled) {
		s.Log.ErrorContext(ctx, "request failed", "request_id", requestID, "error", err, "cause", errors.Unwrap(err))
	}
	return &statusError{p}
}

// problem answers a request that never reached Huma.
func (s *server) problem(c *gin.Context, err error) {
	writeProblem(c, wire.NewProblem(err, requestIDOf(c)))
}

func writeProblem(c *gin.Context, p *wire.Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		c.AbortWithStatus(p.Status)
		return
	}
	c.Abort()
	c.Data(p.Status, "application/problem+json", body)
}

// maxDepth is how deep the JSON of a request may nest.
const maxDepth = 64

// jsonFormat reads and writes the JSON of the API: bounded nesting on the way in, plain characters (no
// \u003c for <) on the way out.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if err := checkDepth(data); err != nil {
			return err
		}
		if hasNUL(data) {
			return errors.New("a string in the JSON holds the NUL character")
		}
		return json.Unmarshal(data, v)
	},
}

// hasNUL reports whether a string in the JSON holds the NUL character, which PostgreSQL cannot store.
func hasNUL(data []byte) bool {
	nul := []byte(`\u0000`)
	return bytes.Contains(data, nul) && bytes.Contains(bytes.ReplaceAll(data, []byte(`\\`), nil), nul) // an escaped backslash is none of it
}

// checkDepth fails when the JSON nests deeper than maxDepth. It does not check the JSON otherwise.
func checkDepth(data []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return errors.New("the JSON nests deeper than 64 levels")
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return nil
}

// compactJSON returns data without insignificant white space, or as it is when it is not JSON.
func compactJSON(data []byte) []byte {
	var buf bytes.Buffer
	if json.Compact(&buf, data) != nil {
		return data
	}
	return buf.Bytes()
}

// register adds an operation whose errors are those of the registry.
func register[I, O any](s *server, api huma.API, op huma.Operation, fn func(context.Context, *I) (*O, error)) {
	if op.OperationID == "" {
		op.OperationID = strings.ToLower(op.Method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "").Replace(op.Path)
	}
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, s.fail(ctx, contextRequestID(ctx), err)
		}
		return out, nil
	})
}

var problemType = reflect.TypeFor[wire.Problem]()
