package oci_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci"
	"github.com/mcphub/mcphub/internal/oci/layout"
)

// TestImageAndIndexComeBack pushes and pulls with a client of another project, on each kind of storage.
func TestImageAndIndexComeBack(t *testing.T) {
	for kind, blobs := range map[string]string{"directory": "", "bucket": "mem://"} {
		t.Run(kind, func(t *testing.T) {
			f := newFixture(t, blobs, nil)
			login := remote.WithAuth(&authn.Basic{Username: "x", Password: f.key("acme", hub.ScopePublish)})
			image, err := random.Image(300_000, 3)
			must(t, err)
			ref, err := name.ParseReference(f.host + "/acme/db:1.0.0")
			must(t, err)
			must(t, remote.Write(ref, image, login))
			got, err := remote.Image(ref, login)
			must(t, err)
			must(t, validate.Image(got))
			index, err := random.Index(10_000, 2, 2)
			must(t, err)
			ref, err = name.ParseReference(f.host + "/acme/db:many")
			must(t, err)
			must(t, remote.WriteIndex(ref, index, login))
			many, err := remote.Index(ref, login)
			must(t, err)
			must(t, validate.Index(many))
			tags, err := remote.List(ref.Context(), login)
			must(t, err)
			if fmt.Sprint(tags) != "[1.0.0 many]" {
				t.Errorf("tags %v", tags)
			}
		})
	}
}

