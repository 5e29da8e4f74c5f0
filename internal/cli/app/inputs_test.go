package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/manifest"
)

// Everything that can be given is found, once, with what is known of it; what is fixed by the publisher is not asked for.
func TestInputsOf(t *testing.T) {
	in := func(env bool, i manifest.Input) Input { return Input{Input: i, FromEnv: env} }
	for name, c := range map[string]struct {
		manifest string
		want     map[string]Input
	}{
		"a package": {`{"servers": {"a": {"package": {"registryType": "npm", "identifier": "x", "version": "1.0.0", "transport": {"type": "stdio"},
			"environmentVariables": [{"name": "API_KEY", "isRequired": true, "isSecret": true}, {"name": "FIXED", "value": "1"}, {"name": "URL", "value": "https://{region}.test", "variables": {"region": {"choices": ["eu", "us"]}, "set": {"value": "1"}}}],
			"packageArguments": [{"type": "positional", "valueHint": "path", "format": "filepath"}, {"type": "named", "name": "--level", "default": "1", "format": "number"}, {"type": "named", "name": "--verbose"}, {"type": "positional", "value": "start"}]}}}}`,
			map[string]Input{
				"API_KEY": in(true, manifest.Input{Required: true, Secret: true}), "region": in(true, manifest.Input{Choices: []string{"eu", "us"}}),
				"path": in(false, manifest.Input{Type: "filepath"}), "level": in(false, manifest.Input{Type: "number", Default: "1"}),
			}},
		"a remote": {`{"servers": {"a": {"remote": {"type": "sse", "url": "https://{host}.test/sse", "variables": {"host": {"default": "eu"}}, "headers": [{"name": "Authorization", "isSecret": true}, {"name": "X-Fixed", "value": "1"}]}}}}`,
			map[string]Input{"Authorization": in(false, manifest.Input{Secret: true}), "host": in(false, manifest.Input{Default: "eu"})}},
		"a command": {`{"servers": {"a": {"command": "x", "args": ["${workspace}", "${MY_TOKEN}"], "env": {"A": "${MAX_TOKENS}", "B": "${PLAIN}", "C": "${LISTED}"}}},
			"permissions": {"secrets": ["LISTED"]}, "configuration": {"MAX_TOKENS": {"type": "number", "description": "how many"}, "UNUSED": {"default": "1"}}}`,
			map[string]Input{
				"MY_TOKEN": in(true, manifest.Input{Secret: true}), "MAX_TOKENS": in(true, manifest.Input{Type: "number", Description: "how many"}),
				"PLAIN": in(true, manifest.Input{}), "LISTED": in(true, manifest.Input{Secret: true}), "UNUSED": in(true, manifest.Input{Default: "1"}),
			}},
	} {
		t.Run(name, func(t *testing.T) {
			m, _, err := manifest.Parse([]byte(c.manifest))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]Input{}
			for _, x := range InputsOf(m, m.Servers["a"]) {
				key := x.Name
				x.Name = ""
				got[key] = x
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
