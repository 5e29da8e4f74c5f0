package pin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/source/pin"
)

// TestParts: what a package of npm needs is what node would load, the nearest upwards, also in a circle and under another
// name; of PyPI a package may be there at two versions, for different machines.
func TestParts(t *testing.T) {
	sum := `"integrity": "sha512-` + strings.Repeat("A", 86) + `=="`
	doc, err := pin.ParseDocument([]byte(`{"type": "npm", "name": "@acme/a", "version": "1.0.0", "packages": {
		"node_modules/@acme/a": {"version": "1.0.0", ` + sum + `, "dependencies": {"b": "^2", "c": "1"}, "optionalDependencies": {"gone": "1"}},
		"node_modules/@acme/a/node_modules/b": {"version": "2.0.0", ` + sum + `, "dependencies": {"c": "1"}},
		"node_modules/b": {"version": "1.0.0", ` + sum + `, "optional": true},
		"node_modules/c": {"version": "1.0.0", "name": "@acme/c", "inBundle": true, "peerDependencies": {"b": "1", "@acme/a": "1"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	hash := []string{"sha512-" + strings.Repeat("A", 86) + "=="}
	want := []pin.Part{
		{Key: "node_modules/@acme/a", Name: "@acme/a", Version: "1.0.0", Hashes: hash, Needs: []string{"node_modules/@acme/a/node_modules/b", "node_modules/c"}},
		{Key: "node_modules/@acme/a/node_modules/b", Name: "b", Version: "2.0.0", Hashes: hash, Needs: []string{"node_modules/c"}},
		{Key: "node_modules/b", Name: "b", Version: "1.0.0", Hashes: hash, Optional: true},
		{Key: "node_modules/c", Name: "@acme/c", Version: "1.0.0", Needs: []string{"node_modules/@acme/a", "node_modules/b"}},
	}
	if diff := cmp.Diff(want, doc.Parts()); diff != "" {
		t.Error(diff)
	}
	if !doc.Root(want[0]) || doc.Root(want[1]) {
		t.Error("the package the document is for is not told from the others")
	}

	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	doc, err = pin.ParseDocument([]byte(`{"type": "pypi", "name": "Acme_Db", "version": "1.0", "packages": {
		"acme-db": {"version": "1.0", "hashes": ["` + one + `", "` + two + `"]},
		"numpy": {"version": "1.26", "marker": "python_version < '3.12'", "hashes": ["` + one + `"]},
		"numpy 2.1": {"version": "2.1", "marker": "python_version >= '3.12'", "hashes": ["` + two + `"]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want = []pin.Part{
		{Key: "acme-db", Name: "acme-db", Version: "1.0", Hashes: []string{one, two}},
		{Key: "numpy", Name: "numpy", Version: "1.26", Hashes: []string{one}, Marker: "python_version < '3.12'"},
		{Key: "numpy 2.1", Name: "numpy", Version: "2.1", Hashes: []string{two}, Marker: "python_version >= '3.12'"},
	}
	if diff := cmp.Diff(want, doc.Parts()); diff != "" {
		t.Error(diff)
	}
	if !doc.Root(want[0]) || doc.Root(want[2]) {
		t.Error("the package the document is for is not told from the others")
	}
}
