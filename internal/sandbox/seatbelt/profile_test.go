package seatbelt

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	ruleOf   = regexp.MustCompile(`(?s)\((allow|deny) ([a-z*\- ]+?)((?:\s+\((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*\))*)\)`)
	filterOf = regexp.MustCompile(`\((subpath|literal) "((?:[^"\\]|\\.)*)"\)`)
)

// may judges as sandbox-exec does: the last rule that fits decides. Operations end in * for all that begin so.
func may(text, operation, path string) bool {
	_, rules, _ := strings.Cut(text, "(import")
	verdict := false
	for _, r := range ruleOf.FindAllStringSubmatch(rules, -1) {
		about := slices.ContainsFunc(strings.Fields(r[2]), func(op string) bool {
			family, all := strings.CutSuffix(op, "*")
			return op == operation || all && strings.HasPrefix(operation, family)
		})
		if !about {
			continue
		}
		for _, f := range filterOf.FindAllStringSubmatch(r[3], -1) {
			at := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(f[2])
			if path == at || f[1] == "subpath" && strings.HasPrefix(path, strings.TrimSuffix(at, "/")+"/") {
				verdict = r[1] == "allow"
			}
		}
	}
	return verdict
}

func TestProfile(t *testing.T) {
	text, err := Profile{
		Programs: []string{"/opt/node/bin/node"},
		Read:     []string{"/opt/node", "/Users/ada", `/Volumes/a "b" \ c`},
		Write:    []string{"/Users/ada/work", "/private/tmp/x"},
		Hidden:   []string{"/Users/ada/.ssh", "/Users/ada/work/shop/.env", "/Users/ada/work/.env"},
		Proxy:    4321,
	}.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		operation, path string
		want            bool
	}{
		{"file-read-data", "/Users/ada/Notes/a.txt", true},
		{"file-write-data", "/Users/ada/Notes/a.txt", false},
		{"file-read-data", "/Users/ada/.ssh/id_ed25519", false},
		{"file-read-metadata", "/Users/ada/.ssh", false},
		{"file-read-data", "/Users/eve/a", false},
		{"file-read-data", "/Users/adam/a", false},
		{"file-read-metadata", "/Users", true},
		{"file-read-data", "/Users", false},
		{"file-write-create", "/Users/ada/work/new", true},
		{"file-write-unlink", "/Users/ada/work/new", true},
		{"file-read-data", "/Users/ada/work/shop/.env", false},
		{"file-write-data", "/Users/ada/work/.env", false},
		{"file-write-unlink", "/Users/ada/work/shop", false}, // renamed, its .env would be seen
		{"file-write-unlink", "/Users/ada/work", false},
		{"file-write-create", "/Users/ada/work/shop/new", true},
		{"file-read-data", `/Volumes/a "b" \ c/d`, true},
		{"file-write-data", "/private/tmp/y", false},
		{"file-read-data", "/private/etc/master.passwd", false},
		{"file-read-data", "/usr/lib/libSystem.B.dylib", true},
		{"file-write-data", "/usr/lib/x", false},
		{"file-map-executable", "/opt/node/lib/x.dylib", true},
		{"file-map-executable", "/Users/ada/work/x.dylib", true}, // it is in a directory that may be read
		{"file-map-executable", "/private/tmp/x/x.dylib", false},
		{"file-map-executable", "/Users/ada/.ssh/x.dylib", false},
		{"file-read-metadata", "/var", true},
		{"file-read-data", "/var", false},
		{"process-exec", "/opt/node/bin/node", true},
		{"process-exec", "/bin/sh", false},
		{"file-link", "/Users/ada/work/x", false},
	} {
		if got := may(text, c.operation, c.path); got != c.want {
			t.Errorf("%s %s is %v, want %v", c.operation, c.path, got, c.want)
		}
	}
	for _, want := range []string{"(version 1)\n(deny default)\n", `(allow network-outbound (remote ip "localhost:4321"))`} {
		if !strings.Contains(text, want) {
			t.Errorf("the profile has no %q:\n%s", want, text)
		}
	}
	for _, not := range []string{"process-fork", "network-bind", "allow default", "allow network*"} {
		if strings.Contains(text, not) {
			t.Errorf("the profile has %q:\n%s", not, text)
		}
	}
}

func TestProfileOfNothing(t *testing.T) {
	text, err := Profile{}.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"network", "process-exec", "process-fork", "file-write*", "trustd"} {
		if strings.Contains(text, not) {
			t.Errorf("without anything granted the profile has %q:\n%s", not, text)
		}
	}
	text, err = Profile{Any: true, Listens: 8080}.Text()
	if err != nil || !strings.Contains(text, "(allow process-fork)") || !strings.Contains(text, `(allow network-bind network-inbound (local ip "localhost:8080"))`) {
		t.Errorf("with programs and a port it is %v:\n%s", err, text)
	}
}

func TestProfileRefuses(t *testing.T) {
	for _, path := range []string{"relative", "/a/../b", "/a\n(allow default)", "/a\x00b", ""} {
		if text, err := (Profile{Read: []string{path}}).Text(); err == nil {
			t.Errorf("the path %q is taken:\n%s", path, text)
		}
	}
}

// FuzzProfile tries to leave the string that a path is in.
func FuzzProfile(f *testing.F) {
	f.Add(`/a")(allow default)(literal "/b`)
	f.Add(`/a\`)
	f.Fuzz(func(t *testing.T, path string) {
		text, err := (Profile{Read: []string{path}}).Text()
		if err != nil {
			return
		}
		plain, err := (Profile{Read: []string{"/x"}}).Text()
		if err != nil {
			t.Fatal(err)
		}
		if strip(text) != strip(plain) {
			t.Errorf("the path %q changes the rules:\n%s", path, text)
		}
	})
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// strip is the words of the rules, without what is in strings, each once.
func strip(text string) string {
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(quoted.ReplaceAllString(text, "S")))
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}
