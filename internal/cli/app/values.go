package app

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/secret"
)

// Vault returns where the secrets of this machine's servers are kept. Nothing is opened yet.
func (a *App) Vault() (*secret.Vault, *secret.File, error) {
	h, err := a.Store()
	if err != nil {
		return nil, nil, err
	}
	mode, err := secret.ParseMode(a.Getenv("MCPM_SECRETS"))
	if err != nil {
		return nil, nil, err
	}
	f := &secret.File{Dir: h.Dir, Key: a.Getenv("MCPM_SECRETS_KEY")}
	v := &secret.Vault{File: f, Mode: mode}
	if a.Keychain != nil {
		service := "mcpm"
		if h.Dir != filepath.Join(a.Env.UserHome, ".mcpm") {
			service = "mcpm in " + h.Dir // two homes are two sets of secrets
		}
		v.Keychain = a.Keychain(service, func() { a.IO.Notef("mcpm: waiting for the system keychain to be unlocked\n") })
	}
	return v, f, nil
}

func secretKey(p install.Project, name hub.Name, input string) string {
	if p.Global {
		return secret.Key("", name, input)
	}
	return secret.Key(p.Dir, name, input)
}

// Stored is what came of storing values.
type Stored struct {
	Kept map[string]secret.Kept // of each secret
	File *secret.File
	Told bool  // the file was there before, so that what it protects from was told then
	Left error // why a secret that was replaced is still where it was before; nil for none
}

// StoreValues stores values of a server: secrets, which are named, go to the vault, the others into config.json. What
// is in unset is removed from both; when a secret cannot be, nothing is forgotten, so that it can be tried again.
func (a *App) StoreValues(ctx context.Context, p install.Project, name hub.Name, set map[string]string, secrets, unset []string) (Stored, error) {
	out := Stored{Kept: map[string]secret.Kept{}}
	h, err := a.Store()
	if err != nil {
		return out, err
	}
	v, f, err := a.Vault()
	if err != nil {
		return out, err
	}
	out.File, out.Told = f, isRegular(f.Path())
	before, err := h.OwnValues(p, name)
	if err != nil {
		return out, err
	}
	if err := forget(ctx, v, p, name, before, func(k string, _ install.Value) bool { return slices.Contains(unset, k) }); err != nil {
		return out, err
	}
	values := map[string]install.Value{}
	for _, k := range slices.Sorted(maps.Keys(set)) {
		value := install.Value{Text: set[k], Plain: true, InArgs: before[k].InArgs}
		if slices.Contains(secrets, k) {
			kept, err := v.Put(ctx, secretKey(p, name, k), set[k])
			if err != nil {
				return out, err
			}
			out.Kept[k] = kept
			value = install.Value{Kept: string(kept.Place), InArgs: before[k].InArgs}
		}
		values[k] = value
	}
	if err := h.SetValues(p, name, values, unset); err != nil {
		return out, err
	}
	out.Left = forget(ctx, v, p, name, before, func(k string, was install.Value) bool {
		now, changed := values[k]
		return changed && now.Kept != was.Kept
	})
	return out, nil
}

// forget removes the secrets that are gone from where they were.
func forget(ctx context.Context, v *secret.Vault, p install.Project, name hub.Name, before map[string]install.Value, gone func(string, install.Value) bool) error {
	for _, k := range slices.Sorted(maps.Keys(before)) {
		was := before[k]
		if was.Kept == "" || !gone(k, was) {
			continue
		}
		place := secret.Place(was.Kept)
		err := v.Remove(ctx, place, []string{secretKey(p, name, k)})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return inPlace(err, place, "%s of %s cannot be removed from %s", k, name, PlaceName(place))
		}
	}
	return nil
}

// inPlace makes the error about a place that cannot be used. A keychain that does not answer is a matter of leave, not
// of the network.
func inPlace(err error, place secret.Place, format string, args ...any) *hub.Error {
	kind := hub.KindOf(err)
	if kind == hub.Unavailable {
		kind = hub.Forbidden
	}
	e := hub.Errorf(kind, format, args...).WithIssues([]hub.Issue{{Message: err.Error()}}).WithCause(err)
	if he, ok := err.(*hub.Error); ok && he.Hint != "" {
		return e.WithHint("%s", he.Hint)
	}
	if place == secret.InKeychain {
		return e.WithHint("unlock the keychain and try again")
	}
	return e
}

// PlaceName is the place in words.
func PlaceName(place secret.Place) string {
	if place == secret.InFile {
		return "the encrypted file"
	}
	return "the system keychain"
}

