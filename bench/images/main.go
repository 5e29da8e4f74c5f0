// Command images pushes and pulls a container image through a hub and through the plain registry of the distribution
// project, by turns in one run, and prints the times and their ratio. Both keep their files in the same directory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// peer is the registry that the hub is compared with, of the version whose storage the hub has in it.
const peer = "github.com/distribution/distribution/v3/cmd/registry@v3.1.2"

func main() {
	dir := flag.String("dir", filepath.Join(".cache", "bench", "images"), "where programs are kept between runs, and data during one")
	size := flag.Int64("size", 200_000_000, "bytes of the image")
	layers := flag.Int64("layers", 4, "layers it is in")
	rounds := flag.Int("rounds", 7, "pushes and pulls through each")
	flag.Parse()
	if err := run(context.Background(), *dir, *size, *layers, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// target is a registry under load.
type target struct {
	name, host string
	auth       remote.Option
	push, pull []time.Duration
}

func run(ctx context.Context, dir string, size, layers int64, rounds int) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := build(dir); err != nil {
		return err
	}
	data, err := os.MkdirTemp(dir, "data-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	hub, stopHub, err := startHub(dir, data)
	if err != nil {
		return err
	}
	defer stopHub()
	plain, stopPlain, err := startPeer(dir, data)
	if err != nil {
		return err
	}
	defer stopPlain()
	targets := []*target{hub, plain}
	for i := range rounds + 1 { // the first is to warm up
		image, err := random.Image(size/layers, layers)
		if err != nil {
			return err
		}
		for _, t := range targets {
			pushed, pulled, err := t.measure(ctx, image, fmt.Sprintf("acme/bench%d", i))
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			if i > 0 {
				t.push, t.pull = append(t.push, pushed), append(t.pull, pulled)
			}
		}
		slices.Reverse(targets) // none is always the second to write
	}
	fmt.Printf("%d bytes in %d layers, median (fastest) of %d\n", size, layers, rounds)
	for _, t := range []*target{hub, plain} {
		fmt.Printf("%-22s push %s   pull %s\n", t.name, shown(t.push), shown(t.pull))
	}
	fmt.Printf("%-22s push %.2f   pull %.2f\n", "hub / plain, median", ratio(hub.push, plain.push), ratio(hub.pull, plain.pull))
	return nil
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}

func ratio(a, b []time.Duration) float64 { return float64(median(a)) / float64(median(b)) }

func shown(d []time.Duration) string {
	return fmt.Sprintf("%4d ms (%4d)", median(d).Milliseconds(), slices.Min(d).Milliseconds())
}

// measure pushes an image and pulls it back.
func (t *target) measure(ctx context.Context, image v1.Image, repository string) (push, pull time.Duration, err error) {
	ref, err := name.ParseReference(t.host+"/"+repository+":1", name.Insecure)
	if err != nil {
		return 0, 0, err
	}
	options := []remote.Option{remote.WithContext(ctx), t.auth}
	start := time.Now()
	if err := remote.Write(ref, image, options...); err != nil {
		return 0, 0, err
	}
	push = time.Since(start)
	start = time.Now()
	got, err := remote.Image(ref, options...)
	if err != nil {
		return 0, 0, err
	}
	all, err := got.Layers()
	if err != nil {
		return 0, 0, err
	}
	for _, l := range all {
		r, err := l.Compressed() // checked against its digest while it is read
		if err != nil {
			return 0, 0, err
		}
		_, err = io.Copy(io.Discard, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return 0, 0, err
		}
	}
	return push, time.Since(start), nil
}

// build makes both programs, those of the peer once.
func build(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	commands := []*exec.Cmd{exec.Command("go", "build", "-trimpath", "-tags", "nomsgpack", "-o", filepath.Join(dir, "mcphub"), "./cmd/mcphub")}
	if _, err := os.Stat(filepath.Join(dir, "registry")); err != nil {
		commands = append(commands, exec.Command("go", "install", peer))
	}
	for _, c := range commands {
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+dir)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", c, err, out)
		}
	}
	return nil
}

func startHub(dir, data string) (*target, func(), error) {
	program, addr, err := filepath.Join(dir, "mcphub"), "", error(nil)
	home := filepath.Join(data, "hub")
	admin := func(input string, args ...string) (string, error) {
		c := exec.Command(program, append(args, "--data", home)...)
		c.Stdin = strings.NewReader(input)
		out, err := c.Output()
		return strings.TrimSpace(string(out)), err
	}
	if _, err := admin("correct horse battery\n", "admin", "user", "add", "acme", "--email", "acme@example.com"); err != nil {
		return nil, nil, err
	}
	key, err := admin("", "admin", "key", "acme", "--scope", "publish")
	if err != nil {
		return nil, nil, err
	}
	if addr, err = freeAddress(); err != nil {
		return nil, nil, err
	}
	stop, err := start(addr, exec.Command(program, "serve", "--addr", addr, "--data", home, "--starter=false", "--rate-limit", "0", "--log-level", "error"))
	return &target{name: "hub", host: addr, auth: remote.WithAuth(&authn.Basic{Username: "bench", Password: key})}, stop, err
}

func startPeer(dir, data string) (*target, func(), error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(data, "registry.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n", filepath.Join(data, "plain"), addr)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	c := exec.Command(filepath.Join(dir, "registry"), "serve", file)
	c.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	stop, err := start(addr, c)
	return &target{name: "plain registry v3.1.2", host: addr, auth: remote.WithAuth(authn.Anonymous)}, stop, err
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start runs a program until it answers at /v2/. What it logs is left out: the plain registry calls a blob that is not
// there yet an error.
func start(addr string, c *exec.Cmd) (stop func(), err error) {
	if err := c.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
	for range 200 {
		resp, err := http.Get("http://" + addr + "/v2/")
		if err == nil {
			resp.Body.Close()
			return stop, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	return nil, fmt.Errorf("%s does not answer", c.Path)
}
