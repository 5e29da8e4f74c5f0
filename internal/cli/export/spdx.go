package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const unknown = "NOASSERTION"

// writeSPDX writes a bill as SPDX 2.3 in JSON. created is in it because SPDX demands a time.
func writeSPDX(out io.Writer, b *bill, created time.Time) error {
	doc := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: b.project.name, DocumentNamespace: b.id.URN(),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "mcpm-" + app.Version}}, Created: created.UTC().Format(time.RFC3339),
		},
	}
	root := common.MakeDocElementID("", "DOCUMENT")
	doc.Relationships = append(doc.Relationships, &spdx.Relationship{RefA: root, RefB: docID(b.project.ref), Relationship: common.TypeRelationshipDescribe})
	for _, p := range append([]part{b.project}, b.parts...) {
		doc.Packages = append(doc.Packages, packageOf(p))
		for _, ref := range p.needs {
			doc.Relationships = append(doc.Relationships, &spdx.Relationship{RefA: docID(p.ref), RefB: docID(ref), Relationship: common.TypeRelationshipDependsOn})
		}
	}
	return spdxjson.Write(doc, out, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
}

// elementID makes an identifier of what SPDX allows: letters, digits, "." and "-". The end of it keeps apart what would
// look alike.
func elementID(ref string) common.ElementID {
	sum := sha256.Sum256([]byte(ref))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, strings.TrimPrefix(ref, "pkg:"))
	return common.ElementID(name + "-" + hex.EncodeToString(sum[:4]))
}

func docID(ref string) common.DocElementID { return common.DocElementID{ElementRefID: elementID(ref)} }

func packageOf(p part) *spdx.Package {
	out := &spdx.Package{
		PackageName: p.name, PackageSPDXIdentifier: elementID(p.ref), PackageVersion: p.version,
		PackageDownloadLocation: unknown, FilesAnalyzed: false, IsFilesAnalyzedTagPresent: true,
		PackageLicenseConcluded: unknown, PackageLicenseDeclared: app.First(p.license, unknown), PackageCopyrightText: unknown,
		PackageDescription: p.description, PackageHomePage: p.website, PrimaryPackagePurpose: "LIBRARY",
	}
	switch {
	case p.server || p.ref == "project":
		out.PrimaryPackagePurpose = "APPLICATION"
	case p.image:
		out.PrimaryPackagePurpose = "CONTAINER"
	}
	for _, d := range p.digests {
		out.PackageChecksums = append(out.PackageChecksums, common.Checksum{Algorithm: common.ChecksumAlgorithm(strings.Replace(d.algorithm, "-", "", 1)), Value: d.hex})
	}
	if p.purl != "" {
		out.PackageExternalReferences = []*spdx.PackageExternalReference{{Category: common.CategoryPackageManager, RefType: "purl", Locator: p.purl}}
	}
	var facts []string
	for _, name := range p.sorted() {
		facts = append(facts, fmt.Sprintf("%s: %s", name, p.facts[name]))
	}
	if p.optional {
		facts = append(facts, "optional")
	}
	out.PackageComment = strings.Join(facts, "\n")
	return out
}
