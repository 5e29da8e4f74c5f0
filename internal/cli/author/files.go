package author

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// choose lists the files of the project that are sent, or go into its image.
func (o *publishOptions) choose(p *parcel) ([]bundle.File, error) {
	files, err := bundle.Pack(p.project.Dir, bundle.Options{})
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f bundle.File) bool { return f.Path == install.LockFile })
	secrets, err := bundle.FindSecrets(p.project.Dir, files)
	if err == nil && len(secrets) > 0 && !o.allowSecrets {
		err = haveSecrets(secrets)
	}
	return files, err
}

// haveSecrets refuses files that look like secrets.
func haveSecrets(secrets []bundle.Secret) error {
	e := app.Refused("%s in the files to publish", app.Plural(len(secrets), "secret"))
	for _, s := range secrets {
		at := s.File
		if s.Line > 0 {
			at = fmt.Sprintf("%s line %d", s.File, s.Line)
		}
		e.Issues = append(e.Issues, hub.Issue{Message: fmt.Sprintf("%s: %s %s", at, s.Rule, s.Redacted)})
	}
	return e.WithHint("name the files in .mcpmignore; if they are no secrets, mcpm publish --allow-secrets")
}

// leftBehind warns of servers that are started from a file of the project which nobody else gets.
func (o *publishOptions) leftBehind(p *parcel) {
	for key, s := range p.manifest.Servers {
		if s.Command == "" {
			continue
		}
		for _, arg := range s.Args {
			if file, ok := projectFile(p.project.Dir, arg); ok {
				o.IO.Warnf("servers.%s starts %q, which is not sent with it: write \"${bundle}/%s\"", key, arg, file)
			}
		}
	}
}

// hasCommands checks that what is started is among the files: a build directory is often ignored by git.
func (o *publishOptions) hasCommands(p *parcel) error {
	for key, s := range p.manifest.Servers {
		if !s.NeedsBundle() {
			continue
		}
		for _, word := range append([]string{s.Command}, s.Args...) {
			file, ok := strings.CutPrefix(word, "${bundle}/")
			if !ok {
				if word != s.Command || !strings.Contains(word, "/") || strings.Contains(word, "${") {
					continue
				}
				file = word
			}
			file = strings.TrimPrefix(file, "./")
			if !slices.ContainsFunc(p.files, func(f bundle.File) bool { return f.Path == file || strings.HasPrefix(f.Path, file+"/") }) {
				return app.Usage("servers.%s starts %q, which is not among the files to publish", key, word).
					WithHint("build it first; when .gitignore names it, add the line !%s to .mcpmignore", file)
			}
		}
	}
	return nil
}
