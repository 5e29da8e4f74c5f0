package registry

import (
	"context"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// How long answers under an Idempotency-Key are kept, and when a request that began and never finished
// counts as dead.
const (
	replayKept  = 24 * time.Hour
	replayStale = time.Minute
)

// Once does something under the client's Idempotency-Key: the same key and request again gets the stored
// answer. What was begun and not finished is done again, with again set. Invalid when the key was used for
// another request. A refusal is not kept, so that a mended request may use the key again.
func (s *Service) Once(ctx context.Context, actor hub.Actor, key, digest string, do func(again bool) (status int, body []byte, err error)) (int, []byte, error) {
	now := s.now()
	r := hub.Replay{Key: actor.AccountID + " " + key, Digest: digest, CreatedAt: now}
	old, err := s.store.BeginReplay(ctx, r, now.Add(-replayStale))
	if err != nil {
		return 0, nil, err
	}
	if old != nil && old.Digest != digest {
		return 0, nil, hub.Errorf(hub.Invalid, "the Idempotency-Key %q was used for another request", key).WithHint("use a new key for each publish")
	}
	if old != nil && old.Done {
		return old.Status, old.Body, nil
	}
	r.Status, r.Body, err = do(old != nil)
	end := context.WithoutCancel(ctx)
	if k := hub.KindOf(err); err != nil && (k == "" || k == hub.Unavailable) {
		return 0, nil, err // it may have happened: the next try under this key has to know
	}
	if err != nil {
		if drop := s.store.DropReplay(end, r.Key, now.Add(-replayKept)); drop != nil {
			s.log.Error("could not forget a failed request", "error", drop)
		}
		return 0, nil, err
	}
	r.Done = true
	return r.Status, r.Body, s.store.FinishReplay(end, r)
}
