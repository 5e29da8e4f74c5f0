// Package serverjson reads and checks server.json, the format of the official MCP registry, after the
// rules of its schema 2025-12-11 and its publish checks. Where the official registry limits itself to
// public package hosts, a finding here is only a warning: a hub of one's own may use private ones.
// internal/manifest is the door to it.
package serverjson

import (
	"fmt"
	"reflect"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

// The types of findings, in Issue.Code, as POST /validate of the official API names them.
const (
	TypeJSON     = "json"
	TypeSchema   = "schema"
	TypeSemantic = "semantic"
	TypeLinter   = "linter"
)

// Finding is an issue with its type (the same as its Code) and the name of the rule that it breaks.
type Finding struct {
	hub.Issue
	Type      string
	Reference string
}

// Parse reads a server.json: plain JSON of at most 1 MiB. It fails with Malformed, TooLarge, or Invalid
// when a value has the wrong type; the Issues then name each place. Unknown fields are warnings.
func Parse(data []byte) (*apiv0.ServerJSON, []hub.Issue, error) {
	node, err := jsonc.Parse("server.json", data, false)
	if err != nil {
		return nil, nil, err
	}
	sj, issues := Decode(node)
	if hub.HasErrors(issues) {
		return nil, issues, typeError(issues)
	}
	return sj, issues, nil
}

// Decode fills a server.json from a node, as far as it goes. Issues have Code "schema".
func Decode(node *jsonc.Node) (*apiv0.ServerJSON, []hub.Issue) {
	sj := new(apiv0.ServerJSON)
	d := &jsonc.Decoder{Aliases: map[string]string{
		"website_url": "websiteUrl", "homepage": "websiteUrl", "registry_name": "registryType", "registry_type": "registryType",
		"registry_base_url": "registryBaseUrl", "package_arguments": "packageArguments", "schema": "$schema",
		"runtime_arguments": "runtimeArguments", "environment_variables": "environmentVariables", "env": "environmentVariables",
		"transport_type": "type", "is_required": "isRequired", "is_secret": "isSecret", "required": "isRequired", "secret": "isSecret",
	}}
	d.Decode(node, reflect.ValueOf(sj).Elem(), "")
	for i := range d.Issues {
		d.Issues[i].Code = TypeSchema
	}
	return sj, d.Issues
}

func typeError(issues []hub.Issue) error {
	first, count := -1, 0
	for i, is := range issues {
		if is.Severity == hub.SeverityError {
			if first < 0 {
				first = i
			}
			count++
		}
	}
	at := issues[first].Path
	if at != "" {
		at += ": "
	}
	msg := fmt.Sprintf("server.json line %d: %s%s", issues[first].Line, at, issues[first].Message)
	if count > 1 {
		msg += fmt.Sprintf(" (and %d more)", count-1)
	}
	return hub.Errorf(hub.Invalid, "%s", msg).WithIssues(issues)
}
