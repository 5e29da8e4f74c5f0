package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/docs"
)

// TestFresh guards: what is made from the programs says what they say now.
func TestFresh(t *testing.T) {
	for name, want := range pages() {
		if got, err := docs.Files.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("docs/%s is older than the programs: make generate (%v)", name, err)
		}
	}
}

// TestManPages: every verb and every topic has a page that a manual reader takes, and nothing of it is lost.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if err := manPages(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"mcpm.1": "The package manager for MCP servers", "mcpm-install.1": "dry-run", "mcpm-cache-verify.1": "repair", "mcpm-export.1": "CycloneDX 1.6",
		"mcpm-ranges.7": ">=1.4 <3", "mcpm-sandbox.7": ".TH \"MCPM\\-SANDBOX\" \"7\"",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v\n%s", name, want, err, text)
		}
		if strings.Contains(string(text), "Auto generated") {
			t.Errorf("%s says when it was made", name)
		}
	}
}
