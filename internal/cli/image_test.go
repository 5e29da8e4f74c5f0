package cli_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// fakeDocker knows the images it pulled, and says what it would run.
const fakeDocker = `#!/bin/sh
images=$(dirname "$0")/images
case $1 in
image) grep -qx "$3" "$images" 2>/dev/null ;;
pull) echo "$3" >> "$images" ;;
version) ;;
*) echo "docker $*" >&2 ;;
esac
`

// docker puts fakeDocker on the world's PATH.
func (w *world) docker() {
	w.t.Helper()
	w.write("bin/docker", fakeDocker)
	if err := os.Chmod(w.path("bin/docker"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.vars["DOCKER_HOST"], w.vars["CONTAINER_HOST"] = "unix:///none", "unix:///none" // not an engine that may be here
}

// imageRegistry starts a registry of images and returns its host.
func imageRegistry(t *testing.T) string {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// pushImage pushes an image that nobody has yet and returns its digest.
func pushImage(t *testing.T, ref string, labels map[string]string) string {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.Config(img, v1.Config{Labels: labels}); err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, img); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// TestImage guards: a container image is locked to the bytes its tag stands for at install, fetched once, and started by
// them whatever becomes of the tag; with --offline what is on the machine is enough; a lockfile that says less starts
// nothing.
func TestImage(t *testing.T) {
	host := imageRegistry(t)
	push := func() string { return pushImage(t, host+"/acme/db:1.0", nil) }
	first := push()
	w := newWorld(t)
	w.docker()
	w.vars["MCPM_SANDBOX"] = "0"     // the engine is a script, without a socket
	t.Setenv("PATH", w.vars["PATH"]) // which servers are started with
	w.hub.add(t, `{"name": "@acme/db", "version": "1.0.0", "description": "In a container",
		"servers": {"default": {"package": {"registryType": "oci", "identifier": "`+host+`/acme/db:1.0", "transport": {"type": "stdio"}}}}}`, nil)
	w.hub.add(t, `{"name": "@acme/tool", "version": "1.0.0", "description": "In a container, by command",
		"servers": {"default": {"command": "docker", "args": ["run", "-i", "--rm", "-v", "/data:/data:ro", "`+host+`/acme/db:1.0", "serve"]}}}`, nil)
	w.hub.add(t, `{"name": "@acme/gone", "version": "1.0.0", "description": "Its image is not there",
		"servers": {"default": {"command": "docker", "args": ["run", "-i", "`+host+`/acme/gone:1.0"]}}}`, nil)
	text := w.transcript(cmds("install @acme/db @acme/tool --yes --no-hosts", "install @acme/gone --yes --no-hosts", "ci")...)
	lock := w.read("shop/mcpm-lock.json")
	if strings.Count(lock, first) != 2 {
		t.Errorf("the lockfile does not hold %s twice:\n%s", first, lock)
	}
	if second := push(); second == first {
		t.Fatal("the tag did not move")
	}
	text += "\n-- the tag was moved --\n" + w.transcript(cmds("--offline ci")...) + "\n" + w.runFiles("@acme/db") + "\n" + w.runFiles("@acme/tool")
	if err := os.Remove(w.path("bin/images")); err != nil {
		t.Fatal(err)
	}
	text += "\n-- the image was removed --\n" + w.transcript(cmds("--offline ci", "ci")...)
	w.write("shop/mcpm-lock.json", regexp.MustCompile(`,\s*"integrity": "sha256:[0-9a-f]*"`).ReplaceAllString(lock, ""))
	text += "\n-- a lockfile that names no bytes --\n" + w.runFiles("@acme/db")
	golden(t, "image.txt", strings.NewReplacer(first, "sha256:FIRST", host, "images.test").Replace(text))
}

// TestPublishImage guards: what a project with "runtime": "docker" says before it is pushed, and what helps when no image can be
// made of it; an image that is in a registry is published by its digest.
func TestPublishImage(t *testing.T) {
	host := imageRegistry(t)
	digest := pushImage(t, host+"/acme/db:1.0", nil)
	w := newWorld(t)
	w.vars["DOCKER_HOST"], w.vars["CONTAINER_HOST"] = "unix:///none", "unix:///none"
	project := func(command, args string) {
		w.write("shop/mcp.json", `{"name": "@acme/db", "version": "1.0.0", "description": "A database in an image", "license": "MIT", "runtime": "docker",
  "servers": {"default": {"command": "`+command+`", "args": [`+args+`], "env": {"MODE": "${MODE}"}}}, "configuration": {"MODE": {"description": "Fast or safe", "default": "fast"}}}`)
	}
	w.write("shop/bin/db", "\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 11)+"\x3e"+strings.Repeat("\x00", 60))
	w.write("shop/index.js", "serve()")
	project("bin/db", `"--root", "${workspace}"`)
	text := w.transcript(cmds("publish --dry-run", "publish --from-image "+host+"/acme/db:1.0 --dry-run", "publish --from-image "+host+"/acme/db:2.0 --dry-run")...)
	project("node", `"${bundle}/index.js"`)
	text += "\n-- started by node --\n" + w.transcript(cmds("publish --dry-run", "publish --base "+host+"/acme/db:1.0 --dry-run")...)
	w.write("shop/Dockerfile", "FROM scratch\n")
	text += "\n-- a Dockerfile --\n" + w.transcript(cmds("publish --dry-run", "publish --base x --dry-run")...)
	golden(t, "publish-image.txt", strings.NewReplacer(digest, "sha256:IMAGE", host, "images.test").Replace(text))
}

// TestInitFromImage guards: an mcp.json is made of the labels of an image, which it names by digest; questions and flags come first.
func TestInitFromImage(t *testing.T) {
	host := imageRegistry(t)
	push := func(tag string, labels map[string]string) string {
		return pushImage(t, host+"/acme/orders:"+tag, labels)
	}
	full := push("1.4.0", map[string]string{
		"org.opencontainers.image.version": "1.4.0", "org.opencontainers.image.licenses": "MIT",
		"io.docker.server.metadata": `{"name":"orders","title":"Orders","description":"Looks orders up","type":"server","secrets":[{"name":"orders.key","env":"ORDERS_KEY"}],` +
			`"command":["serve"],"allowHosts":["api.orders.test:443"],"user":"0","tools":[{"name":"find_order","description":"Finds one"}]}`,
	})
	bare := push("bare", nil)
	poci := push("poci", map[string]string{"io.docker.server.metadata": "{name: tools, type: poci}"})
	w := newWorld(t)
	ref := host + "/acme/orders:"
	text := w.transcript(cmds("init --yes --dry-run --from-image "+ref+"1.4.0", "init --yes --name @acme/sales --from-image "+ref+"1.4.0", "init --yes --force --from-image "+ref+"bare",
		"init --yes --dry-run --description Sells --from-image "+ref+"bare", "init --yes --force --from-image "+ref+"poci", "init --yes --force --from-image "+ref+"2.0.0", "init --yes --force --env A --from-image "+ref+"1.4.0",
		"publish --dry-run")...)
	golden(t, "init-image.txt", strings.NewReplacer(full, "sha256:FULL", bare, "sha256:BARE", poci, "sha256:POCI", host, "images.test").Replace(text))
}
