package bundle

import (
	"bufio"
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// ignoreFiles are read in every directory, in this order: what .mcpmignore says wins, so that "!dist/"
// brings back what .gitignore leaves out of the source repository.
var ignoreFiles = []string{".gitignore", ".mcpmignore"}

// rule is one line of an ignore file, with the meaning git gives it.
type rule struct {
	re      *regexp.Regexp // matched against the path below the file's directory
	negate  bool
	dirOnly bool
}

// ruleSet is what one directory adds.
type ruleSet struct {
	base  string // "" for the root, else with a slash at the end
	rules []rule
}

// alwaysOut reports whether a name never belongs in a bundle: version control and secrets by convention.
func alwaysOut(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".DS_Store":
		return true
	}
	return strings.HasPrefix(name, ".env")
}

// ignored reports whether the last rule that matches name leaves it out.
func ignored(sets []ruleSet, name string, dir bool) bool {
	out := false
	for _, set := range sets {
		rel := strings.TrimPrefix(name, set.base)
		for _, r := range set.rules {
			if (dir || !r.dirOnly) && r.re.MatchString(rel) {
				out = !r.negate
			}
		}
	}
	return out
}

// readRules reads the ignore files of one directory.
func readRules(fsys fs.FS, dir string) (ruleSet, error) {
	set := ruleSet{}
	if dir != "." {
		set.base = dir + "/"
	}
	for _, name := range ignoreFiles {
		data, err := fs.ReadFile(fsys, path.Join(dir, name))
		if err != nil {
			if isNotExist(err) {
				continue
			}
			return set, err
		}
		set.rules = append(set.rules, parseRules(data)...)
	}
	return set, nil
}

func parseRules(data []byte) []rule {
	var rules []rule
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	for lines.Scan() {
		if r, ok := parseRule(strings.TrimSuffix(lines.Text(), "\r")); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

func parseRule(line string) (rule, bool) {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return rule{}, false
	}
	var r rule
	if line[0] == '!' {
		r.negate, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		r.dirOnly, line = true, strings.TrimSuffix(line, "/")
	}
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return rule{}, false
	}
	expr := globToRegexp(line)
	if !anchored {
		expr = "(?:.*/)?" + expr
	}
	re, err := regexp.Compile("^" + expr + "$")
	if err != nil {
		return rule{}, false // a bracket that git would not match either
	}
	r.re = re
	return r, true
}

// globToRegexp translates the wildcards of gitignore: * and ? stop at slashes, ** does not.
func globToRegexp(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case strings.HasPrefix(glob[i:], "**/") && (i == 0 || glob[i-1] == '/'):
			b.WriteString("(?:.*/)?")
			i += 2
		case glob[i:] == "**" && i > 0 && glob[i-1] == '/':
			b.WriteString(".+")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '[':
			end := strings.IndexByte(glob[i+1:], ']')
			if end < 1 {
				b.WriteString(`\[`)
				continue
			}
			class := glob[i+1 : i+1+end]
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			b.WriteString("[" + strings.ReplaceAll(class, `\`, `\\`) + "]")
			i += end + 1
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}
