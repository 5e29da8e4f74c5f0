package manifest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/serverjson"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Finding is an issue with its type and the name of the rule that it breaks.
type Finding = serverjson.Finding

// ParseServerJSON reads an official server.json: plain JSON, at most 1 MiB. It fails with Malformed,
// TooLarge, or Invalid when a value has the wrong type. Issues have Code "schema"; those returned without
// an error are warnings about unknown fields.
func ParseServerJSON(data []byte) (*apiv0.ServerJSON, []hub.Issue, error) {
	return serverjson.Parse(data)
}

// ValidateServerJSON returns everything wrong with a server.json by the rules of the official registry.
// Code is "schema", "semantic", "json" or "linter"; only errors make it invalid. See CheckServerJSON for
// the names of the rules.
func ValidateServerJSON(sj *apiv0.ServerJSON) []hub.Issue {
	return issuesOf(serverjson.Check(sj))
}

// CheckServerJSON is ValidateServerJSON with the name of the broken rule in each finding, as POST
// /validate of the official API shows it.
func CheckServerJSON(sj *apiv0.ServerJSON) []Finding { return serverjson.Check(sj) }

func issuesOf(found []Finding) []hub.Issue {
	var out []hub.Issue
	for _, f := range found {
		out = append(out, f.Issue)
	}
	return out
}

// shorten cuts s to at most limit characters, at a word when there is one in the last third, and marks
// the cut with an ellipsis. Whether anything was cut is the second result.
func shorten(s string, limit int) (string, bool) {
	if utf8.RuneCountInString(s) <= limit {
		return s, false
	}
	runes := []rune(s)[:limit-1]
	for i := len(runes) - 1; i > limit*2/3; i-- {
		if unicode.IsSpace(runes[i]) {
			runes = runes[:i]
			break
		}
	}
	return strings.TrimRightFunc(string(runes), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;:-", r)
	}) + "…", true
}

// transportOf returns the transport of an entry, with the default for its kind.
func (s ServerSpec) transportOf() string {
	switch {
	case s.Package != nil && s.Package.Transport.Type != "":
		return s.Package.Transport.Type
	case s.Remote != nil && s.Remote.Type != "":
		return s.Remote.Type
	case s.Transport != "":
		return s.Transport
	case s.URL != "" || s.Remote != nil:
		return model.TransportTypeStreamableHTTP
	}
	return model.TransportTypeStdio
}

// CheckPackage returns what is wrong with one package of a server.json; path names it in the findings.
func CheckPackage(path string, p *model.Package) []Finding {
	return serverjson.CheckPackage(path, p)
}
