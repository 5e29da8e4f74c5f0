package set

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
)

// asked is a server with a question of each kind, some of them answered before.
func asked(t *testing.T, in io.Reader) (*configOptions, *server) {
	t.Helper()
	dir := t.TempDir()
	name, err := hub.ParseName("@acme/asker")
	if err != nil {
		t.Fatal(err)
	}
	o := &configOptions{App: app.NewApp(&app.Env{
		IO: &term.IO{In: in, Out: io.Discard, Err: io.Discard, Verbosity: -1}, Dir: dir, UserHome: dir,
		Getenv: func(k string) string { return map[string]string{"CITY": "Linz"}[k] },
	})}
	return o, &server{name: name, project: install.Project{Dir: dir}, inputs: []app.Input{
		{Name: "TOKEN", Input: manifest.Input{Required: true, Secret: true}},
		{Name: "CITY", Input: manifest.Input{Default: "Graz"}, FromEnv: true},
		{Name: "PORT", Input: manifest.Input{Type: "number"}},
		{Name: "UNITS", Input: manifest.Input{Choices: []string{"metric", "imperial"}, Default: "imperial"}},
	}, stored: map[string]install.Value{"TOKEN": {Kept: "keychain"}, "PORT": {Text: "80", Plain: true}}}
}

// keys types into the form as a person does: not before what was typed has been taken.
func keys(t *testing.T, presses ...string) io.Reader {
	r, w := io.Pipe()
	go func() {
		for _, k := range presses {
			time.Sleep(150 * time.Millisecond)
			if _, err := io.WriteString(w, k); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { r.Close(); w.Close() })
	return r
}

func TestForm(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	// the token is kept, the city stays, a word is no port and is put right, the first choice below the default is taken
	o, s := asked(t, keys(t, "\r", "\r", "x", "\r", "\x7f", "81", "\r", "j", "\r"))
	answers := o.questions(s)
	if err := o.form(ctx, s, answers); err != nil {
		t.Fatal(err)
	}
	set, unset, err := o.changes(s, answers)
	if diff := cmp.Diff(map[string]string{"PORT": "8081", "UNITS": "metric"}, set); diff != "" || len(unset) != 0 || err != nil {
		t.Errorf("%s%v %v", diff, unset, err)
	}
	o, s = asked(t, keys(t, "a", "\x03"))
	if err := o.form(ctx, s, o.questions(s)); !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// What is emptied is removed, unless it is of all projects; what is left as it is, is not stored again.
func TestChanges(t *testing.T) {
	o, s := asked(t, nil)
	s.inputs = append(s.inputs, app.Input{Name: "ROOT", Input: manifest.Input{Type: "filepath"}}, app.Input{Name: "SHARED"})
	s.stored["SHARED"] = install.Value{Text: "all", Plain: true, Global: true}
	for _, c := range []struct {
		typed map[string]string
		set   map[string]string
		unset []string
	}{
		{nil, map[string]string{}, nil},
		{map[string]string{"PORT": " "}, map[string]string{}, []string{"PORT"}},
		{map[string]string{"SHARED": ""}, map[string]string{}, nil},
		{map[string]string{"SHARED": "mine", "TOKEN": " x "}, map[string]string{"SHARED": "mine", "TOKEN": " x "}, nil},
		{map[string]string{"ROOT": "~"}, map[string]string{"ROOT": o.Dir}, nil},
		{map[string]string{"ROOT": "."}, map[string]string{"ROOT": o.Dir}, nil},
	} {
		answers := o.questions(s)
		for _, a := range answers {
			if v, there := c.typed[a.in.Name]; there {
				a.now = v
			}
		}
		set, unset, err := o.changes(s, answers)
		if diff := cmp.Diff(c.set, set); diff != "" || !slices.Equal(unset, c.unset) || err != nil {
			t.Errorf("%v: %s%v %v", c.typed, diff, unset, err)
		}
	}
}

func TestHeading(t *testing.T) {
	o, s := asked(t, nil)
	want := []string{"TOKEN (secret, empty keeps the one there is)", "CITY (your environment has one, which wins)", "PORT (number)", "UNITS"}
	for i, in := range s.inputs {
		if got := o.heading(s, in); got != want[i] {
			t.Errorf("%q, want %q", got, want[i])
		}
	}
	if got := o.heading(s, app.Input{Name: "A\x1b[2J", Input: manifest.Input{Required: true, Type: "filepath"}}); got != "A (required, file or directory)" {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, ".mcpm")); err == nil {
		t.Error("asking made files")
	}
}
