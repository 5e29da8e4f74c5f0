package manifest

import (
	"net/url"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// forges are the hosts whose URLs we can take apart, and the words server.json has for them.
var forges = map[string]string{"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket", "codeberg.org": "codeberg"}

var (
	scpRE       = lazyregexp.New(`^(?:ssh://)?git@([a-zA-Z0-9.-]+)[:/](.+)$`)
	shorthandRE = lazyregexp.New(`^(?:github:)?([A-Za-z0-9][\w.-]*/[\w.-]+)$`)
	treeRE      = lazyregexp.New(`^(/.+?)/(?:-/)?(?:tree|blob)/[^/]+(?:/(.*))?$`)
)

// RepositoryOf reads the ways people write where the source is: a web URL (a folder or file in it becomes
// the subfolder), git+https:, git@host:path, or owner/name on GitHub. What it does not understand is kept
// as the URL, for Validate to refuse.
func RepositoryOf(s string) Repository {
	s = strings.TrimPrefix(strings.TrimSpace(s), "git+")
	if p := scpRE.FindStringSubmatch(s); p != nil {
		s = "https://" + p[1] + "/" + p[2]
	} else if p := shorthandRE.FindStringSubmatch(s); p != nil {
		s = "https://github.com/" + p[1]
	}
	if rest, ok := strings.CutPrefix(s, "git://"); ok {
		s = "https://" + rest
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return Repository{URL: s}
	}
	r := Repository{Source: sourceOf(u)}
	if r.Source == "" {
		r.URL = s
		return r
	}
	u.RawQuery, u.Fragment = "", ""
	path := strings.TrimRight(u.Path, "/")
	if p := treeRE.FindStringSubmatch(path); p != nil {
		path, r.Subfolder = p[1], strings.Trim(p[2], "/")
	}
	u.Path = strings.TrimSuffix(path, ".git")
	u.RawPath = ""
	r.URL = u.String()
	return r
}

// sourceOf returns the word for the forge a URL is on, or "" for one we do not know.
func sourceOf(u *url.URL) string {
	return forges[strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")]
}