// Reveal returns the values of those inputs that are set, fetched from where they are kept. An error names the input,
// and how to do without.
func (a *App) Reveal(ctx context.Context, p install.Project, name hub.Name, stored map[string]install.Value) (map[string]string, error) {
	out := map[string]string{}
	asked := map[secret.Place]map[string]string{} // key to input
	for k, v := range stored {
		switch {
		case v.Kept != "":
			place, of := secret.Place(v.Kept), p
			of.Global = p.Global || v.Global
			if asked[place] == nil {
				asked[place] = map[string]string{}
			}
			asked[place][secretKey(of, name, k)] = k
		case v.Plain:
			out[k] = v.Text
		}
	}
	if len(asked) == 0 {
		return out, nil
	}
	v, _, err := a.Vault()
	if err != nil {
		return nil, err
	}
	for _, place := range slices.Sorted(maps.Keys(asked)) {
		byKey := asked[place]
		inputs := slices.Sorted(maps.Values(byKey))
		got, err := v.Get(ctx, place, slices.Sorted(maps.Keys(byKey)))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, unreadable(name, inputs, place, err)
		}
		for key, k := range byKey {
			value, ok := got[key]
			if !ok {
				return nil, hub.Errorf(hub.NotFound, "%s of %s is not in %s any more", k, name, PlaceName(place)).
					WithHint("store it again: mcpm config %s --set %s", name, k)
			}
			out[k] = value
		}
	}
	return out, nil
}

// unreadable says which values cannot be had.
func unreadable(name hub.Name, inputs []string, place secret.Place, err error) error {
	e := inPlace(err, place, "%s of %s cannot be read from %s", AndList(inputs), name, PlaceName(place))
	again := fmt.Sprintf("mcpm config %s --set %s", name, inputs[0])
	switch {
	case place == secret.InKeychain:
		return e.WithHint("unlock the keychain, or store it again: %s", again)
	case e.Hint == "":
		return e.WithHint("store it again: %s", again)
	}
	return e
}

// MoveSecrets brings secrets that are still plain text in config.json to where secrets are kept, and says so.
func (a *App) MoveSecrets(ctx context.Context, p install.Project, name hub.Name, inputs []Input) error {
	h, err := a.Store()
	if err != nil {
		return err
	}
	for _, at := range []install.Project{p, h.Global()} {
		own, err := h.OwnValues(at, name)
		if err != nil {
			return err
		}
		set := map[string]string{}
		for _, in := range inputs {
			if v := own[in.Name]; in.Secret && v.Plain {
				set[in.Name] = v.Text
			}
		}
		if len(set) == 0 {
			continue
		}
		names := slices.Sorted(maps.Keys(set))
		done, err := a.StoreValues(ctx, at, name, set, names, nil)
		if err != nil {
			return hub.Errorf(hub.KindOf(err), "%s of %s is plain text in %s, and cannot be moved: %v", AndList(names), name, h.ValuesPath(), err).WithCause(err)
		}
		for _, k := range names {
			a.IO.Notef("mcpm: moved %s of %s from %s to %s\n", k, name, h.ValuesPath(), PlaceName(done.Kept[k].Place))
		}
	}
	return nil
}

// inArgs is the error about a secret that would be on the command line of a server.
func inArgs(p install.Project, name hub.Name, input string) error {
	return Refused("%s of %s is a secret, and its publisher wants it on the command line", input, name).
		WithIssues([]hub.Issue{{Message: "Every user and program of this machine can read the arguments of a process; its environment only you."}}).
		WithHint("mcpm config%s %s --in-args %s allows it", flagG(p), name, input)
}

// flagG is " -g" for the project of global servers, as a command to be pasted needs it.
func flagG(p install.Project) string {
	if p.Global {
		return " -g"
	}
	return ""
}

// KeptValues says which values of a server stay stored after it is gone, for when it comes back, and how to be rid of them.
func (a *App) KeptValues(p install.Project, name hub.Name) {
	h, err := a.Store()
	if err != nil {
		return
	}
	own, err := h.OwnValues(p, name)
	if err != nil || len(own) == 0 {
		return // a config.json that cannot be read is told by what needs it
	}
	names := slices.Sorted(maps.Keys(own))
	a.IO.Notef("Its values are kept: mcpm config%s %s --unset %s removes them.\n", flagG(p), name, strings.Join(names, " --unset "))
}

// HowToGive is the command that gives a server the values it lacks. A secret, and more than one value, is asked for, so
// that it is in no history of a shell.
func HowToGive(p install.Project, name hub.Name, m *manifest.Manifest, spec manifest.ServerSpec, missing []string) string {
	command := fmt.Sprintf("mcpm config%s %s", flagG(p), name)
	if len(missing) != 1 {
		return command
	}
	for _, in := range InputsOf(m, spec) {
		if in.Name == missing[0] && in.Secret {
			return command + " --set " + in.Name
		}
	}
	return command + " --set " + missing[0] + "=..."
}
