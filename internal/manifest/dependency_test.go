package manifest_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/manifest"
)

func TestSetDependency(t *testing.T) {
	tests := []struct {
		name, src, dep, rng string
		dev                 bool
		want                string
	}{
		{"nothing yet", "", "@a/bb", "^1.0.0", false, "{\n  \"dependencies\": {\n    \"@a/bb\": \"^1.0.0\"\n  }\n}\n"},
		{"no dependencies yet", "{\n\t\"name\": \"@x/yy\" // ours\n}\n", "@a/bb", "*", true,
			"{\n\t\"name\": \"@x/yy\", // ours\n\t\"devDependencies\": {\n\t\t\"@a/bb\": \"*\"\n\t}\n}\n"},
		{"a new range keeps the comments", "{\n  // top\n  \"dependencies\": {\n    \"@a/bb\": /* was 1 */ \"^2.0.0\", // why\n  },\n}\n", "a/bb", "^3.0.0", false,
			"{\n  // top\n  \"dependencies\": {\n    \"@a/bb\": /* was 1 */ \"^3.0.0\", // why\n  },\n}\n"},
		{"sorted in the middle", "{\n  \"dependencies\": {\n    \"@a/aa\": \"1\", // first\n    // about c\n    \"@a/cc\": \"1\"\n  }\n}\n", "@a/bb", "2", false,
			"{\n  \"dependencies\": {\n    \"@a/aa\": \"1\", // first\n    \"@a/bb\": \"2\",\n    // about c\n    \"@a/cc\": \"1\"\n  }\n}\n"},
		{"at the end, before a last comment", "{\n  \"dependencies\": {\n    \"@a/aa\": \"1\" // first\n    // the end\n  }\n}\n", "@a/bb", "2", false,
			"{\n  \"dependencies\": {\n    \"@a/aa\": \"1\", // first\n    \"@a/bb\": \"2\"\n    // the end\n  }\n}\n"},
		{"the order of the author stays", "{\n  \"dependencies\": {\n    \"@z/zz\": \"1\",\n    \"@b/bb\": \"1\",\n  },\n}", "@a/aa", "2", false,
			"{\n  \"dependencies\": {\n    \"@z/zz\": \"1\",\n    \"@b/bb\": \"1\",\n    \"@a/aa\": \"2\",\n  },\n}"},
		{"Windows", "{\r\n    \"dependencies\": {}\r\n}\r\n", "@a/bb", "1", false,
			"{\r\n    \"dependencies\": {\r\n        \"@a/bb\": \"1\"\r\n    }\r\n}\r\n"},
		{"on one line", `{"name":"@x/yy","dependencies":{"@a/aa":"1"}}`, "@a/bb", "2", false, `{"name":"@x/yy","dependencies":{"@a/aa":"1", "@a/bb":"2"}}`},
		{"from one group to the other", "{\n  \"dependencies\": {\n    \"@a/bb\": \"1\"\n  }\n}\n", "@a/bb", "1", true,
			"{\n  \"dependencies\": {},\n  \"devDependencies\": {\n    \"@a/bb\": \"1\"\n  }\n}\n"},
		{"byte order mark", "\xef\xbb\xbf{\n}\n", "io.github.x/yy", "latest", false, "\xef\xbb\xbf{\n  \"dependencies\": {\n    \"io.github.x/yy\": \"latest\"\n  }\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := manifest.SetDependency([]byte(tt.src), tt.dep, tt.rng, tt.dev)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
			again, err := manifest.SetDependency(got, tt.dep, tt.rng, tt.dev)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("a second time changes it: %v\n%s", err, again)
			}
		})
	}
}

func TestRemoveDependency(t *testing.T) {
	src := "{\n  \"dependencies\": {\n    \"@a/aa\": \"1\", // first\n    // about b\n    \"@a/bb\": \"1\", // gone with it\n    \"@a/cc\": \"1\" // last\n  },\n  \"devDependencies\": {\"@a/bb\": \"2\"}\n}\n"
	tests := []struct{ dep, want string }{
		{"@a/bb", "{\n  \"dependencies\": {\n    \"@a/aa\": \"1\", // first\n    // about b\n    \"@a/cc\": \"1\" // last\n  },\n  \"devDependencies\": {}\n}\n"},
		{"@a/cc", "{\n  \"dependencies\": {\n    \"@a/aa\": \"1\", // first\n    // about b\n    \"@a/bb\": \"1\" // gone with it\n  },\n  \"devDependencies\": {\"@a/bb\": \"2\"}\n}\n"},
		{"@a/aa", "{\n  \"dependencies\": {\n    // about b\n    \"@a/bb\": \"1\", // gone with it\n    \"@a/cc\": \"1\" // last\n  },\n  \"devDependencies\": {\"@a/bb\": \"2\"}\n}\n"},
		{"@a/zz", src},
	}
	for _, tt := range tests {
		got, err := manifest.RemoveDependency([]byte(src), tt.dep)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, string(got)); d != "" {
			t.Errorf("%s: %s", tt.dep, d)
		}
	}
}

func TestBadEdits(t *testing.T) {
	tests := []struct{ src, dep, rng, message string }{
		{"{", "@a/bb", "1", "mcp.json line 1, column 2: the text ends in the middle of a value"},
		{"[]", "@a/bb", "1", "mcp.json is not an object"},
		{`{"dependencies":[]}`, "@a/bb", "1", "mcp.json: dependencies is not an object"},
		{`{}`, "bb", "1", `server name "bb": it must be one scope and one name with one slash between`},
		{`{}`, "@a/bb", "one!", `version range "one!": it is not in the syntax of npm`},
		{`{"a":1,"a":2}`, "@a/bb", "1", `mcp.json line 1: the key "a" is given twice; the first is on line 1`},
	}
	for _, tt := range tests {
		if _, err := manifest.SetDependency([]byte(tt.src), tt.dep, tt.rng, false); err == nil || err.Error() != tt.message {
			t.Errorf("%s: got %v, want %s", tt.src, err, tt.message)
		}
	}
}

func FuzzSetDependency(f *testing.F) {
	for _, s := range []string{"", "{}", "{\r\n}", "{ // c\n}", "{/* c */\"dependencies\": {\"@a/zz\": \"1\" /*x*/, // y\n}}", "\xef\xbb\xbf{\"dependencies\":{\"@a/aa\":\"1\",\n},}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		set, err := manifest.SetDependency(src, "@fuzz/target", "^1.0.0", false)
		if err != nil {
			return
		}
		m, _, err := manifest.Parse(set)
		if err == nil && m.Dependencies["@fuzz/target"] != "^1.0.0" && m.Dependencies["fuzz/target"] != "^1.0.0" {
			t.Fatalf("not set:\n%q\n%q", src, set)
		}
		if n := strings.Count(string(src), "//"); bytes.Count(set, []byte("//")) < n && !bytes.Contains(src, []byte("fuzz/target")) {
			t.Fatalf("a comment is lost:\n%q\n%q", src, set)
		}
		gone, err := manifest.RemoveDependency(set, "@fuzz/target")
		if err != nil {
			t.Fatalf("cannot be removed: %v\n%q", err, set)
		}
		if m, _, err := manifest.Parse(gone); err == nil && len(m.Dependencies) > 0 && m.Dependencies["@fuzz/target"] != "" {
			t.Fatalf("still there: %q", gone)
		}
	})
}