func TestUploadInPartsGoesOn(t *testing.T) {
	for kind, blobs := range map[string]string{"directory": "", "bucket": "mem://"} {
		t.Run(kind, func(t *testing.T) {
			f := newFixture(t, blobs, nil)
			token := f.publisher("acme/db")
			data := bytes.Repeat([]byte("0123456789"), 1000)
			a := f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/", token, nil)
			f.want("start", a, http.StatusAccepted, "")
			at := a.header.Get("Location")
			for i := 0; i < 9000; i += 3000 {
				a = f.do(http.MethodPatch, at, token, data[i:i+3000], "Content-Range", fmt.Sprintf("%d-%d", i, i+2999))
				f.want("part", a, http.StatusAccepted, "")
				if want := fmt.Sprintf("0-%d", i+2999); a.header.Get("Range") != want {
					t.Errorf("range %s, not %s", a.header.Get("Range"), want)
				}
			}
			f.want("a part twice", f.do(http.MethodPatch, at, token, data[:3000], "Content-Range", "6000-8999"), http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID")
			f.want("nonsense", f.do(http.MethodPatch, at, token, data[:3000], "Content-Range", "x-y"), http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID")
			f.want("another length", f.do(http.MethodPatch, at, token, data[:10], "Content-Range", "9000-9099"), http.StatusRequestEntityTooLarge, "SIZE_INVALID")
			a = f.do(http.MethodGet, at, token, nil)
			f.want("status", a, http.StatusNoContent, "")
			if a.header.Get("Range") != "0-8999" {
				t.Errorf("the status says %s", a.header.Get("Range"))
			}
			d := digest.FromBytes(data)
			f.want("end", f.do(http.MethodPut, at+"?digest="+d.String(), token, data[9000:]), http.StatusCreated, "")
			a = f.do(http.MethodGet, "/v2/acme/db/blobs/"+d.String(), token, nil)
			if !bytes.Equal(a.body, data) {
				t.Errorf("%d bytes came back as %d: %s", len(data), len(a.body), a.body[:min(200, len(a.body))])
			}
			a = f.do(http.MethodGet, "/v2/acme/db/blobs/"+d.String(), token, nil, "Range", "bytes=10-19")
			if a.status != http.StatusPartialContent || string(a.body) != "0123456789" {
				t.Errorf("a range: %d %s", a.status, a.body)
			}
			f.want("after the end", f.do(http.MethodGet, at, token, nil), http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
		})
	}
}

// cut is a body whose sender goes away in the middle.
type cut struct{ io.Reader }

func (c cut) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("the line was cut")
	}
	return n, err
}

// TestUploadGoesOnAfterACut keeps what came over a line that was cut.
func TestUploadGoesOnAfterACut(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	data := bytes.Repeat([]byte("abcdefghij"), 200_000)
	at := f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/", token, nil).header.Get("Location")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, f.url+at, cut{bytes.NewReader(data[:1_500_000])})
	must(t, err)
	r.ContentLength = int64(len(data))
	r.Header.Set("Authorization", "Bearer "+token)
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
		t.Fatal("the line was not cut")
	}
	var here int
	for range 500 { // the other end notices in its own time
		a := f.do(http.MethodGet, at, token, nil)
		if a.status == http.StatusNoContent {
			_, err := fmt.Sscanf(a.header.Get("Range"), "0-%d", &here)
			must(t, err)
			if here > 0 {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	if here == 0 || here >= len(data) {
		t.Fatalf("%d bytes are here", here)
	}
	here++
	f.want("the rest", f.do(http.MethodPatch, at, token, data[here:], "Content-Range", fmt.Sprintf("%d-%d", here, len(data)-1)), http.StatusAccepted, "")
	d := digest.FromBytes(data)
	f.want("the end", f.do(http.MethodPut, at+"?digest="+d.String(), token, nil), http.StatusCreated, "")
}

func TestUploadRefusals(t *testing.T) {
	f := newFixture(t, "", nil)
	token := f.publisher("acme/db")
	start := func() string {
		return f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/", token, nil).header.Get("Location")
	}
	at := start()
	wrong := digest.FromString("something else").String()
	f.want("other bytes", f.do(http.MethodPut, at+"?digest="+wrong, token, []byte("bytes")), http.StatusBadRequest, "DIGEST_INVALID")
	f.want("after it", f.do(http.MethodGet, at, token, nil), http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
	at = start()
	for _, d := range []string{"", "sha256:12", "sha512:" + strings.Repeat("a", 128), "md5:abc"} {
		f.want("digest "+d, f.do(http.MethodPut, at+"?digest="+d, token, nil), http.StatusBadRequest, "DIGEST_INVALID")
	}
	f.want("cancel", f.do(http.MethodDelete, at, token, nil), http.StatusNoContent, "")
	f.want("after cancelling", f.do(http.MethodPatch, at, token, []byte("x")), http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
	for _, id := range []string{"no-uuid", "..", "00000000-0000-0000-0000-000000000000", "%2e%2e%2f_manifests"} {
		a := f.do(http.MethodPatch, "/v2/acme/db/blobs/uploads/"+id, token, []byte("x"))
		if a.status < 400 || a.status >= 500 {
			t.Errorf("upload %s: %d %s", id, a.status, a.body)
		}
	}
	other := f.publisher("acme/other")
	f.want("another repository's upload", f.do(http.MethodPatch, strings.Replace(start(), "acme/db", "acme/other", 1), other, []byte("x")), http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
	f.want("deleting a blob", f.do(http.MethodDelete, "/v2/acme/db/blobs/"+wrong, token, nil), http.StatusMethodNotAllowed, "UNSUPPORTED")
}

func TestMountNeedsNoBytes(t *testing.T) {
	f := newFixture(t, "", nil)
	d := f.pushBlob("acme/db", f.publisher("acme/db"), []byte("shared"))
	token := f.publisher("acme/tools")
	a := f.do(http.MethodPost, "/v2/acme/tools/blobs/uploads/?from=acme/db&mount="+d.String(), token, nil)
	f.want("mount", a, http.StatusCreated, "")
	if got := f.do(http.MethodGet, "/v2/acme/tools/blobs/"+d.String(), token, nil); string(got.body) != "shared" {
		t.Errorf("mounted: %s", got.body)
	}
	f.want("mount of what is not there", f.do(http.MethodPost, "/v2/acme/tools/blobs/uploads/?from=acme/db&mount="+digest.FromString("none").String(), token, nil), http.StatusAccepted, "")
}

func TestQuota(t *testing.T) {
	f := newFixture(t, "", func(c *oci.Config) { c.Quota = 10_000 })
	token := f.publisher("acme/db")
	f.pushBlob("acme/db", token, bytes.Repeat([]byte("a"), 6000))
	data := bytes.Repeat([]byte("b"), 5000)
	a := f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/?digest="+digest.FromBytes(data).String(), token, data)
	f.want("more than fits", a, http.StatusForbidden, "DENIED")
	if _, message := a.problem(); !strings.Contains(message, "@acme have 5.9 KiB of the 9.8 KiB") || !strings.Contains(message, "4.9 KiB more") {
		t.Errorf("the figures are not said: %s", message)
	}
	// without a length it is noticed while the bytes come, and nothing stays
	at := f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/", token, nil).header.Get("Location")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, f.url+at, io.MultiReader(bytes.NewReader(data)))
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	f.want("more than fits, of unknown length", f.send(r), http.StatusForbidden, "DENIED")
	f.want("the upload after it", f.do(http.MethodGet, at, token, nil), http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
	f.pushBlob("acme/db", token, bytes.Repeat([]byte("c"), 3000))
	own := f.token("other", password, "repository:other/db:pull,push")
	f.pushBlob("other/db", own, data)
	actor, err := f.auth.Basic(t.Context(), "acme", password, "")
	must(t, err)
	u, err := f.oci.UsageOf(t.Context(), actor, "@acme")
	must(t, err)
	if u.Bytes != 9000 || u.Quota != 10_000 || u.Repositories != 1 {
		t.Errorf("usage %+v", u)
	}
	if _, err := f.oci.UsageOf(t.Context(), actor, "other"); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("another's usage: %v", err)
	}
	spaces, err := f.oci.Namespaces(t.Context())
	must(t, err)
	if fmt.Sprint(spaces) != "[acme other]" {
		t.Errorf("namespaces %v", spaces)
	}
}

// TestQuotaOfParts counts what is uploaded in many requests before any of it is a blob.
func TestQuotaOfParts(t *testing.T) {
	f := newFixture(t, "mem://", func(c *oci.Config) { c.Quota = 10_000 })
	token := f.publisher("acme/db")
	refused := 0
	for range 5 {
		at := f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/", token, nil).header.Get("Location")
		if at == "" {
			refused++
			continue
		}
		if a := f.do(http.MethodPatch, at, token, bytes.Repeat([]byte("x"), 3000)); a.status == http.StatusForbidden {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d of 5 uploads of 3000 bytes were refused with room for 10000, not 2", refused)
	}
	if _, err := f.storage.Stat(t.Context(), layout.Uploads("acme/db")); err != nil {
		t.Error(err)
	}
}
