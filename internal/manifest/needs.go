package manifest

import "strings"

// NeedsBundle reports whether a way to start the server uses files of the project: a command that is a
// relative path, or ${bundle} anywhere in it.
func (m *Manifest) NeedsBundle() bool {
	for _, s := range m.Servers {
		if s.NeedsBundle() {
			return true
		}
	}
	return false
}

// NeedsBundle reports whether this way to start the server uses files of the project.
func (s ServerSpec) NeedsBundle() bool {
	if s.Command == "" {
		return false
	}
	c := s.Command
	if strings.Contains(c, "/") && !strings.HasPrefix(c, "/") && !strings.HasPrefix(c, "${") && !strings.HasPrefix(c, "~") {
		return true
	}
	for _, word := range append([]string{c}, s.Args...) {
		if strings.Contains(word, "${bundle}") {
			return true
		}
	}
	for _, value := range s.Env {
		if strings.Contains(value, "${bundle}") {
			return true
		}
	}
	return false
}
