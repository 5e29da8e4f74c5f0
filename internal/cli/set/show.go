package set

import (
	"context"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// inputJSON is one value a server may be given.
type inputJSON struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type,omitempty"`
	Required    bool     `json:"required"`
	Secret      bool     `json:"secret"`
	Default     string   `json:"default,omitempty"`
	Choices     []string `json:"choices,omitempty"`
	Set         bool     `json:"set"`
	From        string   `json:"from,omitempty"`   // environment, config, default
	Kept        string   `json:"kept,omitempty"`   // keychain, file: where a secret is
	Global      bool     `json:"global,omitempty"` // of all projects
	InArgs      bool     `json:"inArgs,omitempty"` // a secret that may be an argument
	Value       string   `json:"value,omitempty"`  // not of secrets
}

// state tells what an input has, and from where.
func (o *configOptions) state(s *server, in app.Input) inputJSON {
	v := s.stored[in.Name]
	out := inputJSON{
		Name: in.Name, Description: in.Description, Type: in.Type, Required: in.Required, Secret: in.Secret, Default: in.Default, Choices: in.Choices,
		InArgs: v.InArgs,
	}
	value := in.Default
	if in.Default != "" {
		out.From = "default"
	}
	if v.Set() {
		value, out.Set, out.From, out.Kept, out.Global = v.Text, true, "config", v.Kept, v.Global || s.project.Global
	}
	if given := o.Given(in.Name); given != "" && in.FromEnv {
		value, out.Set, out.From, out.Kept, out.Global = given, true, "environment", "", false
	}
	if !in.Secret {
		out.Value = value
	}
	return out
}

// from tells a person where a value is.
func (i inputJSON) from(p install.Project) string {
	text := i.From
	switch {
	case i.From != "config":
		return text
	case i.Kept == "keychain":
		text = "keychain"
	case i.Kept == "file":
		text = "encrypted file"
	case i.Secret:
		text = "plain text"
	}
	if i.Global && !p.Global {
		text += ", all projects"
	}
	return text
}

func (o *configOptions) list(s *server) error {
	if o.JSON {
		list := []inputJSON{}
		for _, in := range s.inputs {
			list = append(list, o.state(s, in))
		}
		app.PrintJSON(o.IO, map[string]any{"name": s.name.String(), "inputs": list})
		return nil
	}
	t := term.Table{Flex: []int{3, 1}, Drop: []int{3}, Colors: []func(string) string{o.IO.Accent, nil, o.IO.Dim, nil}}
	for _, in := range s.inputs {
		st := o.state(s, in)
		value := st.Value
		switch {
		case in.Secret && (st.Set || st.From == "default"):
			value = "********"
		case st.From == "" && in.Required:
			value = "needed"
		case st.From == "":
			value = "-"
		}
		t.Row(in.Name, value, st.from(s.project), in.Description)
	}
	t.Print(o.IO)
	if len(s.inputs) == 0 {
		o.IO.Notef("%s asks for no values.\n", s.name)
	}
	return nil
}

// printOne prints what is stored for one input. A secret is for a person who looks; whatever else reads stdout has to
// ask for it by name.
func (o *configOptions) printOne(ctx context.Context, s *server) error {
	in, known := s.input(o.get)
	v := s.stored[o.get]
	if !known && !v.Set() {
		return unknown(s, o.get)
	}
	if !v.Set() {
		return hub.Errorf(hub.NotFound, "%s has no stored value", o.get).WithHint("%s", takes(s))
	}
	if (in.Secret || v.Kept != "") && !o.reveal && !o.IO.OutTTY {
		return app.Usage("%s is a secret, and stdout is no terminal", o.get).
			WithHint("mcpm config%s %s --get %s --reveal prints it all the same", s.flag, s.name, o.get)
	}
	values, err := o.Reveal(ctx, s.project, s.name, map[string]install.Value{o.get: v})
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]string{"name": o.get, "value": values[o.get]})
		return nil
	}
	text := values[o.get]
	if o.IO.OutTTY { // what a terminal would obey is shown, not done; a pipe gets every byte
		text = term.Clean(text)
	}
	o.IO.Printf("%s\n", text)
	return nil
}

func unknown(s *server, name string) error {
	return app.Usage("%s takes no value called %q", s.name, name).WithHint("%s", takes(s))
}

func takes(s *server) string {
	if len(s.inputs) == 0 {
		return "it takes no values"
	}
	var names []string
	for _, in := range s.inputs {
		names = append(names, in.Name)
	}
	return "it takes: " + strings.Join(names, ", ")
}
