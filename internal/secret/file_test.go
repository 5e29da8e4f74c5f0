package secret_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/secret"
)

func put(t *testing.T, s secret.Store, set map[string]string, remove ...string) {
	t.Helper()
	if err := s.Put(t.Context(), set, remove); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s secret.Store, keys ...string) map[string]string {
	t.Helper()
	got, err := s.Get(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFileKeepsSecrets(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]string{"key file": "", "given key": id.String(), "passphrase": "correct horse battery"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "home")
			f := &secret.File{Dir: dir, Key: key}
			if got := get(t, f, "a"); len(got) != 0 {
				t.Errorf("an empty store has %v", got)
			}
			put(t, f, map[string]string{"a": "one\ntwo", "b": "äöü\x00", "c": ""})
			put(t, &secret.File{Dir: dir, Key: key}, map[string]string{"a": "three"}, "b", "never there")
			if got, want := get(t, &secret.File{Dir: dir, Key: key}, "a", "b", "c", "d"), map[string]string{"a": "three", "c": ""}; !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			data, err := os.ReadFile(f.Path())
			if err != nil || bytes.Contains(data, []byte("three")) || !bytes.HasPrefix(data, []byte("age-encryption.org/")) {
				t.Errorf("%q %v", data, err)
			}
			_, err = os.Stat(f.KeyPath())
			if made := err == nil; made != (key == "") {
				t.Errorf("a key file was made: %v", made)
			}
			for _, p := range []string{f.Path(), f.KeyPath()} {
				info, err := os.Stat(p)
				if err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
					t.Errorf("%s has mode %o", p, info.Mode().Perm())
				}
			}
		})
	}
}

// A file that cannot be read is named, and stays as it is whatever is asked.
func TestFileThatCannotBeReadIsLeftAlone(t *testing.T) {
	good := func(t *testing.T) *secret.File {
		f := &secret.File{Dir: t.TempDir()}
		put(t, f, map[string]string{"a": "one"})
		return f
	}
	write := func(t *testing.T, path string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, f *secret.File)
		kind  hub.Kind
		says  string
	}{
		"not age":        {func(t *testing.T, f *secret.File) { write(t, f.Path(), []byte(`{"a": "one"}`)) }, hub.Integrity, "secrets.age is damaged"},
		"empty":          {func(t *testing.T, f *secret.File) { write(t, f.Path(), nil) }, hub.Integrity, "secrets.age is damaged"},
		"a changed byte": {func(t *testing.T, f *secret.File) { flip(t, f.Path()) }, hub.Integrity, "secrets.age is damaged"},
		"cut":            {func(t *testing.T, f *secret.File) { cut(t, f.Path()) }, hub.Integrity, "secrets.age is damaged"},
		"key lost":       {func(t *testing.T, f *secret.File) { _ = os.Remove(f.KeyPath()) }, hub.Unavailable, "secrets.key is not"},
		"key damaged":    {func(t *testing.T, f *secret.File) { write(t, f.KeyPath(), []byte("AGE-SECRET-KEY-1XX\n")) }, hub.Integrity, "secrets.key holds no age secret key"},
		"another key":    {func(t *testing.T, f *secret.File) { otherKey(t, f) }, hub.Unavailable, "encrypted with another key than"},
		"key given":      {func(_ *testing.T, f *secret.File) { f.Key = "not the right passphrase" }, hub.Unavailable, "another key than MCPM_SECRETS_KEY"},
		"short phrase":   {func(_ *testing.T, f *secret.File) { f.Key = "short" }, hub.Invalid, "passphrase of 5 characters"},
		"broken key":     {func(_ *testing.T, f *secret.File) { f.Key = "age-secret-key-1verysecret" }, hub.Invalid, "begins like an age secret key"},
		"a directory":    {func(t *testing.T, f *secret.File) { _ = os.Remove(f.Path()); _ = os.Mkdir(f.Path(), 0o700) }, hub.Invalid, "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good(t)
			c.spoil(t, f)
			before, _ := os.ReadFile(f.Path())
			keyBefore, _ := os.ReadFile(f.KeyPath())
			_, errGet := f.Get(t.Context(), []string{"a"})
			errPut := f.Put(t.Context(), map[string]string{"b": "two"}, nil)
			for _, err := range []error{errGet, errPut} {
				if hub.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
					t.Errorf("%v: %v", hub.KindOf(err), err)
				}
				if strings.Contains(fmt.Sprintf("%+v", err), "verysecret") {
					t.Errorf("the key is in %v", err)
				}
			}
			after, _ := os.ReadFile(f.Path())
			keyAfter, _ := os.ReadFile(f.KeyPath())
			if !bytes.Equal(before, after) || !bytes.Equal(keyBefore, keyAfter) {
				t.Error("a file was changed")
			}
		})
	}
}

func flip(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 40); err != nil {
		t.Fatal(err)
	}
}

func otherKey(t *testing.T, f *secret.File) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.KeyPath(), []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A key that others can read is no key; ssh says so too.
func TestFileRefusesAKeyOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing on Windows")
	}
	f := &secret.File{Dir: t.TempDir()}
	put(t, f, map[string]string{"a": "one"})
	if err := os.Chmod(f.KeyPath(), 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := f.Get(t.Context(), []string{"a"})
	if hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), "can be read by other users (mode 0640)") {
		t.Error(err)
	}
}

// Writers at the same time lose nothing of one another, not even the first ones, who make the key.
func TestFileManyWriters(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	want := map[string]string{}
	var keys []string
	for i := range 16 {
		k := fmt.Sprint("k", i)
		want[k], keys = "v"+k, append(keys, k)
		wg.Go(func() {
			if err := (&secret.File{Dir: dir}).Put(context.Background(), map[string]string{k: "v" + k}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := get(t, &secret.File{Dir: dir}, keys...); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestKeyIsPlain(t *testing.T) {
	server, err := hub.ParseName("@acme/db")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, c := range [][2]string{{"", "A"}, {"/p", "A"}, {"", "A /p"}, {"/p q", "A"}, {"/p%20q", "A"}, {"/p\nadd-generic-password", "A"}, {`C:\p`, "A"}, {"/ü", "A"}, {"", "A'\x1b"}} {
		k := secret.Key(c[0], server, c[1])
		if was, dup := seen[k]; dup {
			t.Errorf("%q and %q have the same key %q", was, c, k)
		}
		seen[k] = fmt.Sprint(c)
		if strings.ContainsFunc(k, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			t.Errorf("%q", k)
		}
	}
	if got := secret.Key("/home/ana/shop", server, "TOKEN"); got != "@acme/db TOKEN /home/ana/shop" {
		t.Error(got)
	}
}
