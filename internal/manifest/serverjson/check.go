package serverjson

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Limits of server.json.
const (
	MaxDescription   = 100 // characters, as of a title
	MaxIconSrc       = 255
	MaxPublisherMeta = 4096 // bytes of the publisher's object in _meta, as JSON
)

// SchemaVersions are the versions of the format that are read, oldest first.
var SchemaVersions = []string{"2025-07-09", "2025-09-16", "2025-09-29", "2025-10-11", "2025-10-17", model.CurrentSchemaVersion}

var (
	schemaRE    = lazyregexp.New(`/schemas/([A-Za-z0-9_~.-]+)/server\.schema\.json$`)
	nameRE      = lazyregexp.New(`^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$`)
	nameSideRE  = lazyregexp.New(`^[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z0-9]$`)
	githubRE    = lazyregexp.New(`^https?://(www\.)?github\.com/[\w.-]+/[\w.-]+/?$`)
	gitlabRE    = lazyregexp.New(`^https?://(www\.)?gitlab\.com/[\w.-]+(/[\w.-]+)+/?$`)
	subfolderRE = lazyregexp.New(`^[a-zA-Z0-9_./-]+$`)
	iconSizeRE  = lazyregexp.New(`^(\d+x\d+|any)$`)
)

type checker struct{ found []Finding }

func (c *checker) add(kind string, sev hub.Severity, path, ref, format string, args ...any) {
	c.found = append(c.found, Finding{
		Issue: hub.Issue{Path: path, Message: fmt.Sprintf(format, args...), Severity: sev, Code: kind},
		Type:  kind, Reference: ref,
	})
}

func (c *checker) schema(path, ref, format string, args ...any) {
	c.add(TypeSchema, hub.SeverityError, path, ref, format, args...)
}

func (c *checker) semantic(path, ref, format string, args ...any) {
	c.add(TypeSemantic, hub.SeverityError, path, ref, format, args...)
}

func (c *checker) warn(kind, path, ref, format string, args ...any) {
	c.add(kind, hub.SeverityWarning, path, ref, format, args...)
}

// Check returns everything wrong with a server.json. Only findings of severity error make it invalid.
func Check(sj *apiv0.ServerJSON) []Finding {
	c := &checker{}
	c.schemaVersion(sj.Schema)
	c.name(sj.Name)
	c.length("description", sj.Description, 1, MaxDescription)
	if sj.Title != "" {
		c.length("title", sj.Title, 1, MaxDescription)
		if strings.TrimSpace(sj.Title) == "" {
			c.semantic("title", "title-whitespace-only", "the title is only whitespace")
		}
	}
	if sj.Version == "" {
		c.schema("version", "version-required", "a version is required")
	}
	c.version("version", sj.Version)
	c.website(sj.WebsiteURL)
	c.repository(sj.Repository)
	for i, icon := range sj.Icons {
		c.icon(jsonc.Index("icons", i), icon)
	}
	for i := range sj.Packages {
		c.pkg(jsonc.Index("packages", i), &sj.Packages[i])
	}
	for i := range sj.Remotes {
		c.remote(jsonc.Index("remotes", i), &sj.Remotes[i])
		for j := range i {
			if sj.Remotes[j].URL == sj.Remotes[i].URL && sj.Remotes[i].URL != "" {
				c.warn(TypeLinter, jsonc.Index("remotes", i)+".url", "remote-url-twice", "the URL is the same as that of remotes[%d]", j)
			}
		}
	}
	if len(sj.Packages)+len(sj.Remotes) == 0 {
		c.warn(TypeLinter, "", "no-packages-or-remotes", "there is neither a package nor a remote, so nobody can start the server")
	}
	c.meta(sj.Meta)
	return c.found
}

// CheckPackage checks one package; path names it in the findings.
func CheckPackage(path string, p *model.Package) []Finding {
	c := &checker{}
	c.pkg(path, p)
	return c.found
}

// CheckRemote checks one remote; path names it in the findings.
func CheckRemote(path string, t *model.Transport) []Finding {
	c := &checker{}
	c.remote(path, t)
	return c.found
}

func (c *checker) schemaVersion(schema string) {
	if schema == "" {
		c.semantic("$schema", "schema-field-required", "$schema is required; write %q", model.CurrentSchemaURL)
		return
	}
	p := schemaRE.FindStringSubmatch(schema)
	switch {
	case p == nil:
		c.schema("$schema", "schema-version-extraction-error", "%s is not the URL of a server.json schema; write %q", jsonc.Quote(schema), model.CurrentSchemaURL)
	case !slices.Contains(SchemaVersions, p[1]):
		c.schema("$schema", "schema-version-not-available", "the schema version %s is not known; the current one is %s", jsonc.Quote(p[1]), model.CurrentSchemaVersion)
	case p[1] != model.CurrentSchemaVersion:
		c.warn(TypeSemantic, "$schema", "schema-version-deprecated", "the schema version %s is old; the current one is %s", p[1], model.CurrentSchemaVersion)
	}
}

