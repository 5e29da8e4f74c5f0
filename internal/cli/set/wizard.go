package set

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/mcphub/mcphub/internal/cli/app"
)

// perPage is how many questions are on the screen at once.
const perPage = 4

// answer is one question and what was answered; was is what the field began with.
type answer struct {
	in       app.Input
	was, now string
}

// wizard asks for every value, required ones first. What is left as it is, stays as it is.
func (o *configOptions) wizard(ctx context.Context, s *server) error {
	answers := o.questions(s)
	if err := o.form(ctx, s, answers); err != nil {
		return err
	}
	set, unset, err := o.changes(s, answers)
	if err != nil {
		return err
	}
	if len(set) == 0 && len(unset) == 0 {
		o.IO.Notef("Nothing was changed.\n")
	}
	if err := o.apply(ctx, s, set, unset); err != nil {
		return err
	}
	if err := o.list(s); err != nil {
		return err
	}
	var lacking []string
	for _, in := range s.inputs {
		if in.Required && o.state(s, in).From == "" {
			lacking = append(lacking, in.Name)
		}
	}
	if len(lacking) > 0 {
		o.IO.Warnf("%s does not run without %s", s.name, app.AndList(lacking))
	}
	return nil
}

func (o *configOptions) questions(s *server) []*answer {
	var out []*answer
	for _, in := range s.inputs {
		a := &answer{in: in}
		if v := s.stored[in.Name]; v.Plain && !in.Secret {
			a.was, a.now = v.Text, v.Text
		}
		out = append(out, a)
	}
	return out
}

// changes returns what is to be stored and what is to be removed: a value that was emptied.
func (o *configOptions) changes(s *server, answers []*answer) (set map[string]string, unset []string, err error) {
	set = map[string]string{}
	for _, a := range answers {
		now := a.now
		if !a.in.Secret {
			now = strings.TrimSpace(now)
		}
		switch {
		case now == a.was:
		case now == "" && !s.stored[a.in.Name].Global:
			unset = append(unset, a.in.Name)
		case now == "":
		default:
			if set[a.in.Name], err = o.check(a.in, now); err != nil {
				return nil, nil, err
			}
		}
	}
	return set, unset, nil
}

func (o *configOptions) form(ctx context.Context, s *server, answers []*answer) error {
	pages := slices.Collect(slices.Chunk(answers, perPage))
	var groups []*huh.Group
	for i, page := range pages {
		var fields []huh.Field
		for _, a := range page {
			fields = append(fields, o.field(s, a))
		}
		title := fmt.Sprintf("%s asks for %s", s.name, app.Plural(len(answers), "value"))
		if len(pages) > 1 {
			title += fmt.Sprintf(", page %d of %d", i+1, len(pages))
		}
		groups = append(groups, huh.NewGroup(fields...).Title(title).Description("Enter goes on, Ctrl-C leaves everything as it is.\n"))
	}
	form := huh.NewForm(groups...).WithInput(o.IO.In).WithOutput(o.IO.Err).WithTheme(huh.ThemeFunc(huh.ThemeBase16)).
		WithViewHook(func(v tea.View) tea.View { v.AltScreen = true; return v }) // what was on the screen comes back
	err := form.RunWithContext(ctx)
	if errors.Is(err, huh.ErrUserAborted) {
		return context.Canceled
	}
	return err
}

// field is the question about one input.
func (o *configOptions) field(s *server, a *answer) huh.Field {
	title, about := o.heading(s, a.in), app.Clean(a.in.Description)
	choices := a.in.Choices
	if len(choices) == 0 && a.in.Type == "boolean" {
		choices = []string{"true", "false"}
	}
	if len(choices) > 0 && !a.in.Secret {
		var options []huh.Option[string]
		for _, c := range choices {
			options = append(options, huh.NewOption(app.Clean(c), c))
		}
		none := "(nothing)"
		if a.in.Default != "" {
			none = "the default, " + app.Clean(a.in.Default)
		}
		options = append([]huh.Option[string]{huh.NewOption(none, "")}, options...)
		return huh.NewSelect[string]().Title(title).Description(about).Options(options...).Value(&a.now)
	}
	f := huh.NewInput().Title(title).Description(about).Value(&a.now).Validate(func(v string) error {
		if strings.TrimSpace(v) == "" {
			return nil
		}
		return a.in.Check(strings.TrimSpace(v))
	})
	if a.in.Secret {
		return f.EchoMode(huh.EchoModePassword)
	}
	return f.Placeholder(app.Clean(app.First(a.in.Default, a.in.Placeholder)))
}

// heading is the name of an input, and what has to be known to answer: most of all what an empty answer means.
func (o *configOptions) heading(s *server, in app.Input) string {
	st := o.state(s, in)
	var facts []string
	if in.Required && !st.Set {
		facts = append(facts, "required")
	}
	switch {
	case in.Secret && st.From == "config":
		facts = append(facts, "secret", "empty keeps the one there is")
	case in.Secret:
		facts = append(facts, "secret")
	case in.Type == "number":
		facts = append(facts, "number")
	case in.Type == "filepath":
		facts = append(facts, "file or directory")
	}
	if st.From == "environment" {
		facts = append(facts, "your environment has one, which wins")
	}
	if len(facts) == 0 {
		return app.Clean(in.Name)
	}
	return app.Clean(in.Name) + " (" + strings.Join(facts, ", ") + ")"
}
