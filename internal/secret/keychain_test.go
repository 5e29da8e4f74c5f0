package secret

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/zalando/go-keyring"
)

// memory is a keychain of this test; it hangs, or fails, when told to.
type memory struct {
	mu     sync.Mutex // what was left behind may still go on
	values map[string]string
	err    error
	hang   chan struct{}
}

func (m *memory) wait() error {
	if m.hang != nil {
		<-m.hang
	}
	return m.err
}

func (m *memory) Get(service, user string) (string, error) {
	if err := m.wait(); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[service+"|"+user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return v, nil
}

func (m *memory) Set(service, user, password string) error {
	if err := m.wait(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[service+"|"+user] = password
	return nil
}

func (m *memory) Delete(service, user string) error {
	if err := m.wait(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[service+"|"+user]; !ok {
		return keyring.ErrNotFound
	}
	delete(m.values, service+"|"+user)
	return nil
}

func open(m *memory) *Keychain {
	k := NewKeychain("mcpm", nil, nil)
	k.ring, k.answer, k.unlock = m, 50*time.Millisecond, 200*time.Millisecond
	k.look = func(context.Context, func(string) string) (bool, error) { return false, nil }
	return k
}

func TestKeychain(t *testing.T) {
	m := &memory{values: map[string]string{}}
	k := open(m)
	if err := k.Put(t.Context(), map[string]string{"a": "1", "b": "2"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := k.Put(t.Context(), map[string]string{"a": "3"}, []string{"b", "never there"}); err != nil {
		t.Fatal(err)
	}
	got, err := k.Get(t.Context(), []string{"a", "b"})
	if err != nil || len(got) != 1 || got["a"] != "3" || m.values["mcpm|a"] != "3" {
		t.Errorf("%v %v %v", got, err, m.values)
	}
}

// What hangs below does not hang its callers; a person gets longer to unlock it, and is told to.
func TestKeychainThatHangs(t *testing.T) {
	m := &memory{values: map[string]string{}, hang: make(chan struct{})}
	defer close(m.hang)
	k := open(m)
	start := time.Now()
	_, err := k.Get(t.Context(), []string{"a"})
	if hub.KindOf(err) != hub.Unavailable || !strings.Contains(err.Error(), "did not answer in 50ms") {
		t.Error(err)
	}
	if err := k.Put(t.Context(), map[string]string{"a": "1"}, nil); hub.KindOf(err) != hub.Unavailable {
		t.Error(err)
	}
	told := false
	k.Waiting = func() { told = true }
	k.look = func(context.Context, func(string) string) (bool, error) { return true, nil }
	if _, err := k.Get(t.Context(), []string{"a"}); !told || err == nil || !strings.Contains(err.Error(), "did not answer in 200ms") {
		t.Error(told, err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Get(ctx, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A keychain that hangs is waited for once, however many secrets there are.
func TestVaultWaitsOnce(t *testing.T) {
	m := &memory{values: map[string]string{}, hang: make(chan struct{})}
	defer close(m.hang)
	k := open(m)
	looks := 0
	k.look = func(context.Context, func(string) string) (bool, error) { looks++; return false, nil }
	v := &Vault{Keychain: k, File: &File{Dir: t.TempDir()}}
	for _, key := range []string{"a", "b", "c"} {
		if kept, err := v.Put(t.Context(), key, "1"); err != nil || kept.Place != InFile || !strings.Contains(kept.Why.Error(), "did not answer") {
			t.Errorf("%+v %v", kept, err)
		}
	}
	if err := v.Remove(t.Context(), InKeychain, []string{"a"}); hub.KindOf(err) != hub.Unavailable || looks != 1 {
		t.Errorf("%v, asked %d times", err, looks)
	}
}

// A message bus that takes the connection and says nothing.
func TestLookAtABusThatHangs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux reaches its keychain over a message bus")
	}
	socket := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	k := NewKeychain("mcpm", func(name string) string {
		if name == "DBUS_SESSION_BUS_ADDRESS" {
			return "unix:path=" + socket
		}
		return ""
	}, nil)
	k.answer = 100 * time.Millisecond
	start := time.Now()
	if _, err := k.Get(t.Context(), []string{"a"}); hub.KindOf(err) != hub.Unavailable {
		t.Error(err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	k.Getenv = func(string) string { return "" }
	if _, err := k.Get(t.Context(), []string{"a"}); err == nil || !strings.Contains(err.Error(), "no desktop session") {
		t.Error(err)
	}
}

// The vault takes the keychain, else the file with the reason; what it was told to take, and nothing else.
func TestVault(t *testing.T) {
	broken := errors.New("dbus is tired")
	for name, c := range map[string]struct {
		mode  string
		err   error
		none  bool
		place Place
		why   string
		fails string
	}{
		"keychain":             {place: InKeychain},
		"broken":               {err: broken, place: InFile, why: "dbus is tired"},
		"too long":             {err: keyring.ErrSetDataTooBig, place: InFile, why: "too long"},
		"no such platform":     {err: keyring.ErrUnsupportedPlatform, place: InFile, why: "no keychain"},
		"none":                 {none: true, place: InFile, why: "this system has no keychain"},
		"the file was asked":   {mode: "file", place: InFile},
		"only the keychain":    {mode: "keychain", place: InKeychain},
		"only, and it is gone": {mode: "keychain", err: broken, fails: "dbus is tired"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &memory{values: map[string]string{}, err: c.err}
			v := &Vault{Keychain: open(m), File: &File{Dir: t.TempDir()}, Mode: c.mode}
			if c.none {
				v.Keychain = nil
			}
			kept, err := v.Put(t.Context(), "a", "1")
			if c.fails != "" {
				if hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), c.fails) {
					t.Fatal(err)
				}
				return
			}
			if err != nil || kept.Place != c.place || (kept.Why == nil) != (c.why == "") || c.why != "" && !strings.Contains(kept.Why.Error(), c.why) {
				t.Fatalf("%+v %v", kept, err)
			}
			got, err := v.Get(t.Context(), kept.Place, []string{"a"})
			if err != nil || got["a"] != "1" {
				t.Errorf("%v %v", got, err)
			}
			if err := v.Remove(t.Context(), kept.Place, []string{"a"}); err != nil {
				t.Error(err)
			}
			if got, err := v.Get(t.Context(), kept.Place, []string{"a"}); err != nil || len(got) != 0 {
				t.Errorf("%v %v", got, err)
			}
		})
	}
	v := &Vault{File: &File{Dir: t.TempDir()}}
	if _, err := v.Get(t.Context(), "elsewhere", []string{"a"}); hub.KindOf(err) != hub.Invalid {
		t.Error(err)
	}
	if _, err := v.Put(t.Context(), "a", strings.Repeat("x", MaxValue+1)); hub.KindOf(err) != hub.TooLarge {
		t.Error(err)
	}
	if _, err := ParseMode("keyring"); hub.KindOf(err) != hub.Invalid {
		t.Error(err)
	}
}
