package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

// publishLease is how long a publish may take before another worker takes it over.
const publishLease = 2 * time.Minute

// settleWait is how long a repeated publish waits for the first one to be checked.
const settleWait = 20 * time.Second

// Publish is a request to publish a version.
type Publish struct {
	Format       hub.Format
	Manifest     []byte    // mcp.json or server.json, as Format says
	Bundle       io.Reader // archive, or nil
	BundleDigest string    // "sha256:<hex>" the publisher expects, or ""
	Name         string    // the name the request was addressed to, or ""
	Retry        bool      // the client says that this may be a repetition: the same content again is no error
}

// Publish takes a version without a bundle through its stages and stores it published; one with a bundle
// is stored as submitted, its stages run as a job, and the version returned is still on its way. The
// version is stored whole or not at all. Errors: Invalid with the findings, Forbidden, Exists when the
// number was ever used, Integrity when the bundle is not what BundleDigest says, TooLarge.
func (s *Service) Publish(ctx context.Context, actor hub.Actor, p Publish) (*hub.Version, error) {
	read, err := readManifest(p)
	if err != nil {
		return nil, err
	}
	if err := mayPublish(actor, read.name); err != nil {
		return nil, err
	}
	found := s.lookUp(ctx, read.name) // the database answers while the draft is made
	draft := s.draft(actor, p, read)
	srv, err := s.target(draft.server, <-found)
	if err != nil {
		return nil, err
	}
	draft.server, draft.version.ServerID = srv, srv.ID
	if err := s.numberFree(ctx, draft, p); err != nil {
		return nil, err
	}
	if err := s.imagesAreHere(ctx, actor, draft.version); err != nil {
		return nil, err
	}
	if p.Bundle != nil {
		if draft.version.Bundle, err = s.storeBundle(ctx, p); err != nil {
			return nil, err
		}
		draft.version.Facts = manifest.Facts(draft.manifest, true)
	} else if draft.manifest.NeedsBundle() {
		return nil, hub.Errorf(hub.Invalid, "%s is started from files of its own, and no bundle was sent", draft.version.Name).
			WithHint("publish with mcpm publish, which packs and sends them")
	}
	return s.submit(ctx, actor, draft, p)
}

// draft is a version before it is stored.
type draft struct {
	manifest *manifest.Manifest
	server   *hub.Server
	version  *hub.Version
}

// reading is what the bytes of a manifest say.
type reading struct {
	manifest *manifest.Manifest
	official []byte // the compact server.json
	full     string // the whole description when server.json cannot hold it
	name     hub.Name
}

// draft makes a version of a manifest that was read.
func (s *Service) draft(actor hub.Actor, p Publish, r *reading) *draft {
	m := r.manifest
	canonical := m.Canonical()
	now := s.now()
	v := &hub.Version{
		ID: newID(), Name: r.name, Version: m.Version, State: hub.Submitted, Format: p.Format,
		Manifest: canonical, ManifestDigest: trust.SHA256(canonical), ServerJSON: r.official, FullText: r.full,
		Capabilities: manifest.CapabilitiesOf(m), Facts: manifest.Facts(m, false),
		PublishedBy: actor.AccountID, CreatedAt: now, UpdatedAt: now, StatusChangedAt: now,
	}
	srv := manifest.ServerFacts(m)
	srv.Name = r.name
	return &draft{manifest: m, server: &srv, version: v}
}

