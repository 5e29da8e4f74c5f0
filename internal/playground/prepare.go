package playground

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
)

// home is what a server in the sandbox takes for a person's home. It is empty.
const home = "/home/visitor"

// granted is what a server on the hub may use. What its manifest asks for beyond is not given: nobody was asked.
var granted = sandbox.Limits{Memory: 512 << 20, Scratch: 32 << 20, Pids: 64, CPUs: 1, FileSize: 32 << 20}

// prepare makes what is started or reached; clean removes what it needed.
func (s *Service) prepare(ctx context.Context, way Way, m *manifest.Manifest, v *hub.Version) (_ *gateway.Server, clean func(), err error) {
	if way.Remote != "" {
		l, _, err := manifest.Launch(m, way.spec, nil)
		if err != nil {
			return nil, nil, err
		}
		return &gateway.Server{Transport: l.Transport, URL: l.URL, Headers: l.Headers}, func() {}, nil
	}
	own, err := os.MkdirTemp(s.Dir, "try-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(own) } // what stays is removed at the next start
	server, err := s.unpacked(ctx, way, m, v, filepath.Join(own, "server"))
	if err != nil {
		remove()
		return nil, nil, err
	}
	return server, remove, nil
}

// unpacked writes the bundle into a directory and says how the server in it is started.
func (s *Service) unpacked(ctx context.Context, way Way, m *manifest.Manifest, v *hub.Version, dir string) (*gateway.Server, error) {
	if err := s.unpack(ctx, v, dir); err != nil {
		return nil, err
	}
	l, _, err := manifest.Launch(m, way.spec, map[string]string{"bundle": dir, "workspace": home, "HOME": home})
	if err != nil {
		return nil, err
	}
	server := &gateway.Server{Command: l.Command, Args: l.Args, Dir: l.Dir, Env: environment(l.Env)}
	if strings.ContainsRune(l.Command, '/') && !filepath.IsAbs(l.Command) {
		server.Command = filepath.Join(dir, l.Command)
	}
	server.Sandbox = &sandbox.Spec{Home: home, Mounts: []sandbox.Mount{{Path: dir}}, Limits: granted}
	return server, nil
}

// environment is all a server gets: nothing of the hub's own.
func environment(set map[string]string) []string {
	out := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + home, "TMPDIR=/tmp", "PYTHONDONTWRITEBYTECODE=1"}
	for k, v := range set {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// unpack writes the bundle of a version into a directory, and compares its bytes with the digest that was published.
func (s *Service) unpack(ctx context.Context, v *hub.Version, dir string) error {
	r, err := s.Blobs.Open(ctx, v.Bundle.Digest, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	all := io.TeeReader(r, sum)
	if _, err := bundle.Unpack(all, dir, bundle.DefaultLimits); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != v.Bundle.Digest {
		return hub.Errorf(hub.Unavailable, "the bundle of version %s is %s and was published as %s", v.Version, got, v.Bundle.Digest)
	}
	return nil
}

// Check starts a program that does nothing in the sandbox of a server, and says what this machine lacks for it.
func Check() error {
	path, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	p, err := sandbox.Start(&sandbox.Spec{Command: path, Home: home, Limits: granted}, null, null, null)
	if err != nil {
		return err
	}
	_, err = p.Wait()
	return err
}
