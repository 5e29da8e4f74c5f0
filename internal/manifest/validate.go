package manifest

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/mcphub/mcphub/internal/manifest/serverjson"
	"github.com/mcphub/mcphub/internal/manifest/spdx"
)

// Purpose is what a manifest is checked for.
type Purpose int

// The purposes.
const (
	ForPublish Purpose = iota // it becomes a version on a hub: name, version, description and an entry are needed
	ForProject                // it is somebody's own project file: what is there must be right
)

// Limits of a manifest, in characters or items.
const (
	MaxDescription   = 4096
	MaxTitle         = 100
	MaxServers       = 64
	MaxConfiguration = 256
	MaxDependencies  = 1000
	MaxKeywords      = 50
	MaxWord          = 64 // of a keyword, category or host
	MaxCapabilities  = 1000
	MaxCapText       = 16 << 10 // bytes of a capability's description
	MaxSchema        = 64 << 10 // bytes of a tool's input schema
)

// The codes of the issues that Validate reports.
const (
	CodeRequired   = "required"
	CodeName       = "name"
	CodeVersion    = "version"
	CodeTooLong    = "too-long"
	CodeTooMany    = "too-many"
	CodeValue      = "value" // not one of the values allowed, or of the wrong shape
	CodeURL        = "url"
	CodeLicense    = "license"
	CodeStart      = "start" // not exactly one way to start
	CodeRange      = "range"
	CodeVariable   = "variable"
	CodeDuplicate  = "duplicate"
	CodePermission = "permission"
	CodePackage    = "package"
	CodeShell      = "shell"
)

// Validate returns what is wrong with the values of a manifest. Only issues of severity error make it
// unfit for the purpose. The issues have no line; Locate adds it.
func (m *Manifest) Validate(purpose Purpose) []hub.Issue {
	v := &validator{m: m, publish: purpose == ForPublish}
	v.identity()
	v.texts()
	v.links()
	if n := len(m.Servers); n > MaxServers {
		v.fail(CodeTooMany, "servers", "%d entries; at most %d are allowed", n, MaxServers)
	} else if n == 0 && v.publish {
		v.fail(CodeRequired, "servers", "at least one entry is needed, which says how the server is started or reached")
	}
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		v.entry(key, m.Servers[key])
	}
	v.configuration()
	v.permissions()
	v.dependencies()
	if n := len(jsonc.Encode(m.PublisherMeta)); len(m.PublisherMeta) > 0 && n > serverjson.MaxPublisherMeta {
		v.fail(CodeTooLong, "publisherMeta", "%d bytes; at most %d are allowed", n, serverjson.MaxPublisherMeta)
	}
	if v.publish {
		if n := len(m.Canonical()); n > jsonc.MaxBytes {
			v.fail(CodeTooLong, "", "the manifest has %d bytes; at most %d are allowed", n, jsonc.MaxBytes)
		}
	}
	return v.issues
}

type validator struct {
	m       *Manifest
	publish bool
	issues  []hub.Issue
}

func (v *validator) add(sev hub.Severity, code, path, format string, args ...any) {
	v.issues = append(v.issues, hub.Issue{Path: path, Message: fmt.Sprintf(format, args...), Severity: sev, Code: code})
}

func (v *validator) fail(code, path, format string, args ...any) {
	v.add(hub.SeverityError, code, path, format, args...)
}

func (v *validator) warn(code, path, format string, args ...any) {
	v.add(hub.SeverityWarning, code, path, format, args...)
}

func (v *validator) identity() {
	m := v.m
	switch {
	case m.Name != "":
		if _, err := hub.ParseName(m.Name); err != nil {
			v.fail(CodeName, "name", "%s", messageOf(err))
		}
	case v.publish:
		v.fail(CodeRequired, "name", "a name is needed, such as @acme/postgres or io.github.acme/postgres")
	}
	switch {
	case m.Version != "":
		if _, err := hub.ParseVersion(m.Version); err != nil {
			v.fail(CodeVersion, "version", "%s", messageOf(err))
		}
	case v.publish:
		v.fail(CodeRequired, "version", "a version is needed, such as 1.0.0")
	}
	if m.Description == "" && v.publish {
		v.fail(CodeRequired, "description", "a description is needed: one or two sentences on what the server does")
	}
}

// messageOf returns message and hint of an error for people.
func messageOf(err error) string {
	if e, ok := err.(*hub.Error); ok && e.Hint != "" {
		return e.Message + "; " + e.Hint
	}
	return err.Error()
}

