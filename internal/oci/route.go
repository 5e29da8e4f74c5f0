package oci

import (
	"net/http"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/hub"
)

// TokenPath is where tokens are given out.
const TokenPath = "/v2/token"

// request is what a path asks for.
type request struct {
	repository reference.Named
	name       string // of the repository
	namespace  string
	kind       string // manifests, blobs, uploads, tags
	ref        string // tag or digest, or the ID of an upload
}

// ServeHTTP answers everything under /v2.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	var err error
	switch r.URL.Path {
	case "/v2", "/v2/":
		err = s.ping(w, r)
	case TokenPath:
		err = s.giveToken(w, r)
	default:
		var q *request
		if q, err = parsePath(r.URL.Path); err == nil {
			err = s.serve(w, r, q)
		}
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// parsePath reads /v2/NAME/manifests/REF and the like. The parts of a name may be words of the specification
// ("acme/blobs"), so the path is read from its end.
func parsePath(path string) (*request, error) {
	parts := strings.Split(strings.TrimPrefix(path, "/v2/"), "/")
	n := len(parts)
	q := &request{}
	at := func(i int) string {
		if n+i < 0 {
			return ""
		}
		return parts[n+i]
	}
	cut := 2
	switch {
	case at(-3) == "blobs" && at(-2) == "uploads":
		q.kind, q.ref, cut = "uploads", at(-1), 3
	case at(-2) == "blobs" && at(-1) == "uploads":
		q.kind = "uploads"
	case at(-2) == "tags" && at(-1) == "list":
		q.kind = "tags"
	case at(-2) == "manifests", at(-2) == "blobs", at(-2) == "referrers":
		q.kind, q.ref = at(-2), at(-1)
	default:
		return nil, problemf(notFound, "there is nothing at %s", path)
	}
	var err error
	q.name = strings.Join(parts[:n-cut], "/")
	q.repository, q.namespace, err = parseName(q.name)
	return q, err
}

// parseName checks the name of a repository: that of a server without the "@", and perhaps more parts after it.
func parseName(name string) (reference.Named, string, error) {
	invalid := problemf(nameInvalid, "%q is no name of a repository here: write NAMESPACE/NAME in lower case, such as acme/db or io.github.acme/db", short(name))
	scope, rest, ok := strings.Cut(name, "/")
	if !ok || rest == "" || len(name) > 255 {
		return nil, "", invalid
	}
	if parsed, err := hub.ParseScope(scope); err != nil || parsed != scope {
		return nil, "", invalid
	}
	named, err := reference.WithName(name)
	if err != nil {
		return nil, "", invalid
	}
	return named, scope, nil
}

// short cuts what a client sent, for a message.
func short(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}

// serve answers a request about a repository.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, q *request) error {
	type handler func(http.ResponseWriter, *http.Request, *request) error
	handlers := map[string]map[string]handler{
		"manifests": {http.MethodGet: s.getManifest, http.MethodHead: s.getManifest, http.MethodPut: s.putManifest, http.MethodDelete: s.deleteManifest},
		"blobs":     {http.MethodGet: s.getBlob, http.MethodHead: s.getBlob},
		"tags":      {http.MethodGet: s.listTags, http.MethodHead: s.listTags},
		"uploads":   {http.MethodPost: s.startUpload},
		"referrers": {},
	}[q.kind]
	if q.kind == "uploads" && q.ref != "" {
		handlers = map[string]handler{http.MethodGet: s.uploadStatus, http.MethodHead: s.uploadStatus, http.MethodPatch: s.continueUpload,
			http.MethodPut: s.finishUpload, http.MethodDelete: s.cancelUpload}
	}
	h, ok := handlers[r.Method]
	if ok {
		return h(w, r, q)
	}
	switch {
	case q.kind == "referrers": // by the specification clients then use tags of the form sha256-...
		return problemf(notFound, "this registry keeps what refers to an image under tags, not in a list")
	case q.kind == "blobs" && r.Method == http.MethodDelete:
		return problemf(unsupported, "blobs are not deleted one by one: delete the manifest, and its blobs go when nothing needs them any more")
	}
	allowed := make([]string, 0, len(handlers))
	for method := range handlers {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return problemf(unsupported, "%s is not possible on %s", r.Method, r.URL.Path)
}

// parseDigest reads a digest. Only SHA-256 is taken, which every registry and client has.
func parseDigest(text string) (digest.Digest, error) {
	d, err := digest.Parse(text)
	if err != nil || d.Algorithm() != digest.SHA256 {
		return "", problemf(digestInvalid, "%q is no SHA-256 digest: write sha256: and 64 hexadecimal digits in lower case", short(text))
	}
	return d, nil
}
