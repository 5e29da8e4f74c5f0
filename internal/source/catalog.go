package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// The formats of ReadCatalog.
const (
	FormatAuto     = "auto"
	FormatOfficial = "official"
	FormatMCPM     = "mcpm-sh"
	FormatDocker   = "docker"
	FormatToolHive = "toolhive"
)

// Formats lists them all.
var Formats = []string{FormatAuto, FormatOfficial, FormatMCPM, FormatDocker, FormatToolHive}

// MaxCatalogFile is the largest file that is read, in bytes.
const MaxCatalogFile = 256 << 20

// ReadCatalog reads a file, or all .json, .yaml and .yml files below a directory in the order of their
// names. With FormatAuto (or "") each file is taken for what it looks like. It never stops at a bad entry:
// there is one Entry for each that was found, and one, refused, for each file that is no catalogue. Hidden
// files, node_modules and a tools.json beside a server.yaml are no entries of their own. It fails only
// with Invalid for an unknown format, and with NotFound when path cannot be read.
func ReadCatalog(path string, format string) ([]Entry, error) {
	if format == "" {
		format = FormatAuto
	}
	if !slices.Contains(Formats, format) {
		return nil, hub.Errorf(hub.Invalid, "unknown catalogue format %q", format).WithHint("the formats are %s", strings.Join(Formats, ", "))
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, hub.Errorf(hub.NotFound, "cannot read the catalogue %q", path).WithCause(err)
	}
	if !info.IsDir() {
		return readFile(path, format), nil
	}
	var entries []Entry
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			entries = append(entries, refused(p, "it cannot be read: %v", err))
			return nil
		case p != path && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || !catalogFile(p, format):
			return nil
		}
		entries = append(entries, readFile(p, format)...)
		return nil
	})
	return entries, err
}

// catalogFile reports whether a file of a directory may hold entries.
func catalogFile(p, format string) bool {
	name := filepath.Base(p)
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
		return format == FormatAuto || format == FormatDocker && strings.TrimSuffix(name, filepath.Ext(name)) == "server"
	case ".json":
		return format != FormatDocker && !besideServer(p)
	}
	return false
}

// besideServer reports whether p is the tools.json of a server.yaml.
func besideServer(p string) bool {
	if filepath.Base(p) != "tools.json" {
		return false
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(p), "server.yaml"))
	return err == nil
}

func refused(source, format string, args ...any) Entry {
	return Entry{Source: source, Name: filepath.Base(source), Refused: fmt.Sprintf(format, args...)}
}

// readFile returns the entries of one file.
func readFile(path, format string) []Entry {
	info, err := os.Stat(path)
	if err == nil && info.Size() > MaxCatalogFile {
		return []Entry{refused(path, "the file has %d bytes; at most %d are read", info.Size(), MaxCatalogFile)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return []Entry{refused(path, "it cannot be read: %v", err)}
	}
	if ext := filepath.Ext(path); format == FormatDocker || ext == ".yaml" || ext == ".yml" {
		if format != FormatDocker && format != FormatAuto {
			return []Entry{refused(path, "a YAML file is not in the format %s", format)}
		}
		return []Entry{readDocker(path, data)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	items, found, err := split(data, format)
	if err != nil {
		return []Entry{refused(path, "%v", err)}
	}
	entries := make([]Entry, 0, len(items))
	for i, item := range items {
		source := path
		if len(items) > 1 {
			source = fmt.Sprintf("%s[%d]", path, i)
		}
		switch found {
		case FormatMCPM:
			entries = append(entries, readMCPM(source, item.key, item.data))
		case FormatToolHive:
			entries = append(entries, readOfficial(source, OriginToolHive, item.data))
		default:
			entries = append(entries, readOfficial(source, OriginOfficial, item.data))
		}
	}
	return entries
}

// item is one entry of a file, with the key it stands under when the file is a map.
type item struct {
	key  string
	data json.RawMessage
}

// split finds the entries in a JSON file and the format they are in.
func split(data []byte, format string) ([]item, string, error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		return splitList(trimmed, format)
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(trimmed, &doc); err != nil {
		return nil, "", fmt.Errorf("it is not JSON: %v", err)
	}
	if inner := doc["data"]; inner != nil && (format == FormatAuto || format == FormatToolHive) {
		var wrapped map[string]json.RawMessage
		if json.Unmarshal(inner, &wrapped) == nil && wrapped["servers"] != nil {
			items, _, err := splitList(wrapped["servers"], FormatToolHive)
			return items, FormatToolHive, err
		}
	}
	list := doc["servers"]
	isList := len(bytes.TrimSpace(list)) > 0 && bytes.TrimSpace(list)[0] == '['
	switch {
	case isList && format != FormatMCPM:
		if format == FormatAuto {
			format = FormatOfficial
		}
		return splitList(list, format)
	case doc["installations"] != nil && (format == FormatAuto || format == FormatMCPM):
		return []item{{data: trimmed}}, FormatMCPM, nil
	case doc["server"] != nil || looksOfficial(doc):
		if format == FormatAuto {
			format = FormatOfficial
		}
		return []item{{data: trimmed}}, format, nil
	}
	if items := splitMap(doc); items != nil && (format == FormatAuto || format == FormatMCPM) {
		return items, FormatMCPM, nil
	}
	if format != FormatAuto && doc["name"] != nil {
		return []item{{data: trimmed}}, format, nil
	}
	return nil, "", fmt.Errorf("it is not a catalogue in a format we know (%s)", strings.Join(Formats[1:], ", "))
}

// looksOfficial reports whether an object is a server.json.
func looksOfficial(doc map[string]json.RawMessage) bool {
	if bytes.Contains(doc["$schema"], []byte("server.schema.json")) {
		return true
	}
	var name string
	return json.Unmarshal(doc["name"], &name) == nil && strings.Contains(name, "/") && doc["version"] != nil && doc["description"] != nil
}

func splitList(data []byte, format string) ([]item, string, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, "", fmt.Errorf("it is not JSON: %v", err)
	}
	items := make([]item, 0, len(list))
	for _, raw := range list {
		var doc map[string]json.RawMessage
		if format == FormatAuto && json.Unmarshal(raw, &doc) == nil {
			switch {
			case doc["installations"] != nil:
				format = FormatMCPM
			case doc["server"] != nil || looksOfficial(doc):
				format = FormatOfficial
			}
		}
		items = append(items, item{data: raw})
	}
	if format == FormatAuto {
		return nil, "", fmt.Errorf("it is a list, but not of a format we know (%s)", strings.Join(Formats[1:], ", "))
	}
	return items, format, nil
}

// splitMap takes apart one file with all of mcpm.sh, by name; nil when it is something else.
func splitMap(doc map[string]json.RawMessage) []item {
	var items []item
	for key, raw := range doc {
		var inner map[string]json.RawMessage
		if json.Unmarshal(raw, &inner) != nil || inner["installations"] == nil {
			return nil
		}
		items = append(items, item{key: key, data: raw})
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.key, b.key) })
	return items
}