// readManifest parses and checks either format.
func readManifest(p Publish) (*reading, error) {
	r := new(reading)
	var issues []hub.Issue
	var sj *apiv0.ServerJSON
	var err error
	switch p.Format {
	case hub.FormatServer:
		if sj, issues, err = manifest.ParseServerJSON(p.Manifest); err != nil {
			return nil, err
		}
		issues = append(issues, manifest.ValidateServerJSON(sj)...)
		if err = firstErrors("server.json", issues); err != nil {
			return nil, err
		}
		r.manifest = manifest.FromServerJSON(sj)
	default:
		if r.manifest, issues, err = manifest.Parse(p.Manifest); err != nil {
			return nil, err
		}
		issues = append(issues, r.manifest.Validate(manifest.ForPublish)...)
		if err = firstErrors("mcp.json", issues); err != nil {
			return nil, err
		}
		sj, r.full = r.manifest.ServerJSON()
	}
	if r.official, err = json.Marshal(sj); err != nil {
		return nil, err
	}
	r.name, err = hub.ParseName(r.manifest.Name)
	if p.Format == hub.FormatServer && err != nil {
		r.name, err = hub.ParseMirrorName(r.manifest.Name) // the official rule allows capitals; so does its API here
	}
	if err == nil && p.Name != "" && hub.Name(p.Name).Claim() != r.name.Claim() {
		err = hub.Errorf(hub.Invalid, "the manifest is for %s, and the request for %s", r.name, hub.Name(p.Name)).
			WithHint("use the same name in both")
	}
	return r, err
}

