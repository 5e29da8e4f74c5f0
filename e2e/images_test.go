package e2e

import (
	"archive/tar"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rootOf makes the archive of an image's root: the weather server, and a file that tells images apart.
func rootOf(t *testing.T, mark string) []byte {
	t.Helper()
	program, err := os.ReadFile(filepath.Join(bin, "weather"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range map[string][]byte{"weather": program, "mark": []byte(mark)} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), ModTime: time.Unix(0, 0)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imageHub starts a hub with the account acme, and returns it, its host and a key to publish.
func imageHub(t *testing.T) (h *hub, host, key string) {
	t.Helper()
	data := t.TempDir()
	key = newPublisher(t, data, os.Environ())
	h, err := startHub(data, os.Environ(), "--starter=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.kill)
	return h, strings.TrimPrefix(h.url, "http://"), key
}

// publishImage publishes a version of @acme/weather that is started from an image.
func publishImage(t *testing.T, h *hub, key, version, image string) {
	t.Helper()
	body := fmt.Sprintf(`{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":"acme/weather","description":"Tells the weather",`+
		`"version":%q,"packages":[{"registryType":"oci","identifier":%q,"transport":{"type":"stdio"}}]}`, version, image)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v0.1/publish", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("publish: %s", resp.Status)
	}
}

// TestImageBackup moves images to another hub.
func TestImageBackup(t *testing.T) {
	if _, err := exec.LookPath("skopeo"); err != nil {
		missing(t, "skopeo")
	}
	h, host, key := imageHub(t)
	r := tool{t: t, dir: t.TempDir()}
	ociLayout(t, filepath.Join(r.dir, "image"))
	r.ok("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", "ci:"+key, "oci:image", "docker://"+host+"/acme/weather:1.0.0")
	publishImage(t, h, key, "1.0.0", host+"/acme/weather:1.0.0")
	if out := r.ok(filepath.Join(bin, "mcphub"), "admin", "backup", "hub.tgz", "--data", h.data); !strings.Contains(out, "files of container images") {
		t.Errorf("backup: %s", out)
	}
	data := filepath.Join(t.TempDir(), "restored")
	r.ok(filepath.Join(bin, "mcphub"), "admin", "restore", "hub.tgz", "--data", data)
	other, err := startHub(data, os.Environ(), "--starter=false", "--base-url", h.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.kill)
	r.ok("skopeo", "copy", "--src-tls-verify=false", "docker://"+strings.TrimPrefix(other.url, "http://")+"/acme/weather:1.0.0", "dir:back")
}

// TestOtherClients uses what else people move images with.
func TestOtherClients(t *testing.T) {
	h, host, key := imageHub(t)
	for program, use := range map[string]func(*testing.T, tool){
		"skopeo": func(t *testing.T, r tool) {
			creds := "ci:" + key
			ociLayout(t, filepath.Join(r.dir, "image"))
			r.ok("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", creds, "oci:image", "docker://"+host+"/acme/skopeo:1.0.0")
			r.ok("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds", creds, "--dest-creds", creds,
				"docker://"+host+"/acme/skopeo:1.0.0", "docker://"+host+"/acme/copied:edge")
			if out := r.ok("skopeo", "list-tags", "--tls-verify=false", "--creds", creds, "docker://"+host+"/acme/skopeo"); !strings.Contains(out, `"1.0.0"`) {
				t.Errorf("tags: %s", out)
			}
			r.run("", "unauthorized", "skopeo", "inspect", "--tls-verify=false", "--no-creds", "docker://"+host+"/acme/skopeo:1.0.0")
			publishImage(t, h, key, "3.0.0", host+"/acme/skopeo:1.0.0")
			r.ok("skopeo", "inspect", "--tls-verify=false", "--no-creds", "docker://"+host+"/acme/skopeo:1.0.0")
			r.run("", "which is published, so it stays", "skopeo", "delete", "--tls-verify=false", "--creds", creds, "docker://"+host+"/acme/skopeo:1.0.0")
			r.ok("skopeo", "delete", "--tls-verify=false", "--creds", creds, "docker://"+host+"/acme/copied:edge")
			r.run("", "manifest unknown", "skopeo", "inspect", "--tls-verify=false", "--creds", creds, "docker://"+host+"/acme/copied:edge")
		},
		"oras": func(t *testing.T, r tool) {
			r.env = append(r.env, "DOCKER_CONFIG="+t.TempDir())
			data := bytes.Repeat([]byte("weather "), 500_000)
			if err := os.WriteFile(filepath.Join(r.dir, "data.bin"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(r.dir, "sbom.json"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			ref := host + "/acme/files:v1"
			r.run(key, "", "oras", "login", "--plain-http", host, "-u", "ci", "--password-stdin")
			r.ok("oras", "push", "--plain-http", ref, "data.bin:application/octet-stream")
			r.ok("oras", "attach", "--plain-http", "--artifact-type", "application/spdx+json", ref, "sbom.json:application/json")
			if out := r.ok("oras", "discover", "--plain-http", ref); !strings.Contains(out, "application/spdx+json") {
				t.Errorf("what was attached is not found: %s", out)
			}
			r.ok("oras", "pull", "--plain-http", "-o", "out", ref)
			if got, err := os.ReadFile(filepath.Join(r.dir, "out", "data.bin")); err != nil || !bytes.Equal(got, data) {
				t.Errorf("pulled %d bytes, %v", len(got), err)
			}
		},
		"podman": func(t *testing.T, r tool) {
			if os.Getuid() != 0 {
				missing(t, "podman with root")
			}
			store := []string{"--root", r.dir + "/data", "--runroot", r.dir + "/run", "--storage-driver", "vfs"}
			podman := func(args ...string) string { return r.ok("podman", append(store, args...)...) }
			r.run(string(rootOf(t, "podman")), "", "podman", append(store, "import", "-", host+"/acme/podman:1")...)
			podman("push", "--tls-verify=false", "--creds", "ci:"+key, host+"/acme/podman:1")
			podman("rmi", host+"/acme/podman:1")
			podman("pull", "--tls-verify=false", "--creds", "ci:"+key, host+"/acme/podman:1")
		},
	} {
		t.Run(program, func(t *testing.T) {
			if _, err := exec.LookPath(program); err != nil {
				missing(t, program)
			}
			use(t, tool{t: t, dir: t.TempDir()})
		})
	}
}

// tool runs a program with an environment and input, and fails the test unless it ends as expected: well, or with what
// it says in its refusal.
type tool struct {
	t   *testing.T
	env []string
	dir string
}

func (r tool) run(input, refusal, program string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = append(os.Environ(), r.env...), r.dir, strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	line := fmt.Sprintf("%s %s", program, strings.Join(args, " "))
	switch {
	case refusal == "" && err != nil:
		r.t.Fatalf("%s: %v\n%s", line, err, out)
	case refusal != "" && (err == nil || !strings.Contains(string(out), refusal)):
		r.t.Fatalf("%s: %v; want it to say %q\n%s", line, err, refusal, out)
	}
	return string(out)
}

// ok runs a program that must end well.
func (r tool) ok(program string, args ...string) string {
	r.t.Helper()
	return r.run("", "", program, args...)
}
