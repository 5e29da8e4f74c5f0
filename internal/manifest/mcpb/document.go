package mcpb

import (
	"bytes"
	"encoding/json"
	"net/url"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Document is what a lockfile keeps of an archive: which bytes it is, and what they start.
type Document struct {
	Type      string `json:"type"` // mcpb
	URL       string `json:"url"`
	Version   string `json:"version,omitempty"`
	Integrity string `json:"integrity"` // "sha512-..." of the file
	SHA256    string `json:"sha256"`    // of the file, in hex, as its publisher gave it
	Size      int64  `json:"size"`
	Start     *Start `json:"start"`
}

var (
	integrityRE = lazyregexp.New(`^sha512-[A-Za-z0-9+/]{86}==$`)
	sha256RE    = lazyregexp.New(`^[a-f0-9]{64}$`)
)

// ParseDocument reads what a lockfile keeps. Invalid for what no locking would have written: it may come with a
// stranger's project.
func ParseDocument(raw []byte) (*Document, error) {
	d := &Document{}
	if err := json.Unmarshal(raw, d); err != nil {
		return nil, hub.Errorf(hub.Invalid, "the locked archive is not readable: %v", err)
	}
	switch {
	case d.Type != model.RegistryTypeMCPB:
		return nil, hub.Errorf(hub.Invalid, "%s is no archive", jsonc.Quote(d.Type))
	case !integrityRE.MatchString(d.Integrity) || !sha256RE.MatchString(d.SHA256) || d.Size <= 0:
		return nil, hub.Errorf(hub.Invalid, "the digests of the archive %s are not readable", jsonc.Quote(d.URL))
	case d.Start == nil:
		return nil, hub.Errorf(hub.Invalid, "the lockfile does not say how the archive %s is started", jsonc.Quote(d.URL))
	}
	if err := CheckURL(d.URL); err != nil {
		return nil, err
	}
	return d, d.Start.check()
}

// Canonical returns the document's bytes. The same content is always the same bytes.
func (d *Document) Canonical() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(d)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// Is reports whether a document locks what a package of server.json names.
func (d *Document) Is(p *model.Package) bool {
	return d.URL == p.Identifier && d.SHA256 == p.FileSHA256 && d.Version == p.Version
}

// CheckURL says whether an archive may be fetched from an address: https, with a host, and without credentials.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return hub.Errorf(hub.Invalid, "%s is not an https URL of an archive", jsonc.Quote(s))
	}
	return nil
}