// firstErrors makes one error of the findings that are errors.
func firstErrors(file string, issues []hub.Issue) error {
	var errs []hub.Issue
	for _, i := range issues {
		if i.Severity == hub.SeverityError {
			errs = append(errs, i)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	e := hub.Errorf(hub.Invalid, "%s is not valid: %s", file, where(errs[0])).WithIssues(errs)
	if len(errs) > 1 {
		e.Message += " (and " + plural(len(errs)-1, "more finding") + ")"
	}
	return e.WithHint("call POST /v0.1/validate or run mcpm publish --dry-run to see all findings")
}

// found is what the store has under a name.
type found struct {
	server *hub.Server
	err    error
}

// lookUp asks the store for a name and goes on meanwhile.
func (s *Service) lookUp(ctx context.Context, name hub.Name) <-chan found {
	answer := make(chan found, 1)
	go func() {
		srv, err := s.store.Server(ctx, string(name))
		answer <- found{srv, err}
	}()
	return answer
}

// target decides which server is published to: the one that was found, or a new one. What is mirrored here
// cannot be published over: its name belongs to its upstream until an administrator hands it over.
func (s *Service) target(fresh *hub.Server, f found) (*hub.Server, error) {
	old, err := f.server, f.err
	if hub.KindOf(err) == hub.NotFound {
		fresh.ID, fresh.CreatedAt, fresh.UpdatedAt = newID(), s.now(), time.Time{}
		return fresh, nil
	}
	if err != nil {
		return nil, err
	}
	if old.Name != fresh.Name {
		return nil, hub.Errorf(hub.Exists, "%s is too close to %s, which exists: names that differ only in case, '-', '_' or '.' are the same claim", fresh.Name, old.Name).
			WithHint("use the name %s, or another one", old.Name)
	}
	if old.Mirrored() {
		return nil, hub.Errorf(hub.Exists, "%s is mirrored from %s, so nothing can be published under it here", old.Name, old.Origin).
			WithHint("publish it there, or under a namespace of your own")
	}
	fresh.ID, fresh.CreatedAt, fresh.UpdatedAt, fresh.Installs, fresh.DistTags = old.ID, old.CreatedAt, old.UpdatedAt, old.Installs, old.DistTags
	return fresh, nil
}

// numberFree refuses a version number that was used before an archive is read and stored for nothing.
// What may be a repetition goes on: it is compared when it is whole.
func (s *Service) numberFree(ctx context.Context, d *draft, p Publish) error {
	if p.Bundle == nil || p.Retry || d.server.UpdatedAt.IsZero() {
		return nil
	}
	old, err := s.store.Version(ctx, d.server.ID, d.version.Version, true)
	if hub.KindOf(err) == hub.NotFound || (err == nil && (old.State.Pending() || old.State == hub.Rejected)) {
		return nil
	}
	if err != nil {
		return err
	}
	return hub.Errorf(hub.Exists, "%s is there already, in state %s", label(old.Name, old.Version), old.State).
		WithHint("a version number is never used again; choose a higher one")
}

// storeBundle streams the archive into the blob store and checks it against what was promised.
func (s *Service) storeBundle(ctx context.Context, p Publish) (*hub.Bundle, error) {
	h := trust.NewHasher()
	digest, size, err := s.blobs.Write(ctx, io.TeeReader(p.Bundle, h), s.maxBytes)
	if err != nil {
		return nil, err
	}
	if p.BundleDigest != "" && p.BundleDigest != digest {
		return nil, hub.Errorf(hub.Integrity, "the bundle arrived as %s, and %s was promised", digest, p.BundleDigest).
			WithHint("send it again; if this comes back, something between changes the bytes")
	}
	return &hub.Bundle{Digest: digest, Integrity: h.SRI512(), Size: size}, nil
}

// submit stores the draft. Without a bundle the stages have nothing to wait for: they run first, and the
// version is stored published, in one transaction. With one it is stored as submitted with a job.
func (s *Service) submit(ctx context.Context, actor hub.Actor, d *draft, p Publish) (*hub.Version, error) {
	v := d.version
	now := s.now()
	sub := hub.Submission{Server: d.server, Version: v, Event: s.event(actor, hub.ActionVersionSubmitted, v.ID, label(v.Name, v.Version)),
		Job: hub.Job{ID: newID(), Kind: hub.JobPublish, Subject: v.ID, RunAt: now, CreatedAt: now}}
	if v.Bundle == nil {
		steps, verdict, err := s.runStages(ctx, &Work{Version: v, Manifest: d.manifest})
		if err != nil {
			return nil, err
		}
		if verdict != nil {
			return nil, verdict // nothing is stored of what can be refused at once
		}
		sub.Steps = append(steps, hub.Step{To: hub.Published, Reason: "passed all stages"})
		d.server.Score = hub.Score(d.server, v.Facts, false)
	}
	err := s.store.Submit(ctx, sub)
	if hub.KindOf(err) == hub.Exists {
		moved, terr := s.retarget(ctx, d)
		if terr != nil {
			return nil, terr
		}
		if moved {
			sub.Server = d.server
			err = s.store.Submit(ctx, sub)
		}
	}
	if hub.KindOf(err) == hub.Exists {
		return s.again(ctx, actor, d, p, err)
	}
	if err != nil {
		return nil, err
	}
	s.Changed()
	if len(sub.Steps) == 0 {
		s.wakeWorker()
	}
	return v, nil
}

// retarget points the draft at the server that another publish created in the meantime, and reports
// whether there is one.
func (s *Service) retarget(ctx context.Context, d *draft) (moved bool, err error) {
	srv, err := s.target(d.server, <-s.lookUp(ctx, d.server.Name))
	if err != nil || srv.ID == d.version.ServerID {
		return false, err
	}
	d.server, d.version.ServerID = srv, srv.ID
	return true, nil
}

// again decides about a version number that is there already: the same bytes by the same publisher are
// the same publish when it never finished or when the client says it repeats itself.
func (s *Service) again(ctx context.Context, actor hub.Actor, d *draft, p Publish, exists error) (*hub.Version, error) {
	old, err := s.store.Version(ctx, d.server.ID, d.version.Version, true)
	if err != nil {
		return nil, exists
	}
	same := old.ManifestDigest == d.version.ManifestDigest && old.PublishedBy == actor.AccountID &&
		bytes.Equal(old.ServerJSON, d.version.ServerJSON) && sameBundle(old.Bundle, d.version.Bundle)
	if !same || !(p.Retry || old.State.Pending()) {
		return nil, exists
	}
	if !old.State.Pending() {
		return old, nil
	}
	s.wakeWorker() // the lease of a dead process ends by itself
	return s.settled(ctx, old.ID, settleWait)
}

func sameBundle(a, b *hub.Bundle) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Digest == b.Digest
}

// settled waits until a version is no longer pending, at most so long, and returns it as it is then.
func (s *Service) settled(ctx context.Context, id string, wait time.Duration) (*hub.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := s.store.VersionByID(context.WithoutCancel(ctx), id)
		if err != nil || !v.State.Pending() {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, nil
		case <-tick.C:
		}
	}
}
