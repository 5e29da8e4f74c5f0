package learn

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/sandbox/mask"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
)

// Place is where a server ran.
type Place struct {
	Home      string   // of the person
	Workspace string   // what ${workspace} stands for
	Store     string   // mcpm's own directory
	Program   string   // that was started
	Own       []string // what the server has anyway: its packages, its program
}

// scratch are directories that a sandbox has empty, and machinery of the system that it has as it is.
var scratch = []string{"/tmp", "/var/tmp", "/run", "/var/run", "/proc", "/sys", "/dev", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"}

// settings are files of the system that programs and libraries look for by themselves and do without.
var settings = []string{
	"passwd", "group", "shadow", "hosts", "hostname", "nsswitch.conf", "resolv.conf", "host.conf", "gai.conf", "localtime", "timezone", "ld.so.preload", "ld.so.cache", "ld.so.conf",
	"os-release", "lsb-release", "debian_version", "mime.types", "services", "protocols", "ssl", "pki", "ca-certificates", "crypto-policies", "fonts", "alternatives", "inputrc",
	"locale.alias", "environment", "profile", "bash.bashrc", "machine-id", "mtab", "gitconfig", "npmrc", "pip.conf", "python3", "terminfo", "login.defs", "nodejs",
}

// climbing are names that runtimes look for in each directory above their own.
var climbing = []string{"package.json", "node_modules", "pyvenv.cfg", "pyproject.toml", "tsconfig.json", ".git", ".nvmrc", ".yarnrc", ".pnp.cjs", ".pnp.js"}

// containers of a home are directories in which every program has one of its own: too wide to be granted.
var containers = []string{"", ".config", ".cache", ".local", ".local/share", ".local/state", ".local/lib", "Library", "Library/Application Support", "Library/Caches"}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func withinAny(path string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return within(path, dir) })
}

// sort says what a server needs, each path with read or write, and puts what is not to be proposed into out.
func (at Place) sort(seen []trace.Attempt, out *Learned) map[string]string {
	needs := map[string]string{}
	for _, a := range seen {
		if !nameable(a.Path) {
			continue
		}
		switch {
		case a.Kind == trace.Execute:
			if at.program(a.Path) {
				add(&out.Programs, inRealDir(a.Path))
			}
		case at.ours(a):
		case at.private(a.Path):
			if at.exists(a.Path) {
				add(&out.Secrets, at.named(a.Path))
			}
		case a.Kind == trace.Write:
			at.written(a.Path, needs, out)
		default:
			at.read(a, needs, out)
		}
	}
	out.Lost = outermost(out.Lost)
	for _, list := range [][]string{out.Programs, out.Secrets, out.Wide, out.Lost} {
		slices.Sort(list)
	}
	return needs
}

// inRealDir follows the links of a path's directories: /bin is /usr/bin on many machines.
func inRealDir(path string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path
	}
	return filepath.Join(dir, filepath.Base(path))
}

// outermost leaves out what is inside of another path of the list.
func outermost(list []string) []string {
	out := []string{}
	for _, path := range list {
		if !slices.ContainsFunc(list, func(o string) bool { return o != path && within(path, o) }) {
			out = append(out, path)
		}
	}
	return out
}

// nameable reports whether mcp.json can name a path.
func nameable(path string) bool {
	return utf8.ValidString(path) && !strings.Contains(path, "${") && !strings.ContainsFunc(path, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) })
}

func add(list *[]string, text string) {
	if !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
}

// ours reports whether a path is of no interest: the server has it, or it is the system's.
func (at Place) ours(a trace.Attempt) bool {
	path := a.Path
	switch {
	case within(path, at.Store), withinAny(path, at.Own) && (a.Kind != trace.Write || path == at.Program):
		return true
	case within(path, at.Workspace), within(path, at.Home):
		return false
	case withinAny(path, scratch):
		return !mask.Private(at.Home, path) // a socket of an engine is in /run
	}
	rest, etc := strings.CutPrefix(path, "/etc/")
	name, _, _ := strings.Cut(rest, "/")
	return path == "/etc" || etc && (slices.Contains(settings, name) || a.Kind == trace.Look)
}

func (at Place) private(path string) bool { return mask.Private(at.Home, path) }

func (at Place) exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// program reports whether a path is a program that was started beside the server's own. Who looks through PATH names many
// that are not there.
func (at Place) program(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 || path == at.Program {
		return false
	}
	real, err := filepath.EvalSymlinks(path)
	own, owerr := filepath.EvalSymlinks(at.Program)
	return err != nil || owerr != nil || real != own
}

