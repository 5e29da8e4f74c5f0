package cli_test

import (
	"fmt"
	"strings"
	"testing"
)

// entangled is a project whose servers need one another, two of them in a circle.
func entangled(t *testing.T) *world {
	w := newWorld(t)
	w.stock()
	needs := func(name, deps string) {
		w.hub.add(t, fmt.Sprintf(`{"name": "@acme/%s", "version": "1.0.0", "description": "One of several", "servers": {"default": {"command": "x"}}, "dependencies": {%s}}`, name, deps), nil)
	}
	needs("charts", `"@acme/reports": "^3", "@acme/postgres": "1.x"`)
	needs("hen", `"@acme/egg": "^1.0.0"`)
	needs("egg", `"@acme/hen": "^1.0.0", "@acme/postgres": "*"`)
	w.write("shop/mcp.json", "{\n  \"dependencies\": {\n    \"@acme/charts\": \"^1.0.0\",\n    \"@acme/postgres\": \"^1.4.0\"\n  },\n  \"devDependencies\": {\n    \"@acme/hen\": \"^1.0.0\"\n  }\n}\n")
	if code, _, errw := w.mcpm("install", "--yes", "--no-hosts", "-q"); code != 0 {
		t.Fatal(errw)
	}
	return w
}

func TestWhy(t *testing.T) {
	w := entangled(t)
	asked := len(w.hub.requests)
	text := w.transcript(cmds("why @acme/postgres", "why @acme/egg", "why @acme/charts", "why @acme/reports --json", "why @acme/postgre",
		"why io.github.acme/tickets", "why @acme/postgres@1.4.0", "why postgres", "why", "why -g @acme/postgres")...)
	before := w.read("shop/mcp.json")
	w.write("shop/mcp.json", strings.Replace(before, "\"devDependencies\": {\n    \"@acme/hen\": \"^1.0.0\"\n  }", "\"overrides\": {\"@acme/reports\": \"3.0.0\"}", 1))
	text += "\n" + w.transcript(cmds("why @acme/hen", "why @acme/reports")...)
	w.write("shop/mcp.json", strings.Replace(before, "\"@acme/charts\"", "\"@acme/new\": \"^1.0.0\", \"@acme/charts\"", 1))
	text += "\n" + w.transcript(cmds("why @acme/new --offline")...)
	if len(w.hub.requests) != asked {
		t.Errorf("the hub was asked: %v", w.hub.requests[asked:])
	}
	w.mcpm("install", "-g", "io.github.acme/tickets", "--yes", "--no-hosts")
	text += "\n" + w.transcript(cmds("why io.github.acme/tickets", "why -g io.github.acme/tickets")...)
	golden(t, "why.txt", text)
}

// More chains than anybody reads end, and it is said that there are more.
func TestWhyEnds(t *testing.T) {
	w := newWorld(t)
	var servers []string
	for layer := range 20 { // 2 to the 20th chains, and each pair in a circle
		for _, side := range []string{"a", "b"} {
			deps := fmt.Sprintf(`"@l/a%d": "*", "@l/b%d": "*"`, layer+1, layer+1)
			if layer > 0 {
				deps += fmt.Sprintf(`, "@l/a%d": "*"`, layer-1)
			}
			servers = append(servers, fmt.Sprintf(`"@l/%s%d": {"version": "1.0.0", "manifest": "sha256:%064d", "dependencies": {%s}}`, side, layer, 0, deps))
		}
	}
	servers = append(servers, fmt.Sprintf(`"@l/a20": {"version": "1.0.0", "manifest": "sha256:%064d"}`, 0))
	w.write("shop/mcp.json", `{"dependencies": {"@l/a0": "*"}}`)
	w.write("shop/mcpm-lock.json", `{"lockfileVersion": 1, "servers": {`+strings.Join(servers, ",\n")+`}}`)
	code, out, errw := w.mcpm("why", "@l/a20")
	if code != 0 || strings.Count(out, "needs @l/a20 ") == 0 || errw != "There are more chains than the 200 chains shown.\n" {
		t.Errorf("exit %d, %d bytes, %s", code, len(out), errw)
	}
	code, out, _ = w.mcpm("list", "--tree")
	if lines := strings.Count(out, "\n"); code != 0 || lines > 41*3+1 {
		t.Errorf("exit %d, the tree has %d lines", code, lines)
	}
}

func TestListTree(t *testing.T) {
	w := entangled(t)
	text := w.transcript(cmds("list --tree", "list", "list --tree -g")...)
	w.write("shop/mcp.json", "{\n  \"dependencies\": {\n    \"@acme/charts\": \"^1.0.0\",\n    \"@acme/new\": \"^2.0.0\"\n  }\n}\n")
	text += "\n" + w.transcript(cmds("list --tree", "list --tree --json")...)
	w.width = 40
	text += "\n-- 40 columns --\n" + w.transcript(cmds("list --tree")...)
	golden(t, "list-tree.txt", text)
}
