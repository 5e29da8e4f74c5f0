package images_test

import (
	"archive/tar"
	"encoding/binary"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/hub"
)

// elf is the least that is a program for a machine, with a loader or without.
func elf(machine uint16, loader bool) string {
	b := make([]byte, 64+56)
	copy(b, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(b[18:], machine)
	binary.LittleEndian.PutUint64(b[32:], 64)
	binary.LittleEndian.PutUint16(b[54:], 56)
	binary.LittleEndian.PutUint16(b[56:], 1)
	if loader {
		binary.LittleEndian.PutUint32(b[64:], 3)
	}
	return string(b)
}

const amd64, arm64 = 62, 183

// recipe lists the files of a project that has these.
func recipe(t *testing.T, files map[string]string, command string, args ...string) images.Recipe {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	list, err := bundle.Pack(root, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return images.Recipe{Root: root, Files: list, Command: command, Args: args, Labels: map[string]string{"io.modelcontextprotocol.server.name": "acme/weather"}}
}

// contents returns the configuration of each image of an index, and the files of its last layer.
func contents(t *testing.T, index v1.ImageIndex) (confs map[string]*v1.ConfigFile, files map[string]map[string]string) {
	t.Helper()
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	confs, files = map[string]*v1.ConfigFile{}, map[string]map[string]string{}
	for _, m := range list.Manifests {
		img, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		conf, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		layers, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		in, err := layers[len(layers)-1].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		held := map[string]string{}
		for archive := tar.NewReader(in); ; {
			h, err := archive.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			held[h.Name] = string(data)
		}
		confs[m.Platform.Architecture], files[m.Platform.Architecture] = conf, held
	}
	return confs, files
}

// TestAssembleProgram guards: a static program becomes an image for each platform that it was built for, with that build
// alone, started by a user without rights; the same files make the same bytes.
func TestAssembleProgram(t *testing.T) {
	files := map[string]string{"bin/weather": elf(amd64, false), "bin/weather-linux-arm64": elf(arm64, false), "data/cities.txt": "Oslo", "mcp.json": "{}"}
	r := recipe(t, files, "./bin/weather", "--data", "${bundle}/data", "--dir", "${workspace}", "-v")
	img, err := images.Assemble(t.Context(), images.Access{}, r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(img.Platforms, []string{"linux/amd64", "linux/arm64"}) || !slices.Equal(img.Rest, []string{"${workspace}", "-v"}) {
		t.Errorf("platforms %q, rest %q", img.Platforms, img.Rest)
	}
	confs, held := contents(t, img.Index)
	for arch, conf := range confs {
		if want := []string{"/app/bin/weather", "--data", "/app/data", "--dir"}; !slices.Equal(conf.Config.Entrypoint, want) || conf.Config.User != "65532:65532" ||
			conf.Architecture != arch || conf.Config.Labels["io.modelcontextprotocol.server.name"] != "acme/weather" {
			t.Errorf("%s: %+v", arch, conf.Config)
		}
		if want := []string{"app/", "app/bin/", "app/bin/weather", "app/data/", "app/data/cities.txt", "app/mcp.json"}; !slices.Equal(slices.Sorted(maps.Keys(held[arch])), want) {
			t.Errorf("%s holds %q", arch, slices.Sorted(maps.Keys(held[arch])))
		}
	}
	if held["amd64"]["app/bin/weather"] != files["bin/weather"] || held["arm64"]["app/bin/weather"] != files["bin/weather-linux-arm64"] {
		t.Error("the programs are mixed up")
	}
	again, err := images.Assemble(t.Context(), images.Access{}, recipe(t, files, "./bin/weather", r.Args...))
	if err != nil || again.Digest != img.Digest {
		t.Errorf("the same files made %s and %s (%v)", img.Digest, again.Digest, err)
	}
}

// TestAssembleRefused guards: what would not start is not made, and what helps is said.
func TestAssembleRefused(t *testing.T) {
	for want, r := range map[string]images.Recipe{
		"CGO_ENABLED=0":       recipe(t, map[string]string{"weather": elf(amd64, true)}, "./weather"),
		"GOOS=linux":          recipe(t, map[string]string{"weather": "MZ"}, "./weather"),
		"GOARCH=arm64":        recipe(t, map[string]string{"weather-linux-arm64": elf(amd64, false)}, "./weather"),
		"--base IMAGE@sha256": recipe(t, map[string]string{"index.js": "x"}, "node", "${bundle}/index.js"),
	} {
		_, err := images.Assemble(t.Context(), images.Access{}, r)
		if e, ok := err.(*hub.Error); !ok || e.Kind != hub.Invalid || !strings.Contains(e.Hint, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestAssembleOnBase guards: on a base by digest there is an image for each of its platforms that every compiled file is for, and it
// is pushed whole, layers of the base and all; a base by tag is refused with its digest.
func TestAssembleOnBase(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		img, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	tag, err := name.NewTag(host + "/library/node:22")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(tag, index); err != nil {
		t.Fatal(err)
	}
	d, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	access := images.Access{HTTP: http.DefaultTransport}
	files := map[string]string{"index.js": "x", "node_modules/a/index.js": "y"}
	r := recipe(t, files, "node", "${bundle}/index.js")
	r.Base = host + "/library/node:22"
	byDigest := host + "/library/node@" + d.String()
	if _, err := images.Assemble(t.Context(), access, r); err == nil || !strings.Contains(err.(*hub.Error).Hint, byDigest) {
		t.Errorf("a base by tag: %v", err)
	}
	r.Base = byDigest
	img, err := images.Assemble(t.Context(), access, r)
	if err != nil || !slices.Equal(img.Platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Fatalf("%+v, %v", img, err)
	}
	confs, _ := contents(t, img.Index)
	if got := confs["arm64"].Config.Entrypoint; !slices.Equal(got, []string{"node", "/app/index.js"}) {
		t.Errorf("starts %q", got)
	}
	var done, of int64
	if err := images.Push(t.Context(), access, host+"/acme/weather", "1.0.0", img, func(d, o int64) { done, of = d, o }); err != nil {
		t.Fatal(err)
	}
	if done == 0 || done != of {
		t.Errorf("told of %d of %d bytes", done, of)
	}
	pushed, err := name.NewDigest(host + "/acme/weather@" + img.Digest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(pushed)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(got); err != nil {
		t.Error(err)
	}

	files["node_modules/native/a.node"] = elf(amd64, false)
	r = recipe(t, files, "node", "${bundle}/index.js")
	r.Base = byDigest
	if img, err = images.Assemble(t.Context(), access, r); err != nil || !slices.Equal(img.Platforms, []string{"linux/amd64"}) {
		t.Errorf("with a part that is compiled: %+v, %v", img, err)
	}
}
