package app

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestEngine: a program is asked once, and one that is not there, fails or says nothing of use has no version.
func TestEngine(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-ins are shell scripts")
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	script := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(a *App, engine, want string) {
		t.Helper()
		env, err := a.Environment(t.Context(), false)
		if got := env.Find(engine); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", engine, got, err, want)
		}
	}
	script("node", "echo v22.11.0")
	script("python3", "echo Python 3.13.1")
	a := NewApp(&Env{})
	ask(a, "node", "22.11.0")
	ask(a, "python", "3.13.1")
	ask(a, "deno", "")
	script("node", "echo v24.0.0")
	ask(a, "node", "22.11.0")
	script("node", "echo v24.0.0; exit 1")
	script("python3", "echo hello")
	a = NewApp(&Env{})
	ask(a, "node", "")
	ask(a, "python", "")
}
