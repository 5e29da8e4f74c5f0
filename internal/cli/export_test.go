package cli_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const imaged = `{
  "name": "@acme/imaged", "version": "1.0.0", "description": "A server in a container", "license": "Apache-2.0",
  "servers": {"default": {"package": {"registryType": "oci", "identifier": "registry.acme.example/tools/imaged@sha256:7777777777777777777777777777777777777777777777777777777777777777", "transport": {"type": "stdio"},
    "runtimeArguments": [{"type": "named", "name": "-v", "value": "{data}:/data", "variables": {"data": {"isRequired": true}}}, {"type": "named", "name": "--rm"}],
    "packageArguments": [{"type": "positional", "value": "serve"}, {"type": "named", "name": "--level", "default": "in$fo"}, {"type": "named", "name": "--fast"}],
    "environmentVariables": [{"name": "TOKEN", "isRequired": true, "isSecret": true}, {"name": "ZONE", "default": "UTC"}, {"name": "TRACE", "description": "say more"}]},
    "capabilities": {"tools": ["now"]}}},
  "permissions": {"secrets": ["TOKEN"], "resources": {"memory": "512Mi", "cpus": 0.5, "pids": 64}}
}`

// exported is a project with a package of npm, an image, a remote server, and servers that need one another.
func exported(t *testing.T) *world {
	w := newWorld(t)
	w.stock()
	w.hub.add(t, imaged, nil)
	w.program("docker", "#!/bin/sh\n")
	for _, name := range []string{"@acme/postgres@1.4.0", "@acme/reports", "io.github.acme/tickets", "@acme/imaged"} {
		if code, _, errs := w.mcpm("install", name, "--yes", "--no-hosts", "-q"); code != 0 {
			t.Fatal(errs)
		}
	}
	return w
}

// tidyBill is tidy, also for the address of the hub inside of a package URL.
func (w *world) tidyBill(s string) string {
	return w.tidy(strings.ReplaceAll(s, strings.Replace(w.hub.URL, "//", "%2F%2F", 1), "http:%2F%2Fhub.test"))
}

// TestExportBills: what is written is what the official schemas allow, twice the same, and refers to nothing that is
// not in it.
func TestExportBills(t *testing.T) {
	w := exported(t)
	_, bill, errs := w.mcpm("export", "--format", "sbom")
	golden(t, "export-cyclonedx.json", w.tidyBill(bill))
	if _, again, _ := w.mcpm("export", "-f", "cyclonedx"); again != bill || errs != "" {
		t.Errorf("the same lockfile gave another bill; %s", errs)
	}
	validCycloneDX(t, bill)
	_, text, _ := w.mcpm("export", "--format", "spdx")
	golden(t, "export-spdx.json", w.tidyBill(text))
	validSPDX(t, text)
	_, one, _ := w.mcpm("export", "@acme/reports", "-f", "sbom")
	if !strings.Contains(one, "%40acme/pg") || strings.Contains(one, "tickets") {
		t.Errorf("the bill of one server has not all it needs, or more:\n%s", one)
	}
	w.vars["SOURCE_DATE_EPOCH"] = "1770000000"
	if _, dated, _ := w.mcpm("export", "-f", "spdx"); !strings.Contains(dated, `"created": "2026-02-02T02:40:00Z"`) {
		t.Errorf("SOURCE_DATE_EPOCH is not the time:\n%.600s", dated)
	}
	digest := w.read("shop/mcpm-lock.json")
	w.write("shop/mcpm-lock.json", strings.Replace(digest, `"version":"1.4.0"`, `"version":"1.4.1"`, 1))
	if w.read("shop/mcpm-lock.json") == digest {
		w.write("shop/mcpm-lock.json", strings.Replace(digest, "sha512-AAAA", "sha512-BAAA", 1))
	}
	if code, _, errs := w.mcpm("export", "-f", "sbom"); code != 6 {
		t.Errorf("a tree that was changed in the lockfile: exit %d, %s", code, errs)
	}
}

