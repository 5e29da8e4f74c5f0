package bundle_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
)

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, body := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func paths(files []bundle.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

func TestPackLeavesOutWhatIsIgnored(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		".gitignore":        "dist/\n*.log\n!keep.log\n/only-root.txt\nnode_modules\n\\#hash\na/**/z\n# comment\n",
		".mcpmignore":       "!dist/\ntests/\n*.md\n!README.md\n",
		"mcp.json":          "{}",
		"mcpm-lock.json":    "{}",
		"README.md":         "x",
		"NOTES.md":          "x",
		"dist/index.js":     "x",
		"debug.log":         "x",
		"sub/keep.log":      "x",
		"only-root.txt":     "x",
		"sub/only-root.txt": "x",
		"sub/.gitignore":    "secret\n!debug.log\n",
		"sub/secret":        "x",
		"sub/debug.log":     "x",
		"secret":            "x",
		"tests/a.js":        "x",
		"node_modules/x/y":  "x",
		"#hash":             "x",
		"a/z":               "x",
		"a/b/c/z":           "x",
		"a/b/y":             "x",
		".env":              "A=1",
		".env.local":        "A=1",
		"sub/.envrc":        "A=1",
		".git/config":       "x",
	})
	files, err := bundle.Pack(root, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".gitignore", ".mcpmignore", "README.md", "a/b/y", "dist/index.js", "mcp.json", "mcpm-lock.json", "secret",
		"sub/.gitignore", "sub/debug.log", "sub/keep.log", "sub/only-root.txt"}
	if d := cmp.Diff(want, paths(files)); d != "" {
		t.Error(d)
	}
}

func TestSameTreeSameBytes(t *testing.T) {
	tree := map[string]string{"mcp.json": "{}", "b/x": strings.Repeat("hello ", 1000), "a": "1", strings.Repeat("long/", 40) + "é": "2"}
	var first []byte
	for i := range 2 {
		root := t.TempDir()
		write(t, root, tree)
		if err := os.Chmod(filepath.Join(root, "a"), 0o700|os.FileMode(i)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(root, "b", "x"), time.Now(), time.Unix(int64(i)*1e6, 0)); err != nil {
			t.Fatal(err)
		}
		files, err := bundle.Pack(root, bundle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		b, err := bundle.Write(&buf, root, files, bundle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		info, err := bundle.Check(bytes.NewReader(buf.Bytes()), bundle.Limits{})
		if err != nil || info.Bundle != b || string(info.Manifest) != "{}" {
			t.Fatalf("%+v and %+v, %v", info.Bundle, b, err)
		}
		if first == nil {
			first = bytes.Clone(buf.Bytes())
		} else if !bytes.Equal(first, buf.Bytes()) {
			t.Error("the same tree gave other bytes")
		}
	}
}

func TestPackRefuses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need privileges on Windows")
	}
	tests := []struct {
		name, message string
		make          func(root string) error
		limits        bundle.Limits
	}{
		{name: "link out of the tree", message: `the link "x" leads nowhere, or out of the directory`,
			make: func(root string) error { return os.Symlink("/etc/hosts", filepath.Join(root, "x")) }},
		{name: "link to nothing", message: `the link "x" leads nowhere, or out of the directory`,
			make: func(root string) error { return os.Symlink("gone", filepath.Join(root, "x")) }},
		{name: "link to a directory", message: `the link "x" leads to a directory`,
			make: func(root string) error { return os.Symlink(".", filepath.Join(root, "x")) }},
		{name: "name that Windows cannot hold", message: `the path "a:b" has the character ":", which Windows cannot store`,
			make: func(root string) error { return os.WriteFile(filepath.Join(root, "a:b"), nil, 0o644) }},
		{name: "names that differ in case", message: `the paths "A" and "a" are the same file on some machines`,
			make: func(root string) error {
				if err := os.WriteFile(filepath.Join(root, "A"), nil, 0o644); err != nil {
					return err
				}
				return os.WriteFile(filepath.Join(root, "a"), nil, 0o644)
			}},
		{name: "too many files", message: "more than 1 files", limits: bundle.Limits{Files: 1, Unpacked: 1000, Packed: 1000, Ratio: 100},
			make: func(root string) error { return os.WriteFile(filepath.Join(root, "b"), nil, 0o644) }},
		{name: "too many bytes", message: "the files have more than 5 bytes together", limits: bundle.Limits{Files: 10, Unpacked: 5, Packed: 1000, Ratio: 100},
			make: func(root string) error { return os.WriteFile(filepath.Join(root, "b"), []byte("123456"), 0o644) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, map[string]string{"mcp.json": "{}"})
			if err := tt.make(root); err != nil {
				t.Fatal(err)
			}
			_, err := bundle.Pack(root, bundle.Options{Limits: tt.limits})
			if err == nil || err.Error() != tt.message {
				t.Errorf("got %v, want %s", err, tt.message)
			}
		})
	}
	t.Run("no directory", func(t *testing.T) {
		if _, err := bundle.Pack(filepath.Join(t.TempDir(), "gone"), bundle.Options{}); hub.KindOf(err) != hub.NotFound {
			t.Error(err)
		}
	})
	t.Run("a link inside the tree is the file", func(t *testing.T) {
		root := t.TempDir()
		write(t, root, map[string]string{"real": "12345"})
		if err := os.Symlink("real", filepath.Join(root, "link")); err != nil {
			t.Fatal(err)
		}
		files, err := bundle.Pack(root, bundle.Options{})
		if err != nil || len(files) != 2 || files[0].Path != "link" || files[0].Size != 5 {
			t.Error(files, err)
		}
	})
	t.Run("a file that changes", func(t *testing.T) {
		root := t.TempDir()
		write(t, root, map[string]string{"real": "12345"})
		files, err := bundle.Pack(root, bundle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"1234", "123456"} {
			write(t, root, map[string]string{"real": body})
			if _, err := bundle.Write(&bytes.Buffer{}, root, files, bundle.Options{}); err == nil || err.Error() != `"real" changed while it was packed` {
				t.Error(err)
			}
		}
	})
}

