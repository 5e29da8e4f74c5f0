package source_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source"
)

const labelled = "images.test/acme/orders@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestFromLabels guards: an image made for Docker's MCP Toolkit becomes a server with its secrets, parameters, directories, hosts
// and tools, and what has no counterpart is named.
func TestFromLabels(t *testing.T) {
	m, warnings, err := source.FromLabels(labelled, map[string]string{
		source.ToolkitLabel: `
name: orders
title: Orders
description: Looks orders up
type: server
secrets:
  - name: orders.api_key
    env: ORDERS_KEY
    example: ord_123
env:
  - name: ORDERS_URL
    value: '{{orders.url}}'
config:
  - name: orders
    type: object
    properties:
      url: {type: string, description: where they are}
      paths: {type: string}
    required: [url]
command: [--transport=stdio]
volumes: ['{{orders.paths|volume}}']
allowHosts: ['api.orders.test:443']
user: "0:0"
metadata: {license: MIT License, tags: [shop], category: commerce}
tools:
  - name: find_order
    description: Finds one
    arguments: [{name: id, type: string, desc: its number}]
`,
		"org.opencontainers.image.version": "1.4.0", "org.opencontainers.image.source": "https://github.com/acme/orders", "org.opencontainers.image.title": "not this",
	})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(m)
	for _, want := range []string{
		`"name":"orders"`, `"version":"1.4.0"`, `"title":"Orders"`, `"license":"MIT"`, `"https://github.com/acme/orders"`, `"keywords":["shop"]`,
		labelled, `--transport=stdio`, `"ORDERS_KEY"`, `"placeholder":"ord_123"`, `"where they are"`, `"outbound":["api.orders.test:443"]`, `"find_order"`, `"its number"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, `the user "0:0"`) }) {
		t.Errorf("warnings: %q", warnings)
	}
	m.Name = "@acme/orders"
	if issues := m.Validate(manifest.ForPublish); hub.HasErrors(issues) {
		t.Errorf("it cannot be published: %+v", issues)
	}
}

// TestFromPlainLabels guards: an image without the Toolkit's label is one that is started as it is, and one that is not a server is
// refused.
func TestFromPlainLabels(t *testing.T) {
	m, _, err := source.FromLabels(labelled, map[string]string{
		"org.opencontainers.image.description": "Looks orders up", "org.opencontainers.image.version": "latest", "io.modelcontextprotocol.server.name": "io.github.acme/orders",
	})
	if err != nil || m.Version != "" || m.Description != "Looks orders up" || m.Name != "io.github.acme/orders" || m.Servers["default"].Package.Identifier != labelled {
		t.Errorf("%+v %v", m, err)
	}
	if m, _, err = source.FromLabels(labelled, nil); err != nil || m.Servers["default"].Package == nil {
		t.Errorf("%+v %v", m, err)
	}
	for _, bad := range []string{"type: poci", "type: remote", "[1", "a: &x [1]\nb: *x", strings.Repeat("a: 1\n", 1<<20), `"text"`} {
		if m, _, err := source.FromLabels(labelled, map[string]string{source.ToolkitLabel: bad}); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%.40q became %+v, %v", bad, m, err)
		}
	}
}

// FuzzFromLabels guards: no label stops the program, and what is made of one can be written down.
func FuzzFromLabels(f *testing.F) {
	for _, seed := range []string{"name: a", `{"name":"a","secrets":[{"env":"A"}],"volumes":["{{a.b|volume}}"]}`, "config: [{properties: {a: {properties: {b: 1}}}}]", "tools: [{}]", "\x00", "env: [{name: A, value: '{{'}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		m, _, err := source.FromLabels(labelled, map[string]string{source.ToolkitLabel: label})
		if err != nil {
			return
		}
		if _, err := json.Marshal(m); err != nil {
			t.Error(err)
		}
		m.Validate(manifest.ForPublish)
	})
}
