package image_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source/image"
)

func TestParse(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for ref, want := range map[string]image.Reference{
		"ghcr.io/acme/db:1.2":             {Repository: "ghcr.io/acme/db", Tag: "1.2"},
		"ghcr.io/acme/db":                 {Repository: "ghcr.io/acme/db", Tag: "latest"},
		"localhost:5000/db@" + digest:     {Repository: "localhost:5000/db", Digest: digest},
		"localhost:5000/db:1.2@" + digest: {Repository: "localhost:5000/db", Digest: digest},
	} {
		got, err := image.Parse(ref)
		if err != nil || got != want {
			t.Errorf("%s is %+v %v", ref, got, err)
		}
	}
	for _, bad := range []string{"", "UPPER/case", "a b", "x/y@sha256:short", "--privileged", "x:y:z", "x/y;rm"} {
		if got, err := image.Parse(bad); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q is %+v %v", bad, got, err)
		}
	}
}

// TestResolve guards: a tag is what it stands for now, one that is not there is said to be, and nothing is asked about a
// digest.
func TestResolve(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	host := strings.TrimPrefix(s.URL, "http://")
	push := func(tag string) string {
		t.Helper()
		img, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		to, err := name.ParseReference(host + "/acme/db:" + tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(to, img); err != nil {
			t.Fatal(err)
		}
		d, _ := img.Digest()
		return d.String()
	}
	resolve := func(ref string) (string, error) {
		t.Helper()
		r, err := image.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		return image.Resolve(t.Context(), r, http.DefaultTransport, authn.DefaultKeychain)
	}
	for range 2 { // a tag moves
		want := push("1.0")
		if got, err := resolve(host + "/acme/db:1.0"); got != want || err != nil {
			t.Errorf("%s %v, want %s", got, err, want)
		}
	}
	if _, err := resolve(host + "/acme/db:9.9"); hub.KindOf(err) != hub.NotFound {
		t.Errorf("a tag that is not there: %v", err)
	}
	s.Close()
	if _, err := resolve(host + "/acme/db:1.0"); hub.KindOf(err) != hub.Unavailable {
		t.Errorf("a registry that is down: %v", err)
	}
	digest := "sha256:" + strings.Repeat("b", 64)
	if got, err := resolve(host + "/acme/db@" + digest); got != digest || err != nil {
		t.Errorf("%s %v", got, err)
	}
}

// TestLabels guards: of an image for several platforms the labels of one that can run here are read, and a configuration that is
// claimed to be huge is not fetched.
func TestLabels(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	var index v1.ImageIndex = empty.Index
	for _, arch := range []string{"s390x", "amd64", "arm64"} {
		img, err := mutate.Config(empty.Image, v1.Config{Labels: map[string]string{"arch": arch}})
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	to, err := name.ParseReference(host + "/acme/db:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(to, index); err != nil {
		t.Fatal(err)
	}
	ref := image.Reference{Repository: host + "/acme/db"}
	digest, _ := index.Digest()
	labels, err := image.Labels(t.Context(), ref, digest.String(), http.DefaultTransport, authn.DefaultKeychain)
	if err != nil || labels["arch"] != runtime.GOARCH {
		t.Errorf("%v %v", labels, err)
	}
	if _, err := image.Labels(t.Context(), ref, "sha256:"+strings.Repeat("0", 64), http.DefaultTransport, authn.DefaultKeychain); hub.KindOf(err) != hub.NotFound {
		t.Errorf("an image that is not there: %v", err)
	}
	huge := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":99999999999,"digest":"` + digest.String() + `"},"layers":[]}`
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(huge)))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/v2/acme/db/manifests/"+sum, strings.NewReader(huge))
	req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := image.Labels(t.Context(), ref, sum, http.DefaultTransport, authn.DefaultKeychain); hub.KindOf(err) != hub.Invalid {
		t.Errorf("a huge configuration: %v", err)
	}
}
