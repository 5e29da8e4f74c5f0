package confine_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
)

// TestValues guards: what a manifest asks for in terms of a value is what the person gave, to the host and port of an address;
// without the value it is nothing; and no value opens a home or every host.
func TestValues(t *testing.T) {
	at := machine(t)
	notes, data := filepath.Join(at.Home, "Notes"), filepath.Join(at.Home, "work/data")
	confined := func(values map[string]string, outbound ...string) (*sandbox.Spec, error) {
		at.Values = values
		s := &gateway.Server{Command: "bin/tool"}
		err := at.Confine(&manifest.Manifest{Permissions: &manifest.Permissions{
			Network: &manifest.NetworkPermissions{Outbound: outbound}, Filesystem: []manifest.PathPermission{{Path: "${DIRS}", Access: "write"}},
		}}, s, nil, nil)
		return s.Sandbox, err
	}
	for _, tt := range []struct {
		values map[string]string
		rule   string
		want   string
	}{
		{map[string]string{"DB": "postgres://me:p@ss@db.example.com/shop?x=y"}, "${DB}", "db.example.com:5432"},
		{map[string]string{"DB": "mongodb://u:p@a.example.com,b.example.com:27018/x"}, "${DB}", "a.example.com:27017 b.example.com:27018"},
		{map[string]string{"DB": "HTTPS://es.example.com"}, "${DB}", "es.example.com:443"},
		{map[string]string{"DB": "http://[::1]:9200"}, "${DB}", "[::1]:9200"},
		{map[string]string{"H": "ch.example.com", "P": "8443"}, "${H}:${P}", "ch.example.com:8443"},
		{map[string]string{"H": "ch.example.com"}, "${H}:${P}", ""},
		{nil, "${DB}", ""},
		{nil, "api.example.com:443", "api.example.com:443"},
		{map[string]string{"DB": "https://*/"}, "${DB}", "error"},
		{map[string]string{"DB": "odbc://there"}, "${DB}", "error"},
		{map[string]string{"DB": "secret words"}, "${DB}", "error"},
	} {
		spec, err := confined(tt.values, tt.rule)
		got := "error"
		if err == nil {
			got = strings.Join(spec.Network, " ")
		} else if strings.Contains(err.Error(), "secret words") {
			t.Errorf("a value is told: %v", err)
		}
		if got != tt.want {
			t.Errorf("%s with %v: %q, want %q (%v)", tt.rule, tt.values, got, tt.want, err)
		}
	}
	spec, err := confined(map[string]string{"DIRS": notes + "\n" + data + "\n"})
	if err != nil || !slices.Contains(spec.Mounts, sandbox.Mount{Path: notes, Write: true}) || !slices.Contains(spec.Mounts, sandbox.Mount{Path: data, Write: true}) {
		t.Errorf("%+v %v", spec, err)
	}
	for _, home := range []string{at.Home, at.Home + "/work/..", at.Home + "/"} {
		if _, err := confined(map[string]string{"DIRS": home}); err == nil || !strings.Contains(err.Error(), "all of your home") {
			t.Errorf("%s: %v", home, err)
		}
	}
	if err := confine.Check(confine.Grants{"read=${DIRS}"}); err == nil {
		t.Error("a grant names a value")
	}
}