func (v *validator) texts() {
	m := v.m
	v.length("description", m.Description, MaxDescription)
	v.length("title", m.Title, MaxTitle)
	if m.Title != "" && strings.TrimSpace(m.Title) == "" {
		v.fail(CodeValue, "title", "the title is only whitespace")
	}
	v.words("keywords", m.Keywords)
	v.words("categories", m.Categories)
	v.words("hosts", m.Hosts)
	if a := m.Author; a != nil {
		v.length("author.name", a.Name, 200)
		if a.Email != "" && (strings.Count(a.Email, "@") != 1 || strings.ContainsAny(a.Email, " <>\r\n")) {
			v.fail(CodeValue, "author.email", "%s is not an e-mail address", jsonc.Quote(a.Email))
		}
		v.url("author.url", a.URL)
	}
	runtimes := []string{"", "docker", "node", "python", "go", "binary", "remote"}
	if !slices.Contains(runtimes, m.Runtime) {
		v.fail(CodeValue, "runtime", "%s is not one of %s", jsonc.Quote(m.Runtime), strings.Join(runtimes[1:], ", "))
	}
	v.license(m.License)
}

func (v *validator) license(expr string) {
	if expr == "" {
		return
	}
	unknown, err := spdx.Check(expr)
	if err != nil {
		v.warn(CodeLicense, "license", "%s is not an SPDX expression: %v", jsonc.Quote(expr), err)
		return
	}
	for _, id := range unknown {
		v.warn(CodeLicense, "license", "%s is not a licence of the SPDX list we know; a licence of your own is written LicenseRef-name", jsonc.Quote(id))
	}
}

func (v *validator) length(path, s string, limit int) {
	if n := utf8.RuneCountInString(s); n > limit {
		v.fail(CodeTooLong, path, "%d characters; at most %d are allowed", n, limit)
	}
}

func (v *validator) words(path string, list []string) {
	if len(list) > MaxKeywords {
		v.fail(CodeTooMany, path, "%d items; at most %d are allowed", len(list), MaxKeywords)
	}
	for i, w := range list {
		switch {
		case strings.TrimSpace(w) == "":
			v.fail(CodeValue, jsonc.Index(path, i), "an empty word")
		case utf8.RuneCountInString(w) > MaxWord:
			v.fail(CodeTooLong, jsonc.Index(path, i), "%d characters; at most %d are allowed", utf8.RuneCountInString(w), MaxWord)
		}
	}
}

func (v *validator) links() {
	m := v.m
	v.url("homepage", m.Homepage)
	if r := m.Repository; r != nil {
		if r.URL == "" {
			v.fail(CodeRequired, "repository.url", "a repository needs a url")
		}
		v.url("repository.url", r.URL)
		if strings.Contains("/"+r.Subfolder+"/", "/../") || strings.HasPrefix(r.Subfolder, "/") {
			v.fail(CodeValue, "repository.subfolder", "%s is not a path below the repository", jsonc.Quote(r.Subfolder))
		}
	}
	if len(m.Icons) > 16 {
		v.fail(CodeTooMany, "icons", "%d icons; at most 16 are allowed", len(m.Icons))
	}
	for i, icon := range m.Icons {
		path := jsonc.Index("icons", i) + ".src"
		if v.url(path, icon.Src); icon.Src == "" {
			v.fail(CodeRequired, path, "an icon needs a src")
		} else if !strings.HasPrefix(icon.Src, "https://") {
			v.fail(CodeURL, path, "an icon's URL must start with https://")
		}
	}
}

var httpRE = lazyregexp.New(`^https?://[^\s]+$`)

// url checks an http or https URL without a password in it; an empty one is fine.
func (v *validator) url(path, s string) {
	if s == "" {
		return
	}
	s = Expand(s, func(string) string { return "0" })
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || !httpRE.MatchString(s):
		v.fail(CodeURL, path, "%s is not an http or https URL", jsonc.Quote(s))
	case u.User != nil:
		v.fail(CodeURL, path, "a URL must not hold a user name or password")
	case len(s) > 2048:
		v.fail(CodeTooLong, path, "a URL of %d bytes; at most 2048 are allowed", len(s))
	}
}

// Locate sets the line of each issue that has none, by finding its path in the text of the mcp.json.
func Locate(data []byte, issues []hub.Issue) {
	node, err := jsonc.Parse("mcp.json", data, true)
	if err != nil {
		return
	}
	lines := map[string]int{"": node.Line}
	collectLines(node, "", lines)
	for i := range issues {
		for path := issues[i].Path; issues[i].Line == 0; {
			if issues[i].Line = lines[path]; issues[i].Line != 0 || path == "" {
				break
			}
			path = path[:max(0, strings.LastIndexAny(path, ".["))]
		}
	}
}

func collectLines(n *jsonc.Node, path string, lines map[string]int) {
	for _, f := range n.Members {
		at := jsonc.Join(path, f.Name)
		lines[at] = f.Line
		collectLines(f.Value, at, lines)
	}
	for i, item := range n.Items {
		at := jsonc.Index(path, i)
		lines[at] = item.Line
		collectLines(item, at, lines)
	}
}