// wide reports whether a directory has too much in it to be granted.
func (at Place) wide(dir string) bool {
	if dir == "/" || within(at.Home, dir) || within(at.Workspace, dir) && dir != at.Workspace || within(at.Store, dir) && dir != at.Workspace {
		return true
	}
	for _, c := range containers {
		if dir == filepath.Join(at.Home, c) {
			return true
		}
	}
	return slices.Contains([]string{"/etc", "/home", "/var", "/opt", "/srv", "/mnt", "/media", "/root", "/Users"}, dir)
}

// read notes a path that was read or looked at. What is not there was not missed.
func (at Place) read(a trace.Attempt, needs map[string]string, out *Learned) {
	info, err := os.Stat(a.Path)
	if err != nil {
		return
	}
	onTheWay := func(p string) bool { return within(p, a.Path) }
	switch {
	case a.Kind == trace.Look && (info.IsDir() && (onTheWay(at.Home) || onTheWay(at.Workspace) || slices.ContainsFunc(at.Own, onTheWay)) || at.climbed(a.Path)):
		return
	case info.IsDir() && at.wide(a.Path):
		if a.Kind == trace.Read {
			add(&out.Wide, at.named(a.Path))
		}
		return
	case !info.IsDir() && !info.Mode().IsRegular():
		return // a device, a socket
	}
	if needs[a.Path] == "" {
		needs[a.Path] = "read"
	}
}

// climbed reports whether a runtime came by on its way up from the server's own files.
func (at Place) climbed(path string) bool {
	return slices.Contains(climbing, filepath.Base(path)) &&
		(slices.ContainsFunc(at.Own, func(own string) bool { return within(own, filepath.Dir(path)) }) || within(at.Workspace, filepath.Dir(path)))
}

// written notes a path that was written. What is not there needs the directory that it would be in.
func (at Place) written(path string, needs map[string]string, out *Learned) {
	for p := path; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			if p == "/" {
				return
			}
			continue
		}
		switch {
		case !info.IsDir() && (p != path || !info.Mode().IsRegular()):
		case info.IsDir() && at.wide(p):
			switch {
			case p == path: // mkdir -p goes over all there are
			case within(path, at.Home):
				add(&out.Lost, at.named(path))
			default:
				add(&out.Wide, at.named(p))
			}
		default:
			needs[p] = "write"
		}
		return
	}
}

// named is a path as mcp.json names it.
func (at Place) named(path string) string {
	names := []struct{ dir, is string }{{at.Workspace, "${workspace}"}, {at.Home, "${HOME}"}}
	if len(at.Home) > len(at.Workspace) {
		slices.Reverse(names)
	}
	for _, n := range names {
		if n.dir != "" && n.dir != "/" && within(path, n.dir) {
			return n.is + strings.TrimPrefix(path, n.dir)
		}
	}
	return path
}

// real is where a path of mcp.json is here.
func (at Place) real(path string) string {
	for name, dir := range map[string]string{"${workspace}": at.Workspace, "${HOME}": at.Home, "~": at.Home} {
		if within(path, name) {
			return dir + strings.TrimPrefix(path, name)
		}
	}
	if !filepath.IsAbs(path) {
		return filepath.Join(at.Workspace, path)
	}
	return filepath.Clean(path)
}

// many is how many neighbours are granted one by one. From more on, it is their directory.
const many = 2

// collapse puts needs together into the fewest sensible directories.
func collapse(at Place, needs map[string]string) []File {
	left := maps.Clone(needs)
	for {
		covered(left)
		groups := map[string][]string{}
		for _, path := range slices.Sorted(maps.Keys(left)) {
			if dir := filepath.Dir(path); !at.wide(dir) && !at.private(dir) && !withinAny(dir, scratchOf(at)) {
				groups[dir] = append(groups[dir], path)
			}
		}
		done := true
		for dir, paths := range groups {
			access := map[string]int{}
			for _, p := range paths {
				access[left[p]]++
			}
			// A file that is written among many that are read does not make the others be written.
			for _, kind := range []string{"write", "read"} {
				if access[kind] > many {
					left[dir], done = kind, false
					break
				}
			}
		}
		if done {
			break
		}
	}
	out := []File{}
	for _, path := range slices.Sorted(maps.Keys(left)) {
		out = append(out, File{path, left[path]})
	}
	return out
}

// scratchOf are directories of the system, unless the workspace is in one.
func scratchOf(at Place) []string {
	return slices.DeleteFunc(slices.Clone(scratch), func(dir string) bool { return within(at.Workspace, dir) || within(at.Home, dir) })
}

// covered removes what is inside of a directory that is granted as much.
func covered(left map[string]string) {
	for path, access := range left {
		for dir := filepath.Dir(path); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
			if outer := left[dir]; (outer == "write" || outer == access) && isDir(dir) {
				delete(left, path)
				break
			}
		}
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeDir != 0
}
