package main

import (
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
