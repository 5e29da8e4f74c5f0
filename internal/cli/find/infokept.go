package find

import (
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
)

// keptJSON is the JSON answer about an installed server without its hub.
type keptJSON struct {
	Name         string             `json:"name"`
	Server       string             `json:"server,omitempty"` // which the name, an alias, stands for
	Version      string             `json:"version,omitempty"`
	Registry     string             `json:"registry,omitempty"`
	Linked       string             `json:"linked,omitempty"` // the working copy that runs in its place
	Project      string             `json:"project"`
	Manifest     *manifest.Manifest `json:"manifest"`
	Artifacts    []install.Artifact `json:"artifacts,omitempty"`
	Capabilities []hub.Capability   `json:"capabilities"`
	Asks         []asks.Ask         `json:"asks"`
}

// kept shows what the lockfile and the store say of an installed server. NotFound for one that is not installed, and for
// another version than the one that is.
func (o *infoOptions) kept() error {
	r, err := typed.Installed(o.App, o.arg, false)
	if err != nil {
		return err
	}
	in, err := o.Find(r.Name, false)
	if err != nil {
		return err
	}
	if r.Given && !r.Rng.Fits(in.Version(), nil) {
		return hub.Errorf(hub.NotFound, "%s %s is installed; of other versions only the hub knows", r.Name, in.Version()).WithHint("run it without --offline")
	}
	if o.readme || o.versions {
		return hub.Errorf(hub.Unavailable, "the readme and the list of versions are at the hub, and --offline was given").WithHint("run it without --offline")
	}
	m, label := in.Manifest, r.Name.String()
	of := in.Locked.Of(r.Name)
	if of != r.Name {
		label += " -> " + of.String()
	}
	caps := manifest.CapabilitiesOf(m)
	if o.JSON {
		ans := keptJSON{Name: r.Name.String(), Project: in.Project.Dir, Manifest: m, Capabilities: append([]hub.Capability{}, caps...), Asks: append([]asks.Ask{}, asks.Of(m)...)}
		if in.Locked == nil {
			ans.Linked = in.Bundle
		} else {
			if of != r.Name {
				ans.Server = of.String()
			}
			ans.Version, ans.Registry, ans.Artifacts = in.Locked.Version, in.Locked.Registry, in.Locked.Artifacts
		}
		app.PrintJSON(o.IO, ans)
		return nil
	}
	o.IO.Printf("%s\n", o.IO.Accent(label+" "+app.Clean(in.Version())))
	o.about(m.Title, r.Name.String(), m.Description)
	if in.Locked == nil {
		o.Fact("linked", "%s", in.Bundle)
	} else {
		o.Fact("installed", "in %s, from %s", in.Project.Dir, in.Locked.Registry)
	}
	o.Fact("license", "%s", m.License)
	o.Fact("homepage", "%s", m.Homepage)
	o.Fact("keywords", "%s", strings.Join(m.Keywords, ", "))
	facts := manifest.Facts(m, in.Locked != nil && in.Locked.Bundle() != nil)
	o.Fact("runs as", "%s", strings.Join(append(slices.Clone(facts.PackageTypes), facts.Transports...), ", "))
	o.capabilities(caps)
	o.asks(m)
	o.IO.Notef("\nThat is what is locked here. Without --offline the hub is asked.\n")
	return nil
}

// asks prints what a server asks for.
func (o *infoOptions) asks(m *manifest.Manifest) {
	o.IO.Printf("\n  It asks for:\n")
	list := asks.Of(m)
	asks.Print(o.IO, o.IO.Out, list)
	if len(list) == 0 {
		text := "nothing that it declares"
		if len(asks.Remote(m)) == 0 { // it is started here
			text += ", and nothing in its sandbox"
		}
		o.IO.Printf("    %s\n", o.IO.Wrap(text, 4))
	}
}

// about prints what a server is called and what it does.
func (o *infoOptions) about(title, name, description string) {
	if title != "" && title != name {
		o.IO.Printf("%s\n", o.IO.Bold(term.Clean(title)))
	}
	if description != "" {
		o.IO.Printf("%s\n", o.IO.Wrap(term.Clean(hub.Plain(description)), 0))
	}
	o.IO.Printf("\n")
}
