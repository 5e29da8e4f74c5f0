package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/distribution/distribution/v3"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/layout"
)

// code is an error code of the OCI distribution specification, section "Error Codes".
type code string

const (
	blobUnknown         code = "BLOB_UNKNOWN"
	blobUploadInvalid   code = "BLOB_UPLOAD_INVALID"
	blobUploadUnknown   code = "BLOB_UPLOAD_UNKNOWN"
	digestInvalid       code = "DIGEST_INVALID"
	manifestBlobUnknown code = "MANIFEST_BLOB_UNKNOWN"
	manifestInvalid     code = "MANIFEST_INVALID"
	manifestUnknown     code = "MANIFEST_UNKNOWN"
	nameInvalid         code = "NAME_INVALID"
	nameUnknown         code = "NAME_UNKNOWN"
	notFound            code = "NOT_FOUND"     // what this registry does not have at all; NAME_UNKNOWN would say that the repository is missing
	rangeInvalid        code = "RANGE_INVALID" // of the distribution project; the specification has the status alone
	sizeInvalid         code = "SIZE_INVALID"
	tagInvalid          code = "TAG_INVALID" // as above
	unauthorized        code = "UNAUTHORIZED"
	denied              code = "DENIED"
	unsupported         code = "UNSUPPORTED"
	tooManyRequests     code = "TOOMANYREQUESTS"
	unavailable         code = "UNAVAILABLE"
	unknown             code = "UNKNOWN"
)

var statusOf = map[code]int{
	blobUnknown: http.StatusNotFound, blobUploadInvalid: http.StatusBadRequest, blobUploadUnknown: http.StatusNotFound,
	digestInvalid: http.StatusBadRequest, manifestBlobUnknown: http.StatusBadRequest, manifestInvalid: http.StatusBadRequest,
	manifestUnknown: http.StatusNotFound, nameInvalid: http.StatusBadRequest, nameUnknown: http.StatusNotFound, notFound: http.StatusNotFound,
	rangeInvalid: http.StatusRequestedRangeNotSatisfiable, sizeInvalid: http.StatusRequestEntityTooLarge, tagInvalid: http.StatusBadRequest,
	unauthorized: http.StatusUnauthorized, denied: http.StatusForbidden, unsupported: http.StatusMethodNotAllowed,
	tooManyRequests: http.StatusTooManyRequests, unavailable: http.StatusServiceUnavailable, unknown: http.StatusInternalServerError,
}

// problem is an error as clients of registries are told of it. They show the message, and often nothing else.
type problem struct {
	code      code
	message   string
	challenge string // WWW-Authenticate
	retry     int    // seconds, 0 for not saying
	cause     error
}

// Error returns the message.
func (p *problem) Error() string { return p.message }

// Unwrap returns the cause.
func (p *problem) Unwrap() error { return p.cause }

func problemf(c code, format string, args ...any) *problem {
	return &problem{code: c, message: fmt.Sprintf(format, args...)}
}

// problemOf makes one of any error. What has no kind is internal: its text is logged, and not sent.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var h *hub.Error
	if errors.As(err, &h) {
		c, ok := map[hub.Kind]code{hub.Unauthenticated: unauthorized, hub.Forbidden: denied, hub.RateLimited: tooManyRequests, hub.NotFound: nameUnknown,
			hub.Invalid: nameInvalid, hub.Malformed: nameInvalid, hub.TooLarge: sizeInvalid, hub.Unavailable: unavailable}[h.Kind]
		if !ok {
			c = unknown
		}
		message := h.Message
		if h.Hint != "" {
			message += "; " + h.Hint
		}
		return &problem{code: c, message: message, cause: err}
	}
	return storageProblem(err)
}

// storageProblem tells what the storage meant.
func storageProblem(err error) *problem {
	var digest distribution.ErrBlobInvalidDigest
	var revision distribution.ErrManifestUnknownRevision
	var tag distribution.ErrTagUnknown
	var repository distribution.ErrRepositoryUnknown
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, distribution.ErrBlobUnknown):
		return &problem{code: blobUnknown, message: "this repository has no such blob", cause: err}
	case errors.Is(err, distribution.ErrBlobUploadUnknown):
		return &problem{code: blobUploadUnknown, message: "there is no such upload, or it was left for too long; start it again", cause: err}
	case errors.Is(err, distribution.ErrBlobInvalidLength):
		return &problem{code: blobUploadInvalid, message: "the bytes that arrived are more or fewer than were written; send them again", cause: err}
	case errors.As(err, &digest):
		return &problem{code: digestInvalid, message: "the bytes that arrived are not those of the digest; send them again", cause: err}
	case errors.As(err, &revision), errors.As(err, &tag):
		return &problem{code: manifestUnknown, message: "this repository has no such manifest", cause: err}
	case errors.As(err, &repository):
		return &problem{code: nameUnknown, message: "there is no such repository", cause: err}
	case errors.As(err, &tooLarge):
		return &problem{code: sizeInvalid, message: fmt.Sprintf("more than %d bytes", tooLarge.Limit), cause: err}
	case errors.Is(err, syscall.ENOSPC):
		return &problem{code: unavailable, message: "the disk of this hub is full; nothing was kept", cause: err}
	case layout.Missing(err):
		return &problem{code: nameUnknown, message: "there is no such repository", cause: err}
	}
	return &problem{code: unknown, message: "something went wrong here; the log of the hub has it under the X-Request-Id of this answer", cause: err}
}

// fail answers with an error.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.code == unknown || p.code == unavailable {
		if errors.Is(err, context.Canceled) || errors.Is(r.Context().Err(), context.Canceled) {
			return // nobody is there to read it
		}
		s.Log.ErrorContext(r.Context(), "image request failed", "request_id", w.Header().Get("X-Request-Id"), "path", r.URL.Path, "error", err)
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Etag", "Cache-Control", "Docker-Content-Digest", "Location", "Range"} {
		h.Del(name) // of the answer that did not come to be
	}
	if p.challenge != "" {
		h.Set("WWW-Authenticate", p.challenge)
	}
	if p.retry > 0 {
		h.Set("Retry-After", fmt.Sprint(p.retry))
	}
	h.Set("Content-Type", "application/json")
	type item struct {
		Code    code   `json:"code"`
		Message string `json:"message"`
		Detail  any    `json:"detail"`
	}
	body, err := json.Marshal(map[string][]item{"errors": {{Code: p.code, Message: p.message}}})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(statusOf[p.code])
	_, _ = w.Write(body) // a client that is gone reads nothing
}
