package serverjson

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

var (
	sha256RE = lazyregexp.New(`^[a-f0-9]{64}$`)

	num          = `v?\d+(?:\.\d+){0,3}(?:-[0-9A-Za-z.-]+)?`
	comparatorRE = lazyregexp.New(`^\s*(?:\^|~|>=|<=|>|<|=)\s*` + num + `\s*$`)
	hyphenRE     = lazyregexp.New(`^\s*` + num + `\s-\s*` + num + `\s*$`)
	orRE         = lazyregexp.New(`^\s*` + num + `\s*(?:\|\|\s*` + num + `\s*)+$`)
	wildcardRE   = lazyregexp.New(`^\s*(?:v?\d+|[xX*])(?:\.(?:\d+|[xX*])){1,2}(?:-[0-9A-Za-z.-]+)?\s*$`)
)

// baseURLs are the public registries by package type; oci and mcpb have none.
var baseURLs = map[string]string{
	model.RegistryTypeNPM:   model.RegistryURLNPM,
	model.RegistryTypePyPI:  model.RegistryURLPyPI,
	model.RegistryTypeNuGet: model.RegistryURLNuGet,
	model.RegistryTypeCargo: model.RegistryURLCrates,
	model.RegistryTypeOCI:   "",
	model.RegistryTypeMCPB:  "",
}

// DefaultBaseURL returns the public registry of a package type, and whether the type is known.
func DefaultBaseURL(registryType string) (string, bool) {
	u, ok := baseURLs[registryType]
	return u, ok
}

// LooksLikeRange reports whether a version is a range such as "^1.2" or "1.x" and not one version.
func LooksLikeRange(v string) bool {
	return comparatorRE.MatchString(v) || hyphenRE.MatchString(v) || orRE.MatchString(v) ||
		wildcardRE.MatchString(v) && strings.ContainsAny(v, "xX*") || strings.TrimSpace(v) == "*"
}

func (c *checker) version(path, v string) {
	switch {
	case utf8.RuneCountInString(v) > hub.MaxVersion:
		c.schema(path, "version-length", "the version has %d characters; at most %d are allowed", utf8.RuneCountInString(v), hub.MaxVersion)
	case v == "latest":
		c.semantic(path, "reserved-version-string", "\"latest\" is not a version; write the number")
	case LooksLikeRange(v):
		c.semantic(path, "version-looks-like-range", "%s is a range; write one version", jsonc.Quote(v))
	}
}

func (c *checker) pkg(path string, p *model.Package) {
	base, known := baseURLs[p.RegistryType]
	switch {
	case p.RegistryType == "":
		c.schema(path+".registryType", "registry-type-required", "a package needs a registryType")
	case !known:
		c.semantic(path+".registryType", "unsupported-registry-type", "the registryType %s is not one of npm, pypi, nuget, cargo, oci, mcpb", jsonc.Quote(p.RegistryType))
	}
	switch {
	case p.Identifier == "":
		c.schema(path+".identifier", "identifier-required", "a package needs an identifier")
	case strings.ContainsAny(p.Identifier, " \t\r\n"):
		c.semantic(path+".identifier", "package-name-has-spaces", "the identifier %s has spaces", jsonc.Quote(p.Identifier))
	case strings.HasPrefix(p.Identifier, "-"):
		c.semantic(path+".identifier", "identifier-is-flag", "the identifier %s starts with '-', which a package runner reads as an option", jsonc.Quote(p.Identifier))
	}
	c.version(path+".version", p.Version)
	if p.FileSHA256 != "" && !sha256RE.MatchString(p.FileSHA256) {
		c.schema(path+".fileSha256", "file-sha256-pattern", "%s is not a SHA-256 of 64 lower case hex digits", jsonc.Quote(p.FileSHA256))
	}
	if known {
		c.perType(path, p, base)
	}
	if len(p.RuntimeArguments) > 0 && p.RunTimeHint == "" {
		c.warn(TypeLinter, path+".runtimeHint", "runtime-hint-missing", "runtimeArguments are given, so runtimeHint should be too")
	}
	for i := range p.RuntimeArguments {
		c.argument(jsonc.Index(path+".runtimeArguments", i), &p.RuntimeArguments[i])
	}
	for i := range p.PackageArguments {
		c.argument(jsonc.Index(path+".packageArguments", i), &p.PackageArguments[i])
	}
	for i := range p.EnvironmentVariables {
		c.keyValue(jsonc.Index(path+".environmentVariables", i), &p.EnvironmentVariables[i])
	}
	c.packageTransport(path+".transport", &p.Transport, packageVariables(p))
}

