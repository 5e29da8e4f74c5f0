package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
)

// officialMeta is what a registry says of a version beside its server.json. Times are text here, so that
// one that is wrong costs a warning and not the entry.
type officialMeta struct {
	Status          string `json:"status"`
	StatusMessage   string `json:"statusMessage"`
	StatusChangedAt string `json:"statusChangedAt"`
	PublishedAt     string `json:"publishedAt"`
	UpdatedAt       string `json:"updatedAt"`
}

// readOfficial reads a server.json, alone or in the {server, _meta} of the official API.
func readOfficial(source, origin string, data []byte) Entry {
	e := Entry{Source: source}
	var envelope struct {
		Server json.RawMessage            `json:"server"`
		Meta   map[string]json.RawMessage `json:"_meta"`
		Name   string                     `json:"name"`
	}
	if err := json.Unmarshal(data, &envelope); err != nil {
		e.refuse("it is not a server: %v", err)
		return e
	}
	raw := data
	if len(envelope.Server) > 0 {
		raw = envelope.Server
	}
	e.Name = nameIn(raw)
	sj, issues, err := manifest.ParseServerJSON(raw)
	if err != nil {
		e.refuse("%v", err)
		return e
	}
	name, err := hub.ParseMirrorName(sj.Name)
	switch {
	case err != nil:
		e.refuse("%v", err)
		return e
	case len([]rune(sj.Version)) > hub.MaxVersion:
		e.refuse("its version has %d characters; at most %d are allowed", len([]rune(sj.Version)), hub.MaxVersion)
		return e
	}
	if sj.Description == "" {
		e.warn("it has no description")
	}
	if sj.Version == "" {
		e.warn("it states no version; one was made of its content")
		sj.Version = syntheticVersion(raw)
		if raw, err = json.Marshal(sj); err != nil {
			e.refuse("%v", err)
			return e
		}
	}
	e.issues(issues)
	for _, f := range manifest.CheckServerJSON(sj) {
		// An old schema is what old entries have, and the length is told once, when it is cut.
		if f.Severity == hub.SeverityError && f.Reference != "description-length" {
			e.issues([]hub.Issue{f.Issue})
		}
	}
	m := manifest.FromServerJSON(sj)
	e.enrich(m, sj)
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		e.refuse("it is not JSON: %v", err)
		return e
	}
	e.fill(name, origin, m, sj, compact.Bytes())
	if e.Refused == "" {
		e.meta(envelope.Meta[hub.OfficialKey])
	}
	return e
}

// nameIn finds the name of an entry that may be wrong in every other way.
func nameIn(raw []byte) string {
	var doc struct {
		Name any `json:"name"`
	}
	if json.Unmarshal(raw, &doc) != nil || doc.Name == nil {
		return ""
	}
	return cut(fmt.Sprint(doc.Name), 200)
}

func (e *Entry) meta(raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var meta officialMeta
	if err := json.Unmarshal(raw, &meta); err != nil {
		e.warn("_meta of the registry cannot be read: %v", err)
		return
	}
	e.status(meta.Status, meta.StatusMessage, e.time("publishedAt", meta.PublishedAt), e.time("updatedAt", meta.UpdatedAt), e.time("statusChangedAt", meta.StatusChangedAt))
}

func (e *Entry) time(what, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		e.warn("%s %q is not a time", what, cut(s, 40))
	}
	return at
}

// provided is what ToolHive's registry says of one package or remote in the publisher's part of _meta.
type provided struct {
	Tags            []string         `json:"tags"`
	Tools           []string         `json:"tools"`
	ToolDefinitions []map[string]any `json:"tool_definitions"`
	Permissions     struct {
		Network struct {
			Outbound struct {
				AllowAll  bool     `json:"insecure_allow_all"`
				AllowHost []string `json:"allow_host"`
				AllowPort []int    `json:"allow_port"`
			} `json:"outbound"`
		} `json:"network"`
	} `json:"permissions"`
}

// enrich takes tags, tools and permissions out of publisher metadata in ToolHive's words. The metadata
// itself stays where it is.
func (e *Entry) enrich(m *manifest.Manifest, sj *apiv0.ServerJSON) {
	if sj.Meta == nil {
		return
	}
	for _, publisher := range slices.Sorted(maps.Keys(sj.Meta.PublisherProvided)) {
		b, err := json.Marshal(sj.Meta.PublisherProvided[publisher])
		if err != nil {
			continue
		}
		var byPackage map[string]provided
		if json.Unmarshal(b, &byPackage) != nil {
			continue // somebody else's words
		}
		for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
			s, id := m.Servers[key], ""
			switch {
			case s.Package != nil:
				id = s.Package.Identifier
			case s.Remote != nil:
				id = s.Remote.URL
			}
			p, ok := byPackage[id]
			if !ok {
				continue
			}
			m.Keywords = e.words("keywords", append(m.Keywords, p.Tags...))
			if m.Permissions == nil {
				m.Permissions = p.permissions()
			}
			if s.Capabilities = p.capabilities(e); s.Capabilities != nil {
				m.Servers[key] = s
			}
		}
	}
	slices.Sort(m.Keywords)
}

func (p provided) permissions() *manifest.Permissions {
	out := p.Permissions.Network.Outbound
	var list []string
	if out.AllowAll {
		list = append(list, "*:*")
	}
	for _, host := range out.AllowHost {
		if len(host) > 0 && host[0] == '.' {
			host = "*" + host
		}
		for _, port := range out.AllowPort {
			list = append(list, fmt.Sprintf("%s:%d", host, port))
		}
		if len(out.AllowPort) == 0 {
			list = append(list, host+":*")
		}
	}
	if len(list) == 0 {
		return nil
	}
	return &manifest.Permissions{Network: &manifest.NetworkPermissions{Outbound: list}}
}

func (p provided) capabilities(e *Entry) *manifest.Capabilities {
	defined := map[string]map[string]any{}
	for _, d := range p.ToolDefinitions {
		if name, ok := d["name"].(string); ok {
			defined[name] = d
		}
	}
	var tools []rawTool
	for _, name := range p.Tools {
		t := rawTool{Name: name}
		if d := defined[name]; d != nil {
			t.Description, _ = d["description"].(string)
			if schema, ok := d["inputSchema"].(map[string]any); ok {
				t.Schema = schema
			}
		}
		tools = append(tools, t)
	}
	list := e.tools(tools)
	if len(list) == 0 {
		return nil
	}
	return &manifest.Capabilities{Tools: list}
}