func (c *checker) name(name string) {
	if name == "" {
		c.schema("name", "name-required", "a name is required")
		return
	}
	if n := utf8.RuneCountInString(name); n < 3 || n > hub.MaxMirrorName {
		c.schema("name", "name-length", "the name has %d characters; it needs 3 to %d", n, hub.MaxMirrorName)
	}
	if strings.Count(name, "/") > 1 {
		c.semantic("name", "invalid-server-name", "the name %s has more than one slash", jsonc.Quote(name))
		return
	}
	if !nameRE.MatchString(name) {
		c.schema("name", "name-pattern", "the name %s must be namespace/name of letters, digits, '.', '-' (and '_' after the slash)", jsonc.Quote(name))
		return
	}
	ns, base, _ := strings.Cut(name, "/")
	for _, part := range []string{ns, base} {
		if !nameSideRE.MatchString(part) {
			c.semantic("name", "invalid-server-name", "in the name %s, %q must have at least 2 characters and start and end with a letter or digit", jsonc.Quote(name), part)
		}
	}
}

func (c *checker) length(path, s string, low, high int) {
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && low > 0:
		c.schema(path, path+"-required", "a %s is required", path)
	case n < low || n > high:
		c.schema(path, path+"-length", "the %s has %d characters; it needs %d to %d", path, n, low, high)
	}
}

func (c *checker) website(s string) {
	if s == "" {
		return
	}
	if i := strings.IndexAny(s, "\"'<> \t\n\r"); i >= 0 {
		c.semantic("websiteUrl", "website-url-invalid-characters", "the URL %s has the character %q, which must be percent-encoded", jsonc.Quote(s), s[i])
		return
	}
	c.httpsURL("websiteUrl", "website-url", s)
}

// httpsURL checks for an absolute https URL without a password in it.
func (c *checker) httpsURL(path, ref, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		c.semantic(path, ref+"-invalid", "%s is not a URL", jsonc.Quote(s))
	case !u.IsAbs() || u.Host == "":
		c.semantic(path, ref+"-must-be-absolute", "%s must be an absolute URL, with https:// and a host", jsonc.Quote(s))
	case u.Scheme != "https":
		c.semantic(path, ref+"-invalid-scheme", "%s must start with https://", jsonc.Quote(s))
	case u.User != nil:
		c.semantic(path, ref+"-userinfo", "a URL must not hold a user name or password")
	}
}

func (c *checker) repository(r *model.Repository) {
	if r == nil {
		return
	}
	if r.URL == "" {
		c.semantic("repository.url", "repository-url-required", "a repository needs a url")
	}
	if r.Source == "" {
		c.semantic("repository.source", "repository-source-required", "a repository needs a source, such as \"github\"")
	}
	if r.URL == "" || r.Source == "" {
		return
	}
	switch r.Source {
	case "github":
		if !githubRE.MatchString(r.URL) {
			c.semantic("repository.url", "invalid-repository-url", "%s is not the root of a GitHub repository", jsonc.Quote(r.URL))
		}
	case "gitlab":
		if !gitlabRE.MatchString(r.URL) || strings.Contains(r.URL+"/", "/-/") {
			c.semantic("repository.url", "invalid-repository-url", "%s is not the root of a GitLab repository", jsonc.Quote(r.URL))
		}
	default:
		c.warn(TypeSemantic, "repository.source", "repository-source-unknown", "the source %s is not known to the official registry, which takes github and gitlab", jsonc.Quote(r.Source))
		if u, err := url.Parse(r.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			c.semantic("repository.url", "invalid-repository-url", "%s is not an http or https URL", jsonc.Quote(r.URL))
		}
	}
	if r.Subfolder != "" && !cleanSubfolder(r.Subfolder) {
		c.semantic("repository.subfolder", "invalid-subfolder-path", "%s is not a clean relative path", jsonc.Quote(r.Subfolder))
	}
}

func cleanSubfolder(s string) bool {
	if !subfolderRE.MatchString(s) {
		return false
	}
	for _, seg := range strings.Split(s, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return false
		}
	}
	return true
}

func (c *checker) icon(path string, icon model.Icon) {
	if icon.Src == "" {
		c.schema(path+".src", "icon-src-required", "an icon needs a src")
		return
	}
	if n := utf8.RuneCountInString(icon.Src); n > MaxIconSrc {
		c.schema(path+".src", "icon-src-length", "the URL has %d characters; at most %d are allowed", n, MaxIconSrc)
	}
	c.httpsURL(path+".src", "icon-src", icon.Src)
	types := []string{"image/png", "image/jpeg", "image/jpg", "image/svg+xml", "image/webp"}
	if icon.MimeType != nil && !slices.Contains(types, *icon.MimeType) {
		c.schema(path+".mimeType", "icon-mime-type", "%s is not one of %s", jsonc.Quote(*icon.MimeType), strings.Join(types, ", "))
	}
	for i, size := range icon.Sizes {
		if !iconSizeRE.MatchString(size) {
			c.schema(jsonc.Index(path+".sizes", i), "icon-size", "%s is neither WxH, such as 48x48, nor \"any\"", jsonc.Quote(size))
		}
	}
	if icon.Theme != nil && *icon.Theme != "light" && *icon.Theme != "dark" {
		c.schema(path+".theme", "icon-theme", "%s is neither light nor dark", jsonc.Quote(*icon.Theme))
	}
}

func (c *checker) meta(meta *apiv0.ServerMeta) {
	if meta == nil || meta.PublisherProvided == nil {
		return
	}
	b, err := json.Marshal(meta.PublisherProvided)
	path := `_meta["` + hub.PublisherKey + `"]`
	switch {
	case err != nil:
		c.schema(path, "publisher-meta", "the publisher's metadata is not plain JSON")
	case len(b) > MaxPublisherMeta:
		c.semantic(path, "publisher-meta-size", "the publisher's metadata has %d bytes; at most %d are allowed", len(b), MaxPublisherMeta)
	}
}
