package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// said runs mcphub and returns what it wrote.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("mcphub %v: exit %d: %s", args, code, errs.String())
	}
	return out.String()
}

// TestConfigTells: every setting is shown as it is in force, with where it comes from.
func TestConfigTells(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mcphub.yaml"), []byte("log-level: debug\naddr: 127.0.0.1:9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MCPHUB_RATE_LIMIT", "7")
	t.Setenv("MCPHUB_ADDR", "127.0.0.1:8")
	t.Setenv("MCPHUB_EMBEDDING_KEY", "topsecret")
	got := said(t, "config", "--data", dir, "--role", "web", "--vectors", "none")
	for _, want := range []string{
		"data: \"" + dir + "\" # --data", "role: \"web\" # --role", "rate-limit: 7 # MCPHUB_RATE_LIMIT", "log-level: \"debug\" # " + filepath.Join(dir, "mcphub.yaml"),
		"addr: \"127.0.0.1:8\" # MCPHUB_ADDR", "base-url: \"http://localhost:8\" # default: made from addr", "database: \"sqlite:" + filepath.Join(dir, "mcphub.db") + "\" # default",
		"search: \"bleve:" + filepath.Join(dir, "index") + "\" # default", "vectors: \"none\" # --vectors", "embedding: \"\" # default: the model in the binary", "embedding-key: \"MASKED\" # MCPHUB_EMBEDDING_KEY",
		"max-bundle: 67108864 # default",
	} {
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// TestHelpShowsWhatApplies: the settings are in the help of what they are for.
func TestHelpShowsWhatApplies(t *testing.T) {
	for command, want := range map[string][3]bool{ // --rate-limit, --database, --allow-private-networks
		"":               {false, false, false},
		"version":        {false, false, false},
		"serve":          {true, true, true},
		"config":         {true, true, true},
		"import":         {false, true, false},
		"sync":           {false, true, true},
		"admin user add": {false, true, false},
	} {
		text := said(t, append(strings.Fields(command), "--help")...)
		for i, flag := range []string{"--rate-limit", "--database", "--allow-private-networks"} {
			if strings.Contains(text, flag+" ") != want[i] {
				t.Errorf("mcphub %s --help: %s is shown: %v", command, flag, !want[i])
			}
		}
	}
	said(t, "version", "--rate-limit", "7") // it is taken all the same
}