func validCycloneDX(t *testing.T, text string) {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		raw, err := os.ReadFile(filepath.Join("export", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("not CycloneDX 1.6: %v", err)
	}
	var bom struct {
		Components []struct {
			Ref string `json:"bom-ref"`
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal([]byte(text), &bom); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"project": true}
	for _, x := range bom.Components {
		known[x.Ref] = true
	}
	for _, d := range bom.Dependencies {
		for _, ref := range append(d.DependsOn, d.Ref) {
			if !known[ref] {
				t.Errorf("%s is referred to and not there", ref)
			}
		}
	}
	if len(bom.Dependencies) != len(bom.Components)+1 {
		t.Errorf("%d components, what they need is told of %d", len(bom.Components), len(bom.Dependencies))
	}
}

func validSPDX(t *testing.T, text string) {
	t.Helper()
	var doc spdx.Document
	if err := spdxjson.ReadInto(strings.NewReader(text), &doc); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"DOCUMENT": true}
	for _, p := range doc.Packages {
		if known[string(p.PackageSPDXIdentifier)] {
			t.Errorf("%s is there twice", p.PackageSPDXIdentifier)
		}
		known[string(p.PackageSPDXIdentifier)] = true
	}
	for _, r := range doc.Relationships {
		if !known[string(r.RefA.ElementRefID)] || !known[string(r.RefB.ElementRefID)] {
			t.Errorf("%s %s %s refers to what is not there", r.RefA.ElementRefID, r.Relationship, r.RefB.ElementRefID)
		}
	}
}

// TestExportOwnBundle: an MCP bundle of a server's own files holds those of its bundle and no others, asks for what it
// takes, and leaves out what the format cannot say.
func TestExportOwnBundle(t *testing.T) {
	w := newWorld(t)
	about := `{"name": "@acme/NAME", "version": "1.0.0", "description": "Own files", "configuration": {
		"TOKEN": {"description": "A key", "secret": true, "required": true}, "LEVEL": {"type": "number"}}, "servers": {"default": SPEC}}`
	files := map[string]string{"manifest.json": "{}", "index.js": "// node", "run": "\x7fELF", "lib/a.json": "1"}
	for name, spec := range map[string]string{
		"node":  `{"command": "node", "args": ["${bundle}/index.js", "--in=${bundle}/lib", "--home", "${HOME}", "--level=${LEVEL}", "$${x}"], "env": {"TOKEN": "${TOKEN}", "LEVEL": "${LEVEL}"}}`,
		"bin":   `{"command": "./run", "args": ["--version=${version}"]}`,
		"shell": `{"command": "sh", "args": ["-c", "${bundle}/run"]}`,
		"place": `{"command": "node", "args": ["index.js", "${workspace}", "${bundle}"]}`,
	} {
		w.hub.add(t, strings.NewReplacer("NAME", name, "SPEC", spec).Replace(about), tgz(t, files))
		if code, _, errs := w.mcpm("install", "@acme/"+name, "--yes", "--no-hosts", "-q"); code != 0 {
			t.Fatal(errs)
		}
	}
	dirs, err := filepath.Glob(w.path("home/.mcpm/store/sha512/*/index.js"))
	if err != nil || len(dirs) != 1 {
		t.Fatal(dirs, err)
	}
	for i := range 12 { // in the store, and not of the bundle
		if err := os.WriteFile(filepath.Join(filepath.Dir(dirs[0]), fmt.Sprintf("added%d.js", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := ""
	for _, name := range []string{"node", "bin"} {
		code, one, errs := w.mcpm("export", "@acme/"+name, "-f", "mcpb")
		if _, two, _ := w.mcpm("export", "@acme/"+name, "-f", "mcpb"); code != 0 || one != two {
			t.Fatalf("exit %d, the same: %v; %s", code, one == two, errs)
		}
		text += "2> " + errs + unzipped(t, one) + "\n"
	}
	golden(t, "export-own.txt", text+w.transcript(cmds("export -f mcpb @acme/shell", "export -f mcpb @acme/place")...))
}

// unzipped prints what an archive holds, with what may be executed.
func unzipped(t *testing.T, raw string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, f := range z.File {
		text += fmt.Sprintf("-- %s %s --\n", f.Name, f.Mode())
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text += strings.TrimSuffix(string(data), "\n") + "\n"
	}
	return text
}

func tgz(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := int64(0o644)
		if strings.HasPrefix(files[name], "\x7fELF") || strings.HasPrefix(files[name], "#!") {
			mode = 0o755
		}
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExport(t *testing.T) {
	w := exported(t)
	text := w.transcript(cmds("export", "export -f pdf", "export -f server.json", "export -f server.json @acme/imaged", "export -f compose",
		"export -f compose @acme/postgres", "export -f sbom @acme/postgre", "export -f sbom @acme/postgres@1.5.0", "export -f sbom -o bill.json", "-C ../home export -f sbom")...)
	w.write("copy/mcp.json", postgres1)
	w.mcpm("link", w.path("copy"))
	text += "\n" + w.transcript(cmds("export -f server.json @acme/postgres", "export -f mcpb @acme/postgres")...)
	golden(t, "export.txt", text)
	if w.read("shop/bill.json") == "" {
		t.Error("no file was written")
	}
}

// TestExportBundle: an MCP bundle holds the locked packages and what it asks for, is twice the same, and is not made of
// what was changed, or of what node does not start.
func TestExportBundle(t *testing.T) {
	w := newWorld(t)
	w.hub.add(t, strings.Replace(postgres1, `"environmentVariables"`, `"packageArguments": [{"type": "positional", "value": "--schema={schema}", "variables": {"schema": {"default": "public"}}},
		{"type": "named", "name": "--read-only"}, {"type": "named", "name": "--level", "description": "may be missing", "placeholder": "info"}], "environmentVariables"`, 1), nil)
	w.hub.add(t, reports, nil)
	w.program("npm", strings.Replace(fakeNPM, `'#!/bin/sh\necho`, `'#!/usr/bin/env node\necho`, 1))
	for _, name := range []string{"@acme/postgres", "@acme/reports"} {
		if code, _, errs := w.mcpm("install", name, "--yes", "--no-hosts", "-q"); code != 0 {
			t.Fatal(errs)
		}
	}
	code, one, errs := w.mcpm("export", "@acme/postgres", "-f", "mcpb")
	if _, two, _ := w.mcpm("export", "@acme/postgres", "-f", "mcpb"); code != 0 || one != two {
		t.Fatalf("exit %d, the same: %v; %s", code, one == two, errs)
	}
	text := "2> " + errs + unzipped(t, one)
	text += "\n" + w.transcript(cmds("export -f mcpb", "export -f mcpb @acme/reports")...)
	w.width = 80
	text += "\n" + w.show("export", "-f", "mcpb", "@acme/postgres")
	w.width = 0
	files, err := filepath.Glob(w.path("home/.mcpm/store/packages/trees/*/node_modules/@acme/pg/package.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"bin": "evil.js"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := w.mcpm("export", "@acme/postgres", "-f", "mcpb"); code != 6 || out != "" {
		t.Errorf("a changed package: exit %d, %d bytes, %s", code, len(out), errs)
	}
	golden(t, "export-mcpb.txt", text)
}