// perType holds the rules that differ between kinds of package.
func (c *checker) perType(path string, p *model.Package, base string) {
	switch p.RegistryType {
	case model.RegistryTypeOCI:
		if p.Version != "" {
			c.semantic(path+".version", "oci-version", "an oci package has its version in the identifier, as in oci.example.com/owner/image:1.0.0")
		}
		if p.RegistryBaseURL != "" {
			c.semantic(path+".registryBaseUrl", "oci-base-url", "an oci package has its host in the identifier, as in oci.example.com/owner/image:1.0.0")
		}
		if p.Identifier != "" && strings.Contains(p.Identifier, "://") {
			c.semantic(path+".identifier", "oci-identifier", "%s is not an image reference", jsonc.Quote(p.Identifier))
		} else if !Tagged(p.Identifier) {
			c.warn(TypeLinter, path+".identifier", "oci-untagged", "the image %s has neither tag nor digest, so it changes without notice", jsonc.Quote(p.Identifier))
		}
	case model.RegistryTypeMCPB:
		c.mcpb(path, p)
	default:
		if p.Version == "" {
			c.semantic(path+".version", "package-version-required", "a package of type %s needs an exact version", p.RegistryType)
		}
		if p.RegistryBaseURL != "" && strings.TrimRight(p.RegistryBaseURL, "/") != base {
			c.warn(TypeSemantic, path+".registryBaseUrl", "private-registry", "the package comes from %s, not from the public registry", jsonc.Quote(p.RegistryBaseURL))
			c.plainURL(path+".registryBaseUrl", p.RegistryBaseURL)
		}
	}
	if p.FileSHA256 != "" && p.RegistryType != model.RegistryTypeMCPB {
		c.semantic(path+".fileSha256", "file-sha256-not-allowed", "only mcpb packages have a fileSha256")
	}
}

func (c *checker) mcpb(path string, p *model.Package) {
	if p.FileSHA256 == "" {
		c.semantic(path+".fileSha256", "file-sha256-required", "an mcpb package needs the fileSha256 of its file")
	}
	if p.RegistryBaseURL != "" {
		c.semantic(path+".registryBaseUrl", "mcpb-base-url", "an mcpb package has its whole URL in the identifier")
	}
	if p.Identifier == "" {
		return
	}
	u, err := url.Parse(p.Identifier)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		c.semantic(path+".identifier", "mcpb-url", "%s is not an https URL of the file", jsonc.Quote(p.Identifier))
		return
	}
	if !strings.Contains(p.Identifier, "mcp") {
		c.semantic(path+".identifier", "mcpb-url-mcp", "the URL %s must contain \"mcp\"", jsonc.Quote(p.Identifier))
	}
	hosts := []string{model.RegistryURLGitHub, model.RegistryURLGitLab}
	if !slices.Contains(hosts, "https://"+strings.TrimPrefix(strings.ToLower(u.Host), "www.")) {
		c.warn(TypeSemantic, path+".identifier", "mcpb-host", "the official registry takes mcpb files only from releases on GitHub and GitLab, not from %s", jsonc.Quote(u.Host))
	}
}

// Tagged reports whether an image reference carries a tag or a digest.
func Tagged(image string) bool {
	_, last, _ := strings.Cut(image, "@")
	return last != "" || strings.Contains(image[strings.LastIndex(image, "/")+1:], ":")
}

func (c *checker) argument(path string, a *model.Argument) {
	switch a.Type {
	case model.ArgumentTypeNamed:
		switch {
		case a.Name == "":
			c.semantic(path, "named-argument-name-required", "a named argument needs a name, with its dashes")
		case strings.ContainsAny(a.Name, " <>$"):
			c.semantic(path+".name", "invalid-named-argument-name", "the name %s may not hold spaces, <, > or $; put the value into value", jsonc.Quote(a.Name))
		default:
			if a.Value != "" && strings.HasPrefix(a.Value, a.Name) {
				c.semantic(path+".value", "argument-value-starts-with-name", "the value %s repeats the name %s", jsonc.Quote(a.Value), a.Name)
			}
			if a.Default != "" && strings.HasPrefix(a.Default, a.Name) {
				c.semantic(path+".default", "argument-default-starts-with-name", "the default %s repeats the name %s", jsonc.Quote(a.Default), a.Name)
			}
		}
	case model.ArgumentTypePositional:
		if !a.HasValueOrHint() {
			c.semantic(path, "positional-argument-value-or-hint-required", "a positional argument needs a value or a valueHint")
		}
	default:
		c.semantic(path+".type", "invalid-argument-type", "the argument type %s is neither positional nor named", jsonc.Quote(string(a.Type)))
	}
	c.inputs(path, &a.InputWithVariables)
}

func (c *checker) keyValue(path string, kv *model.KeyValueInput) {
	if kv.Name == "" {
		c.schema(path+".name", "name-required", "a name is required")
	} else if strings.ContainsAny(kv.Name, "=\r\n\x00 ") {
		c.semantic(path+".name", "invalid-name", "the name %s may not hold '=', spaces or line breaks", jsonc.Quote(kv.Name))
	}
	c.inputs(path, &kv.InputWithVariables)
}

func (c *checker) inputs(path string, in *model.InputWithVariables) {
	c.format(path+".format", in.Format)
	c.variables(path, in.Variables)
}

func (c *checker) variables(path string, vars map[string]model.Input) {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		c.format(jsonc.Join(path+".variables", name)+".format", vars[name].Format)
	}
}

func (c *checker) format(path string, f model.Format) {
	switch f {
	case "", model.FormatString, model.FormatNumber, model.FormatBoolean, model.FormatFilePath:
	default:
		c.schema(path, "input-format", "%s is not one of string, number, boolean, filepath", jsonc.Quote(string(f)))
	}
}
