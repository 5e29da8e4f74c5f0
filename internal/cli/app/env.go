// Package app is what every command of mcpm stands on: Env, the world it sees; App, one invocation with
// its global flags and the things that are made when they are first needed; arguments, exit codes, and the
// words in which errors and servers are shown.
package app

import (
	"io"
	"net/http"
	"os"
	"time"

	"github.com/cli/browser"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/secret"
)

// Version of mcpm, set when it is built.
var Version = "0.1.0-dev"

// Env is the world a command sees.
type Env struct {
	IO       *term.IO
	Getenv   func(string) string
	Environ  func() []string
	Dir      string // working directory
	UserHome string // the user's home directory, "" when there is none
	OS       string // GOOS
	Exe      string // absolute path of this program
	Now      func() time.Time
	HTTP     *http.Client // nil for the client's own
	Files    [3]*os.File  // stdin, stdout and stderr as they are given to a server

	Browse func(url string) error // opens an address of the web
	// Keychain opens the system's keychain under a name; waiting is called when a person has to unlock it. nil for none.
	Keychain func(service string, waiting func()) secret.Store
}

// System returns the Env of this process.
func System() *Env {
	env := &Env{
		IO: term.System(os.Getenv), Getenv: os.Getenv, Environ: os.Environ, OS: goos, Now: time.Now,
		Files: [3]*os.File{os.Stdin, os.Stdout, os.Stderr}, Browse: browse,
	}
	env.Keychain = func(service string, waiting func()) secret.Store {
		return secret.NewKeychain(service, os.Getenv, waiting)
	}
	env.Dir, _ = os.Getwd() // a deleted directory: commands that need one say so
	env.UserHome, _ = os.UserHomeDir()
	if exe, err := os.Executable(); err == nil {
		env.Exe = exe
	}
	return env
}

// browse starts the browser of the system, without a shell. What it prints is not mcpm's answer.
func browse(url string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	return browser.OpenURL(url)
}
