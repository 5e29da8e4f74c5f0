package set

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/value"
)

// store does what --set, --unset and --in-args say, all of it or nothing.
func (o *configOptions) store(ctx context.Context, s *server) error {
	for _, k := range o.unset {
		if _, known := s.input(k); !known && !stored(s, k) {
			return unknown(s, k)
		}
	}
	for _, k := range o.inArgs {
		if in, known := s.input(k); !known || !in.Secret {
			return app.Usage("--in-args %q: %s has no secret of that name", k, s.name).WithHint("%s", takes(s))
		}
	}
	set, typed, err := o.given(ctx, s)
	if err != nil {
		return err
	}
	if err := o.apply(ctx, s, set, o.unset); err != nil {
		return err
	}
	if err := o.allowInArgs(s); err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"name": s.name.String(), "set": sorted(set), "unset": orEmpty(o.unset), "inArgs": orEmpty(o.inArgs), "dryRun": o.dryRun})
	}
	if len(typed) > 0 {
		o.IO.Notef("%s was given as an argument, so your shell's history may hold it. mcpm config%s %s --set %s asks for it.\n",
			app.AndList(typed), s.flag, s.name, typed[0])
	}
	return nil
}

// given reads the values of --set. Typed are the secrets that were written out as arguments.
func (o *configOptions) given(ctx context.Context, s *server) (set map[string]string, typed []string, err error) {
	set = map[string]string{}
	piped := ""
	for _, kv := range o.set {
		k, v, written := strings.Cut(kv, "=")
		in, known := s.input(k)
		if !known {
			return nil, nil, unknown(s, k)
		}
		if _, twice := set[k]; twice || slices.Contains(o.unset, k) {
			return nil, nil, app.Usage("%s is given twice", k)
		}
		switch {
		case written && in.Secret:
			typed = append(typed, k)
		case written:
		case o.IO.Interactive():
			if v, err = o.ask(ctx, s, in); err != nil {
				return nil, nil, err
			}
		case piped != "":
			return nil, nil, app.Usage("stdin can hold one value, and both %s and %s are to be read from it", piped, k).WithHint("run mcpm config once for each")
		default:
			piped = k
			if v, err = o.piped(k); err != nil {
				return nil, nil, err
			}
		}
		if set[k], err = o.check(in, v); err != nil {
			return nil, nil, err
		}
	}
	return set, typed, nil
}

// ask asks for one value that has to be given; a secret is not shown while it is typed.
func (o *configOptions) ask(ctx context.Context, s *server, in app.Input) (string, error) {
	question := in.Name + " for " + s.name.String()
	var v string
	var err error
	if in.Secret {
		v, err = o.IO.Secret(ctx, question)
	} else {
		v, err = o.IO.Line(ctx, question, "")
	}
	if err == nil && v == "" {
		err = app.Usage("nothing was given for %s", in.Name).WithHint("mcpm config%s %s --unset %s removes a value", s.flag, s.name, in.Name)
	}
	return v, err
}

func (o *configOptions) piped(k string) (string, error) {
	v, err := o.IO.ReadAll(value.Max + 2)
	if err == nil && v == "" {
		err = app.Usage("stdin held no value for %s", k).WithHint("--set %s=VALUE, or pipe the value in", k)
	}
	return v, err
}

// check returns a value as it is stored: a path is made absolute, because a server starts in another directory.
func (o *configOptions) check(in app.Input, v string) (string, error) {
	if err := in.Check(v); err != nil {
		return "", err
	}
	if in.Type != "filepath" || v == "" || in.Secret || len(in.Choices) > 0 || strings.ContainsAny(v, "\n${") {
		return v, nil
	}
	if rest, ok := strings.CutPrefix(v, "~"); ok && o.Env.UserHome != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
		v = filepath.Join(o.Env.UserHome, rest)
	}
	if !filepath.IsAbs(v) {
		v = filepath.Join(o.Dir, v)
	}
	v = filepath.Clean(v)
	if _, err := os.Stat(v); err != nil {
		o.IO.Warnf("%s is %s, which is not there", in.Name, v)
	}
	return v, nil
}

// apply stores and removes values, and tells where they are.
func (o *configOptions) apply(ctx context.Context, s *server, set map[string]string, unset []string) error {
	var secrets []string
	for _, in := range s.inputs {
		if _, there := set[in.Name]; there && in.Secret {
			secrets = append(secrets, in.Name)
		}
	}
	if o.dryRun {
		if len(set) > 0 {
			o.IO.Notef("Would store %s for %s.\n", app.AndList(sorted(set)), s.name)
		}
		if len(unset) > 0 {
			o.IO.Notef("Would remove %s of %s.\n", app.AndList(unset), s.name)
		}
		return nil
	}
	if len(set) == 0 && len(unset) == 0 {
		return nil
	}
	done, err := o.StoreValues(ctx, s.project, s.name, set, secrets, unset)
	if err != nil {
		return err
	}
	before := s.stored
	if err := o.read(s); err != nil {
		return err
	}
	if !o.JSON {
		o.told(s, before, set, unset, done)
	}
	if done.Left != nil {
		o.IO.Warnf("the old value is still there: %v", done.Left)
	}
	return nil
}

// told says what was stored and removed, and plainly where each secret now is.
func (o *configOptions) told(s *server, before map[string]install.Value, set map[string]string, unset []string, done app.Stored) {
	where := ""
	if s.project.Global {
		where = " in all projects"
	}
	if len(set) > 0 {
		o.IO.Notef("Stored %s for %s%s.\n", app.AndList(sorted(set)), s.name, where)
	}
	var removed []string
	for _, k := range unset {
		switch was := before[k]; {
		case was.Global && !s.project.Global:
			o.IO.Notef("%s has no value of this project. mcpm config -g %s --unset %s removes the one of all projects.\n", k, s.name, k)
		case was == (install.Value{}):
			o.IO.Notef("%s had no stored value.\n", k)
		default:
			removed = append(removed, k)
		}
	}
	if len(removed) > 0 {
		o.IO.Notef("Removed %s of %s%s.\n", app.AndList(removed), s.name, where)
	}
	o.TellPlaces(done)
}

// allowInArgs remembers that a secret may be on the command line of its server.
func (o *configOptions) allowInArgs(s *server) error {
	if len(o.inArgs) == 0 {
		return nil
	}
	if o.dryRun {
		o.IO.Notef("Would let %s be an argument of %s.\n", app.AndList(o.inArgs), s.name)
		return nil
	}
	h, err := o.Store()
	if err != nil {
		return err
	}
	own, err := h.OwnValues(s.project, s.name)
	if err != nil {
		return err
	}
	set := map[string]install.Value{}
	for _, k := range o.inArgs {
		v := own[k]
		v.InArgs = true
		set[k] = v
	}
	if err := h.SetValues(s.project, s.name, set, nil); err != nil {
		return err
	}
	if !o.JSON {
		o.IO.Notef("%s may be an argument of %s now: others on this machine can read it while the server runs.\n", app.AndList(o.inArgs), s.name)
	}
	return o.read(s)
}

func stored(s *server, k string) bool { _, there := s.stored[k]; return there }

func sorted(set map[string]string) []string {
	return orEmpty(slices.Sorted(maps.Keys(set)))
}

// orEmpty makes a list of nothing [] in JSON.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
