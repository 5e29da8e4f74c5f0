package secret

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/zalando/go-keyring"
)

// How long the keychain may take. A person who is asked to unlock it needs time to type; a service that hangs
// must not hang its callers.
const (
	answerTime = 5 * time.Second
	unlockTime = time.Minute
)

// Keychain is the keychain of the system.
type Keychain struct {
	Service string              // under which the secrets are listed
	Getenv  func(string) string // where the session of the desktop is found
	Waiting func()              // called when the keychain is locked and a person has to unlock it; may be nil

	ring   ring
	look   func(context.Context, func(string) string) (locked bool, err error)
	answer time.Duration
	unlock time.Duration
}

// ring is what is used of go-keyring.
type ring interface {
	Get(service, user string) (string, error)
	Set(service, user, password string) error
	Delete(service, user string) error
}

type systemRing struct{}

func (systemRing) Get(service, user string) (string, error) { return keyring.Get(service, user) }

func (systemRing) Set(service, user, password string) error {
	return keyring.Set(service, user, password)
}

func (systemRing) Delete(service, user string) error { return keyring.Delete(service, user) }

// NewKeychain returns the keychain of the system. Nothing is asked of it yet.
func NewKeychain(service string, getenv func(string) string, waiting func()) *Keychain {
	return &Keychain{Service: service, Getenv: getenv, Waiting: waiting, ring: systemRing{}, look: look, answer: answerTime, unlock: unlockTime}
}

// Get implements Store.
func (k *Keychain) Get(ctx context.Context, keys []string) (map[string]string, error) {
	out := map[string]string{}
	err := k.within(ctx, func() error {
		for _, key := range keys {
			v, err := k.ring.Get(k.Service, key)
			if errors.Is(err, keyring.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			out[key] = v
		}
		return nil
	})
	if err != nil {
		return nil, err // out may still be written to
	}
	return out, nil
}

// Put implements Store.
func (k *Keychain) Put(ctx context.Context, set map[string]string, remove []string) error {
	return k.within(ctx, func() error {
		for _, key := range slices.Sorted(maps.Keys(set)) {
			if err := k.ring.Set(k.Service, key, set[key]); err != nil {
				return err
			}
		}
		for _, key := range remove {
			if err := k.ring.Delete(k.Service, key); err != nil && !errors.Is(err, keyring.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

// within runs fn for as long as the keychain may take. The libraries below know no deadline: what hangs is left
// behind, and ends with the process.
func (k *Keychain) within(ctx context.Context, fn func() error) error {
	locked, err := bounded(ctx, k.answer, func(ctx context.Context) (bool, error) { return k.look(ctx, k.Getenv) })
	if err != nil {
		return unavailable(err)
	}
	limit := k.answer
	if locked {
		limit = k.unlock
		if k.Waiting != nil {
			k.Waiting()
		}
	}
	_, err = bounded(ctx, limit, func(context.Context) (struct{}, error) { return struct{}{}, fn() })
	return unavailable(err)
}

func bounded[T any](ctx context.Context, limit time.Duration, fn func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, hub.Errorf(hub.Unavailable, "the keychain did not answer in %s", limit))
	defer cancel()
	ch := make(chan answer, 1)
	go func() { v, err := fn(ctx); ch <- answer{v, err} }()
	select {
	case a := <-ch:
		if a.err != nil && ctx.Err() != nil {
			a.err = context.Cause(ctx)
		}
		return a.value, a.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

func unavailable(err error) error {
	var e *hub.Error
	switch {
	case err == nil || errors.As(err, &e) || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return hub.Errorf(hub.TooLarge, "the value is too long for the keychain of this system").WithCause(err)
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return errNone()
	}
	return hub.Errorf(hub.Unavailable, "the keychain said: %v", err).WithCause(err)
}
