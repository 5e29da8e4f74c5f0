package install_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

const lockText = `{
  "lockfileVersion": 1,
  "note": "of a later version",
  "servers": {
    "@acme/db": {
      "artifacts": [
        {
          "type": "bundle",
          "integrity": "sha512-7iaw3Ur350mqGo7jwQrpkj9hiYB3Lkc/iBml1JQODbJ6wYX4oOHV+E+IvIh/1nsUNzLDBMxfqa2Ob1f1ACio/w==",
          "size": 12
        }
      ],
      "dependencies": {
        "@acme/core": ">=1 <2"
      },
      "manifest": "` + digest + `",
      "registry": "https://hub.example.com",
      "signer": {
        "key": "of a later version"
      },
      "tools": "` + digest + `",
      "version": "1.4.2"
    },
    "io.github.acme/core": {
      "manifest": "` + digest + `",
      "registry": "https://hub.example.com",
      "version": "1.0.0"
    }
  }
}
`

// What is read and written again is the same text, with members this version does not know.
func TestLockfileRoundTrip(t *testing.T) {
	l, err := install.ParseLockfile([]byte(lockText))
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lockText, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	next := l.Derive()
	for _, name := range l.Names() {
		e := *l.Servers[name]
		fresh := install.Locked{Version: e.Version, Registry: e.Registry, Manifest: e.Manifest, Artifacts: e.Artifacts, Tools: e.Tools, Dependencies: e.Dependencies}
		fresh.Keep(&e)
		next.Servers[name] = &fresh
	}
	if got, _ := next.Bytes(); string(got) != lockText {
		t.Errorf("a rewritten entry lost something:\n%s", cmp.Diff(lockText, string(got)))
	}
}

func TestParseLockfileRefuses(t *testing.T) {
	entry := func(s string) string { return `{"lockfileVersion": 1, "servers": {"@acme/db": {` + s + `}}}` }
	for _, tt := range []struct {
		name, text, want string
		kind             hub.Kind
	}{
		{"empty", ``, `not JSON: unexpected end of JSON input`, hub.Invalid},
		{"a merge", "{\n<<<<<<< HEAD\n", `it holds the marks of an unfinished merge (<<<<<<<)`, hub.Conflict},
		{"no version", `{}`, `lockfileVersion is missing or not a number`, hub.Invalid},
		{"version as text", `{"lockfileVersion": "1"}`, `lockfileVersion is missing or not a number`, hub.Invalid},
		{"newer", `{"lockfileVersion": 2}`, `lockfileVersion 2 is newer than this mcpm, which reads 1`, hub.Conflict},
		{"list", `{"lockfileVersion": 1, "servers": []}`, `servers is not an object`, hub.Invalid},
		{"bad name", `{"lockfileVersion": 1, "servers": {"../x": {}}}`, `servers: server name "../x": it must be namespace/name of letters, digits, '.', '_' and '-', at most 200 characters`, hub.Invalid},
		{"twice", `{"lockfileVersion": 1, "servers": {"@acme/db": {"version": "1.0.0", "manifest": "` + digest + `"}, "acme/db": {"version": "1.0.0", "manifest": "` + digest + `"}}}`, `servers: @acme/db is there twice`, hub.Invalid},
		{"no version of it", entry(``), `servers.@acme/db: version "" is not a version`, hub.Invalid},
		{"path in version", entry(`"version": "../../etc"`), `servers.@acme/db: version "../../etc" is not a version`, hub.Invalid},
		{"bad digest", entry(`"version": "1.0.0", "manifest": "sha256:../../x"`), `servers.@acme/db: manifest "sha256:../../x" is not sha256: and 64 hex digits`, hub.Invalid},
		{"weak integrity", entry(`"version": "1.0.0", "manifest": "` + digest + `", "artifacts": [{"type": "bundle", "integrity": "md5-x"}]`), `servers.@acme/db: artifacts[0].integrity "md5-x" is not sha512-...`, hub.Invalid},
		{"a member outside", entry(`"version": "1.0.0", "manifest": "` + digest + `", "members": ["../x"]`), `servers.@acme/db: members[0] "../x" is no directory of a workspace`, hub.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := install.ParseLockfile([]byte(tt.text))
			if err == nil || err.Error() != tt.want || hub.KindOf(err) != tt.kind {
				t.Errorf("got  %v (%s)\nwant %s (%s)", err, hub.KindOf(err), tt.want, tt.kind)
			}
		})
	}
}

func FuzzLockfile(f *testing.F) {
	f.Add([]byte(lockText))
	f.Add([]byte(sharedLock))
	f.Add([]byte(`{"lockfileVersion":1,"servers":{"a/b":{"version":"1","manifest":"` + digest + `","x":[1,{"y":null}]}},"z":1e3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := install.ParseLockfile(data)
		if err != nil {
			if hub.KindOf(err) == "" {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		once, err := l.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := install.ParseLockfile(once)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, once)
		}
		if twice, _ := again.Bytes(); !bytes.Equal(once, twice) {
			t.Errorf("not stable:\n%s\n%s", once, twice)
		}
	})
}