func TestFindSecrets(t *testing.T) {
	// Written in pieces, so that no scanner takes this file for a leak.
	r := strings.Repeat
	secrets := map[string]string{
		"private-key":       "-----BEGIN RSA PRIV" + "ATE KEY-----",
		"mcphub-key":        "mc" + "ph_" + r("aB3", 10),
		"aws-access-key":    "AK" + "IA" + r("QW3R", 4),
		"aws-secret-key":    "aws_secret_access_key = " + r("aB3/", 10),
		"github-token":      "gh" + "p_" + r("aB3d", 9),
		"gitlab-token":      "gl" + "pat-" + r("aB3d", 5),
		"slack-token":       "xo" + "xb-" + r("123-", 4),
		"npm-token":         "np" + "m_" + r("aB3d", 9),
		"pypi-token":        "py" + "pi-AgE" + r("aB3d", 15),
		"google-key":        "AI" + "za" + r("aB3dE", 7),
		"stripe-key":        "sk_" + "live_" + r("aB3d", 6),
		"anthropic-key":     "sk-" + "ant-api03-" + r("aB3d", 10),
		"openai-key":        "sk-" + "proj-" + r("aB3d", 12),
		"huggingface-token": "hf" + "_" + r("ab", 17),
	}
	root := t.TempDir()
	var files []bundle.File
	for rule, s := range secrets {
		write(t, root, map[string]string{rule + ".txt": "first line\n" + r("long ", 20000) + "\nkey: \"" + s + "\"\n"})
		files = append(files, bundle.File{Path: rule + ".txt"})
	}
	write(t, root, map[string]string{
		"docs.md": "token " + "gh" + "p_" + r("x", 36) + " and " + "AK" + "IAIOSFODNN7EXAMPLE",
		"bin":     "\x00" + secrets["github-token"], "keys/id_rsa": "x", ".env": "A=1",
	})
	files = append(files, bundle.File{Path: "docs.md"}, bundle.File{Path: "bin"}, bundle.File{Path: "keys/id_rsa"}, bundle.File{Path: ".env"})
	found, err := bundle.FindSecrets(root, files)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bundle.Secret{}
	for _, s := range found {
		got[s.File] = s
		if strings.Contains(s.Redacted, r("aB3d", 4)) {
			t.Errorf("%s shows the secret: %s", s.File, s.Redacted)
		}
	}
	for rule := range secrets {
		if s := got[rule+".txt"]; s.Rule != rule || s.Line != 3 {
			t.Errorf("%s: %+v", rule, s)
		}
	}
	if len(found) != len(secrets)+2 || got["keys/id_rsa"].Rule != "secret-file" || got[".env"].Rule != "secret-file" {
		t.Errorf("%d found: %+v", len(found), found)
	}
}
