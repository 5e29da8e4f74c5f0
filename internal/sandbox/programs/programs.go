// Package programs finds out what is started when a program is.
package programs

import (
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxInterpreters is how many programs a script may need to be started: a script that is run by env has two.
const (
	maxInterpreters = 4
	maxPath         = 4096
)

// Of returns the program and what the kernel starts to start it: the interpreter that a script names, and the
// loader of dynamic libraries.
func Of(program string, env []string) []string {
	var out []string
	for range maxInterpreters {
		out = append(out, program)
		if f, err := elf.Open(program); err == nil {
			if loader := Loader(f); loader != "" {
				out = append(out, loader)
			}
			f.Close()
			return out
		}
		words := shebang(program)
		if len(words) == 0 {
			return out
		}
		program = words[0]
		if filepath.Base(program) == "env" && len(words) > 1 {
			out = append(out, Of(program, nil)...)
			program = Find(words[len(words)-1], env)
		}
	}
	return out
}

// Loader is the program that the kernel starts a dynamically linked program with (PT_INTERP), or "".
func Loader(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < maxPath {
			data := make([]byte, p.Filesz)
			if _, err := p.ReadAt(data, 0); err == nil {
				return strings.TrimRight(string(data), "\x00")
			}
		}
	}
	return ""
}

// shebang returns the words of a script's first line.
func shebang(file string) []string {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(f, head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	if rest, ok := strings.CutPrefix(line, "#!"); ok {
		return strings.Fields(rest)
	}
	return nil
}

// Find looks a program up in the PATH of the process.
func Find(name string, env []string) string {
	for _, kv := range env {
		list, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path
			}
		}
	}
	return name
}

// Environment is the image's environment, without what an engine adds, and over it the process's own. Unless the root can be written (open), a
// home in it is of no use.
func Environment(image, own []string, open bool) []string {
	var out []string
	for _, kv := range image {
		name, _, _ := strings.Cut(kv, "=")
		if name == "HOSTNAME" || name == "container" || name == "HOME" && !open {
			continue
		}
		if !slices.ContainsFunc(own, func(o string) bool { return strings.HasPrefix(o, name+"=") }) {
			out = append(out, kv)
		}
	}
	if !open && !slices.ContainsFunc(own, func(o string) bool { return strings.HasPrefix(o, "HOME=") }) {
		out = append(out, "HOME=/tmp")
	}
	return append(out, own...)
}
