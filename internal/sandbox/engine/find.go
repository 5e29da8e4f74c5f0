package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Place is where an engine is looked for.
type Place struct {
	Getenv func(string) string
	Home   string // of the person
}

// Find returns a client of the engine that is there: runtime is "docker", "podman", the path of either's program, or "" for Docker's,
// else Podman's. It is found as their own programs find it: DOCKER_HOST or CONTAINER_HOST, Docker's current context, the
// person's own socket, the machine's. Only sockets of this machine are taken, and only one that answers.
func Find(runtime string, at Place) (*Client, error) {
	var list []string
	kind := strings.TrimSuffix(filepath.Base(runtime), ".exe")
	switch {
	case runtime == "":
		list = append(at.docker(), at.podman()...)
	case strings.HasPrefix(kind, "podman"):
		list = at.podman()
	case strings.HasPrefix(kind, "docker"):
		list = at.docker()
	default:
		return nil, fmt.Errorf("the container engine %q is neither docker nor podman", runtime)
	}
	var errs []error
	for _, address := range list {
		c, err := New(address)
		if strings.Contains(address, "/.docker/desktop/") || strings.Contains(address, "/.docker/run/") {
			err = fmt.Errorf("the engine at %s is Docker Desktop's, which runs containers on a machine of their own", address)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		conn, err := net.DialTimeout("unix", strings.TrimPrefix(address, "unix://"), time.Second)
		if err == nil {
			conn.Close()
			return c, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return nil, fmt.Errorf("no container engine is listening on this machine (looked at %s)", strings.Join(list, ", "))
}

// docker lists where Docker may be. Who names a place gets that one and no other.
func (at Place) docker() []string {
	if host := at.Getenv("DOCKER_HOST"); host != "" {
		return []string{host}
	}
	if host := at.context(); host != "" {
		return []string{host}
	}
	list := []string{"unix:///var/run/docker.sock"}
	if dir := at.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		list = append([]string{"unix://" + filepath.Join(dir, "docker.sock")}, list...)
	}
	return list
}

// context is the address of the context that docker context use chose, "" for the default one.
func (at Place) context() string {
	dir := at.Getenv("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(at.Home, ".docker")
	}
	name := at.Getenv("DOCKER_CONTEXT")
	if name == "" {
		var conf struct{ CurrentContext string }
		read(filepath.Join(dir, "config.json"), &conf)
		name = conf.CurrentContext
	}
	if name == "" || name == "default" {
		return ""
	}
	id := sha256.Sum256([]byte(name))
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	read(filepath.Join(dir, "contexts", "meta", hex.EncodeToString(id[:]), "meta.json"), &meta)
	return meta.Endpoints["docker"].Host
}

// read reads a JSON file of Docker's settings. One that is not there or broken says nothing.
func read(file string, into any) {
	if info, err := os.Stat(file); err != nil || info.Size() > 1<<20 {
		return
	}
	if data, err := os.ReadFile(file); err == nil {
		_ = json.Unmarshal(data, into)
	}
}

// podman lists where Podman may be.
func (at Place) podman() []string {
	if host := at.Getenv("CONTAINER_HOST"); host != "" {
		return []string{host}
	}
	var list []string
	if dir := at.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		list = append(list, "unix://"+filepath.Join(dir, "podman", "podman.sock"))
	}
	return append(list, "unix:///run/podman/podman.sock")
}
