package oci_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

// TestCheck guards: a version that names an image of this hub is taken when the image is here and the publisher may have
// it, by tag or by digest; what is at other registries is not looked at.
func TestCheck(t *testing.T) {
	f := newFixture(t, "", nil)
	d := f.pushImage("acme/db", "1.0.0", f.publisher("acme/db"), "one").String()
	acme, err := f.auth.Basic(t.Context(), "acme", password, "")
	must(t, err)
	other, err := f.auth.Basic(t.Context(), "other", password, "")
	must(t, err)
	none := "sha256:" + strings.Repeat("0", 64)
	for image, there := range map[string]bool{
		f.host + "/acme/db:1.0.0": true, f.host + "/acme/db@" + d: true, f.host + "/acme/db:1.0.0@" + d: true,
		f.host + "/acme/db": false, f.host + "/acme/db:2.0.0": false, f.host + "/acme/db@" + none: false, f.host + "/acme/tool@" + d: false,
		"registry.example.com/acme/db:9": true, "registry.example.com/acme/db@" + none: true,
	} {
		err := f.oci.Check(t.Context(), acme, image)
		if there && err != nil || !there && hub.KindOf(err) != hub.NotFound {
			t.Errorf("%s: %v", image, err)
		}
	}
	if err := f.oci.Check(t.Context(), other, f.host+"/acme/db@"+d); hub.KindOf(err) != hub.NotFound {
		t.Errorf("an image that is not shown to the publisher: %v", err)
	}
}
