package oci_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/hub"
)

func TestManifestRefusals(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	config := f.pushBlob("acme/db", token, []byte("{}"))
	layer := f.pushBlob("acme/db", token, []byte("layer"))
	none := digest.FromString("never pushed")
	good := manifest(config, layer, "")
	foreign := strings.Replace(string(good), `layer.v1.tar","digest"`, `layer.nondistributable.v1.tar","urls":["http://169.254.169.254/x"],"digest"`, 1)
	for _, c := range []struct {
		what, ref, body string
		status          int
		code            string
	}{
		{"no JSON", "1", "{", http.StatusBadRequest, "MANIFEST_INVALID"},
		{"an empty object", "1", "{}", http.StatusBadRequest, "MANIFEST_INVALID"},
		{"a blob that is not here", "1", string(manifest(config, none, "")), http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN"},
		{"a configuration that is not here", "1", string(manifest(none, layer, "")), http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN"},
		{"a layer that is elsewhere", "1", foreign, http.StatusBadRequest, "MANIFEST_INVALID"},
		{"a digest of another kind", "1", string(manifest(config, digest.FromString("x"), `,"blobs":[{"digest":"md5:1"}]`)), http.StatusBadRequest, "MANIFEST_INVALID"},
		{"another digest in the path", none.String(), string(good), http.StatusBadRequest, "DIGEST_INVALID"},
		{"a tag that cannot be", "-x", string(good), http.StatusBadRequest, "TAG_INVALID"},
		{"too large", "1", string(good) + strings.Repeat(" ", 4<<20), http.StatusRequestEntityTooLarge, "SIZE_INVALID"},
	} {
		f.want(c.what, f.put("acme/db", c.ref, token, []byte(c.body)), c.status, c.code)
	}
	a := f.do(http.MethodPut, "/v2/acme/db/manifests/1", token, good, "Content-Type", "text/plain")
	f.want("another kind", a, http.StatusBadRequest, "MANIFEST_INVALID")
	index := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":%q,"digest":%q,"size":3}]}`, manifestType, none)
	a = f.do(http.MethodPut, "/v2/acme/db/manifests/1", token, index, "Content-Type", "application/vnd.oci.image.index.v1+json")
	f.want("an index of what is not here", a, http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN")
	f.want("the tag after all that", f.do(http.MethodGet, "/v2/acme/db/manifests/1", token, nil), http.StatusNotFound, "MANIFEST_UNKNOWN")
	f.want("the good one", f.put("acme/db", "1", token, good), http.StatusCreated, "")
	a = f.do(http.MethodHead, "/v2/acme/db/manifests/1", token, nil)
	if a.status != http.StatusOK || a.header.Get("Docker-Content-Digest") != digest.FromBytes(good).String() || a.header.Get("Content-Length") != fmt.Sprint(len(good)) {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
	f.want("the same again", f.do(http.MethodGet, "/v2/acme/db/manifests/1", token, nil, "If-None-Match", a.header.Get("Etag")), http.StatusNotModified, "")
}

// TestPublishedTagStays is the promise of issue 5: what was published under a tag is what the tag gives.
func TestPublishedTagStays(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	first := f.pushImage("acme/db", "stable", token, "one")
	f.pushImage("acme/db", "1.0.0", token, "one")
	f.pushImage("acme/db", "edge", token, "one")
	f.publish("acme", "acme/db", "1.0.0", f.host+"/acme/db:stable")
	second := manifest(digest.FromString("{}"), f.pushBlob("acme/db", token, []byte("two")), "")
	for _, tag := range []string{"stable", "1.0.0"} { // the tag it names, and the one with its number
		a := f.put("acme/db", tag, token, second)
		f.want("push over "+tag, a, http.StatusForbidden, "DENIED")
		if _, m := a.problem(); !strings.Contains(m, "@acme/db 1.0.0") || !strings.Contains(m, "another tag") {
			t.Errorf("it is not said why, or what to do: %s", m)
		}
		f.want("deleting "+tag, f.do(http.MethodDelete, "/v2/acme/db/manifests/"+tag, token, nil), http.StatusForbidden, "DENIED")
		if got := f.do(http.MethodGet, "/v2/acme/db/manifests/"+tag, token, nil).header.Get("Docker-Content-Digest"); got != first.String() {
			t.Errorf("%s is %s now", tag, got)
		}
	}
	f.want("the same image again", f.put("acme/db", "stable", token, manifest(digest.FromString("{}"), digest.FromString("one"), "")), http.StatusCreated, "")
	f.want("deleting its manifest", f.do(http.MethodDelete, "/v2/acme/db/manifests/"+first.String(), token, nil), http.StatusForbidden, "DENIED")
	f.want("a tag of no version", f.put("acme/db", "edge", token, second), http.StatusCreated, "")
	f.want("deleting the other manifest", f.do(http.MethodDelete, "/v2/acme/db/manifests/"+digest.FromBytes(second).String(), token, nil), http.StatusAccepted, "")
	f.want("its tag after that", f.do(http.MethodGet, "/v2/acme/db/manifests/edge", token, nil), http.StatusNotFound, "MANIFEST_UNKNOWN")
	f.change("acme/db", "1.0.0", hub.Yanked)
	f.want("push over a yanked version", f.put("acme/db", "stable", token, second), http.StatusForbidden, "DENIED")
	f.change("acme/db", "1.0.0", hub.Unpublished)
	f.want("push over what was taken back", f.put("acme/db", "stable", token, second), http.StatusCreated, "")
}

func TestPublishedDigestAndItsPartsStay(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	child := f.pushImage("acme/db", "amd64", token, "one")
	index := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":%q,"digest":%q,"size":3,"platform":{"architecture":"amd64","os":"linux"}}]}`, manifestType, child)
	whole := digest.FromBytes(index)
	f.want("index", f.do(http.MethodPut, "/v2/acme/db/manifests/"+whole.String(), token, index, "Content-Type", "application/vnd.oci.image.index.v1+json"), http.StatusCreated, "")
	f.publish("acme", "acme/db", "2.0.0", f.host+"/acme/db@"+whole.String())
	for what, d := range map[string]digest.Digest{"the index": whole, "its image": child} {
		f.want("deleting "+what, f.do(http.MethodDelete, "/v2/acme/db/manifests/"+d.String(), token, nil), http.StatusForbidden, "DENIED")
	}
	f.want("its tag may go", f.do(http.MethodDelete, "/v2/acme/db/manifests/amd64", token, nil), http.StatusAccepted, "")
}

// TestOthersHoldNothing: a version in another namespace neither opens a repository nor holds a tag fast.
func TestOthersHoldNothing(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	f.pushImage("acme/db", "dev", token, "one")
	if _, err := f.tryPublish("other", "other/db", "1.0.0", f.host+"/acme/db:dev"); hub.KindOf(err) != hub.Invalid {
		t.Errorf("an image that is nobody else's: %v", err)
	}
	f.publish("acme", "acme/elsewhere", "1.0.0", "ghcr.io/acme/db:dev")
	f.want("pull by nobody", f.do(http.MethodGet, "/v2/acme/db/manifests/dev", "", nil), http.StatusUnauthorized, "UNAUTHORIZED")
	f.pushImage("acme/db", "1.0.0", token, "one")
	f.publish("acme", "acme/db", "1.0.0", f.host+"/acme/db:1.0.0")
	f.publish("other", "other/db", "1.0.0", f.host+"/acme/db:dev") // anybody may pull it now
	f.pushImage("acme/db", "dev", token, "two")
}

// TestImageHasToBeHere: a version that names an image of this hub is published when it was pushed, by tag and by digest.
func TestImageHasToBeHere(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	there := f.pushImage("acme/db", "1.0.0", token, "one")
	for _, missing := range []string{"acme/db:2.0.0", "acme/db", "acme/other:1.0.0", "acme/db@" + digest.FromString("x").String(), "db:1.0.0"} {
		_, err := f.tryPublish("acme", "acme/db", "1.0.0", f.host+"/"+missing)
		if hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), "there is no image") {
			t.Errorf("%s: %v", missing, err)
		}
	}
	f.publish("acme", "acme/db", "1.0.0", f.host+"/acme/db@"+there.String())
	f.publish("acme", "acme/db", "1.0.1", f.host+"/acme/db:1.0.0")
}

func TestQuarantineIsNotGiven(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	bad := f.pushImage("acme/db", "1.0.0", token, "one")
	f.pushImage("acme/db", "1.1.0", token, "two")
	f.publish("acme", "acme/db", "1.0.0", f.host+"/acme/db:1.0.0")
	f.publish("acme", "acme/db", "1.1.0", f.host+"/acme/db:1.1.0")
	f.want("before", f.do(http.MethodGet, "/v2/acme/db/manifests/1.0.0", "", nil), http.StatusOK, "")
	f.change("acme/db", "1.0.0", hub.Quarantined)
	own, shared, others := digest.FromString("one"), digest.FromString("{}"), digest.FromString("two")
	for _, ref := range []string{"1.0.0", bad.String()} {
		a := f.do(http.MethodGet, "/v2/acme/db/manifests/"+ref, "", nil)
		f.want("quarantined "+ref, a, http.StatusForbidden, "DENIED")
		if _, m := a.problem(); !strings.Contains(m, "@acme/db 1.0.0, which is quarantined") {
			t.Errorf("it is not said why: %s", m)
		}
	}
	f.want("the other version", f.do(http.MethodGet, "/v2/acme/db/manifests/1.1.0", "", nil), http.StatusOK, "")
	f.want("whether a layer is there, for its publisher", f.do(http.MethodHead, "/v2/acme/db/blobs/"+own.String(), token, nil), http.StatusOK, "")
	f.want("its bytes, for its publisher", f.do(http.MethodGet, "/v2/acme/db/blobs/"+own.String(), token, nil), http.StatusForbidden, "DENIED")
	f.want("its manifest as a blob", f.do(http.MethodGet, "/v2/acme/db/blobs/"+bad.String(), "", nil), http.StatusForbidden, "DENIED")
	for d, want := range map[digest.Digest]int{own: http.StatusForbidden, shared: http.StatusOK, others: http.StatusOK} {
		f.want("a layer", f.do(http.MethodGet, "/v2/acme/db/blobs/"+d.String(), "", nil), want, map[int]string{http.StatusForbidden: "DENIED"}[want])
	}
	f.change("acme/db", "1.0.0", hub.Published)
	f.want("after", f.do(http.MethodGet, "/v2/acme/db/manifests/1.0.0", "", nil), http.StatusOK, "")
}

func TestTagsComeInPages(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	f.want("no repository", f.do(http.MethodGet, "/v2/acme/db/tags/list", token, nil), http.StatusNotFound, "NAME_UNKNOWN")
	for _, tag := range []string{"b", "a", "C", "10", "9"} {
		f.pushImage("acme/db", tag, token, "one")
	}
	path, got := "/v2/acme/db/tags/list?n=2", []string{}
	for path != "" {
		a := f.do(http.MethodGet, path, token, nil)
		f.want(path, a, http.StatusOK, "")
		got = append(got, strings.TrimSpace(string(a.body)))
		path = ""
		if link := a.header.Get("Link"); link != "" {
			path = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		}
	}
	if s := strings.Join(got, " "); s != `{"name":"acme/db","tags":["10","9"]} {"name":"acme/db","tags":["C","a"]} {"name":"acme/db","tags":["b"]}` {
		t.Errorf("pages: %s", s)
	}
	f.want("n=0", f.do(http.MethodGet, "/v2/acme/db/tags/list?n=0", token, nil), http.StatusOK, "")
	f.want("n=-1", f.do(http.MethodGet, "/v2/acme/db/tags/list?n=-1", token, nil), http.StatusMethodNotAllowed, "UNSUPPORTED")
	// with NAME_UNKNOWN ORAS would not look under tags
	f.want("referrers", f.do(http.MethodGet, "/v2/acme/db/referrers/"+digest.FromString("x").String(), token, nil), http.StatusNotFound, "NOT_FOUND")
}
