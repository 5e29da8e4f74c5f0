package author

import (
	"encoding/json"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/install"
	"github.com/pelletier/go-toml/v2"
)

// maxGuess is the size in bytes of the largest package.json or pyproject.toml that is read for guesses.
const maxGuess = 1 << 20

// guessed is what a project says of itself in the file of another package manager. What cannot be read says nothing.
type guessed struct {
	Name, Version, Description string
	License, Main              string
}

// guess reads package.json, else pyproject.toml.
func guess(dir string) guessed {
	if g, ok := fromNode(dir); ok {
		return g
	}
	return fromPython(dir)
}

func fromNode(dir string) (guessed, bool) {
	text, err := install.ReadFile(filepath.Join(dir, "package.json"), maxGuess)
	if err != nil || text == nil {
		return guessed{}, false
	}
	var file struct {
		Name, Version, Description, Main string
		License                          any
		Bin                              any
	}
	if json.Unmarshal(text, &file) != nil {
		return guessed{}, false
	}
	g := guessed{Name: file.Name, Version: file.Version, Description: file.Description}
	g.License, _ = file.License.(string)
	start := []string{file.Main}
	switch bin := file.Bin.(type) {
	case string:
		start = []string{bin, file.Main}
	case map[string]any: // several programs need a person to choose
		if len(bin) == 1 {
			for _, one := range bin {
				path, _ := one.(string)
				start = []string{path, file.Main}
			}
		}
	}
	if i := slices.IndexFunc(start, func(path string) bool { _, ok := projectFile(dir, path); return ok }); i >= 0 {
		path, _ := projectFile(dir, start[i])
		g.Main = "node ${bundle}/" + path
	}
	return g, true
}

func fromPython(dir string) guessed {
	text, err := install.ReadFile(filepath.Join(dir, "pyproject.toml"), maxGuess)
	if err != nil || text == nil {
		return guessed{}
	}
	var file struct {
		Project struct {
			Name, Version, Description string
			License                    any
		}
	}
	if toml.Unmarshal(text, &file) != nil {
		return guessed{}
	}
	g := guessed{Name: file.Project.Name, Version: file.Project.Version, Description: file.Project.Description}
	g.License, _ = file.Project.License.(string) // PEP 639: an SPDX expression
	return g
}
