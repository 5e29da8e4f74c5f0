// Package bundle makes and opens hub bundles: gzipped tar archives of a server's files, with its mcp.json
// at the root. The same tree always gives the same bytes, so that a digest says something. Archives from
// strangers are checked while they stream by, within limits, and nothing of one is written before its
// name was checked; Check and Unpack hold the same rules.
package bundle

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"golang.org/x/text/unicode/norm"
)

// Limits bound an archive. The zero value means DefaultLimits.
type Limits struct {
	Files    int   // entries
	Unpacked int64 // bytes of all files
	Packed   int64 // bytes of the archive
	Ratio    int64 // unpacked bytes for each packed byte, beyond the first MiB
}

// DefaultLimits are those of a bundle published to a hub.
var DefaultLimits = Limits{Files: 20000, Unpacked: 256 << 20, Packed: 64 << 20, Ratio: 200}

func (l Limits) orDefault() Limits {
	if l == (Limits{}) {
		return DefaultLimits
	}
	return l
}

const (
	maxPath    = 1024 // bytes of a path
	maxSegment = 255  // bytes of one name in it
)

// checkName refuses a path that some machine could not hold, or would put elsewhere: it must be relative,
// clean, of printable UTF-8, and legal on Windows.
func checkName(name string) error {
	bad := func(why string) error {
		return hub.Errorf(hub.Invalid, "the path %s %s", show(name), why)
	}
	switch {
	case name == "":
		return hub.Errorf(hub.Invalid, "an entry has no name")
	case len(name) > maxPath:
		return bad("is longer than " + strconv.Itoa(maxPath) + " bytes")
	case !utf8.ValidString(name):
		return bad("is not UTF-8")
	case strings.HasPrefix(name, "/"):
		return bad("is absolute")
	case strings.Contains(name, `\`):
		return bad("has a backslash")
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' {
			return bad("has a control character")
		}
	}
	if i := strings.IndexAny(name, `<>:"|?*`); i >= 0 {
		return bad("has the character " + strconv.Quote(name[i:i+1]) + ", which Windows cannot store")
	}
	for _, seg := range strings.Split(name, "/") {
		switch {
		case seg == "..":
			return bad("leaves the archive")
		case seg == "" || seg == ".":
			return bad("is not clean")
		case len(seg) > maxSegment:
			return bad("has a name longer than " + strconv.Itoa(maxSegment) + " bytes")
		case strings.HasSuffix(seg, ".") || strings.HasSuffix(seg, " "):
			return bad("has a name that ends in a dot or a space, which Windows cannot store")
		case reserved(seg):
			return bad("uses the name " + strconv.Quote(seg) + ", which Windows reserves")
		}
	}
	return nil
}

// reserved reports whether Windows keeps a name for a device, with any extension.
func reserved(seg string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(seg), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, p := range []string{"COM", "LPT"} {
		if d, ok := strings.CutPrefix(base, p); ok && (len(d) == 1 && d >= "0" && d <= "9" || d == "¹" || d == "²" || d == "³") {
			return true
		}
	}
	return false
}

// tree remembers the names seen, to refuse two that are one on some file system.
type tree struct {
	files map[string]string // folded path to the name as it was given
	dirs  map[string]string // with each directory all those above it
	most  int               // directories; a path can name hundreds
}

func newTree(most int) *tree {
	return &tree{files: map[string]string{}, dirs: map[string]string{}, most: most}
}

// fold maps names that differ only in case or in Unicode composition to one.
func fold(name string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(name))) }

// add notes a file (or directory) and its parents.
func (t *tree) add(name string, dir bool) error {
	key := fold(name)
	if first, twice := t.files[key]; twice {
		if first == name {
			return hub.Errorf(hub.Invalid, "the path %s is there twice", show(name))
		}
		return hub.Errorf(hub.Invalid, "the paths %s and %s are the same file on some machines", show(first), show(name))
	}
	if first, there := t.dirs[key]; there && (!dir || first != name) {
		return hub.Errorf(hub.Invalid, "the paths %s and %s are the same on some machines", show(first+"/"), show(name))
	}
	if dir {
		t.dirs[key] = name
	} else {
		t.files[key] = name
	}
	for i := strings.LastIndex(name, "/"); i > 0; i = strings.LastIndex(name[:i], "/") {
		parent := name[:i]
		pk := fold(parent)
		if file, there := t.files[pk]; there {
			return hub.Errorf(hub.Invalid, "the path %s is below the file %s", show(name), show(file))
		}
		if first, there := t.dirs[pk]; there {
			if first != parent {
				return hub.Errorf(hub.Invalid, "the paths %s and %s are the same on some machines", show(first+"/"), show(parent+"/"))
			}
			break
		}
		t.dirs[pk] = parent
		if len(t.dirs) > t.most {
			return hub.Errorf(hub.TooLarge, "there are more than %d directories", t.most)
		}
	}
	return nil
}

// show quotes a name for a message, cut at 120 bytes.
func show(name string) string {
	if len(name) > 120 {
		name = strings.ToValidUTF8(name[:120], "") + "..."
	}
	return strconv.Quote(name)
}
