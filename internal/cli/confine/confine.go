// Package confine turns what a server asks for, and what the person allows, into a sandbox for it.
package confine

import (
	"cmp"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/mask"
)

// Machine is where a server runs.
type Machine struct {
	Home      string // of the person
	Getenv    func(string) string
	Runtime   string // the container engine that was chosen: "docker", "podman", "" for the one that is there
	Workspace string // what ${workspace} stands for
	Store     string // mcpm's own directory, whose secrets are never shown
	Bundle    string // the directory of the server's own files, "" when it has none
	LookPath  func(string) (string, error)
	Values    map[string]string // that the server is given, which its permissions may name
}

// Grants are what a person allows beside what the manifest asks for, each "KIND=VALUE" or "subprocess".
type Grants []string

// Waived are the aspects that a sandbox need not enforce where the machine cannot (sandbox.Aspects).
func (g Grants) Waived() []string {
	var out []string
	for _, one := range g {
		if what, ok := strings.CutPrefix(one, "waive="); ok && !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	return out
}

// kinds are those of a grant, and what their values are.
const kinds = "net=HOST:PORT, read=PATH, write=PATH, env=NAME, memory=AMOUNT, subprocess or waive=WHAT"

// ours are variables that every server gets, when they are set.
var ours = []string{"PATH", "LANG", "LANGUAGE", "TZ", "TERM", "NO_COLOR", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "NODE_OPTIONS", "NODE_COMPILE_CACHE", "NODE_DISABLE_COMPILE_CACHE"}

// Confine gives a server that was filled in to be started its sandbox. set are the variables that its entry sets. For what a
// container engine starts there is Contain. Invalid for a grant that is not one and for a path that is not there, Forbidden
// for a server that listens anywhere but on this machine's loopback device.
func (at Machine) Confine(m *manifest.Manifest, s *gateway.Server, set map[string]string, grants Grants) error {
	if at.Bundle != "" {
		s.Reads = append(s.Reads, at.Bundle)
	}
	spec, err := at.spec(m, s, set, grants)
	if err == nil && s.Remote() {
		spec.Listens, err = portOf(s)
	}
	s.Sandbox = spec
	return err
}

// portOf is where a server listens that is started here, and reached over HTTP.
func portOf(s *gateway.Server) (int, error) {
	u, err := url.Parse(s.URL)
	if err != nil || !hub.Loopback(u.Host) {
		return 0, listens(s)
	}
	port, err := strconv.Atoi(cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
	if err != nil {
		return 0, listens(s)
	}
	return port, nil
}

const withRights = "--sandbox=false starts it with your rights, and after mcpm allow NAME --everything it always does"

func listens(s *gateway.Server) error {
	return hub.Errorf(hub.Forbidden, "a server that is started here and listens at %s cannot be run in a sandbox, which can only be reached at a port of this machine's loopback device", s.URL).
		WithHint("%s", withRights)
}

func (at Machine) spec(m *manifest.Manifest, s *gateway.Server, set map[string]string, grants Grants) (*sandbox.Spec, error) {
	p, err := at.granted(m, grants)
	if err != nil {
		return nil, err
	}
	out := &sandbox.Spec{Home: at.Home, Subprocess: p.Subprocess, Waive: grants.Waived()}
	if p.Network != nil {
		out.Network = p.Network.Outbound
	}
	var given []sandbox.Mount
	for _, f := range p.Filesystem {
		mount, err := at.mount(f)
		if err != nil {
			return nil, err
		}
		given = append(given, mount)
	}
	if out.Hidden, err = at.hidden(given); err != nil {
		return nil, err
	}
	program, err := at.program(s.Command)
	if err != nil {
		return nil, err
	}
	for _, m := range program {
		s.Reads = append(s.Reads, m.Path)
	}
	out.Mounts = given
	for _, dir := range s.Reads {
		out.Mounts = append(out.Mounts, sandbox.Mount{Path: dir})
	}
	for _, dir := range s.Writes {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		if os.Getuid() == 0 {
			if err := os.Chown(dir, sandbox.Nobody, sandbox.Nobody); err != nil {
				return nil, err
			}
		}
		out.Mounts = append(out.Mounts, sandbox.Mount{Path: dir, Write: true})
	}
	names := append(p.Environment, p.Secrets...)
	if len(out.Network) > 0 {
		names = append(names, authorities...)
		out.Mounts = append(out.Mounts, authoritiesIn(s.Env, set)...)
	}
	out.Limits, err = limits(p.Resources)
	s.Env = environment(s.Env, set, names, at.Home)
	return out, err
}

// authorities are variables that name the certificate authorities of a company, without which nothing is reached in its
// network.
var authorities = []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}

// authoritiesIn are the files and directories that those variables name in the person's own environment, where they are not of
// the system. What the server's entry sets is the publisher's, and shows nothing.
func authoritiesIn(env []string, set map[string]string) []sandbox.Mount {
	var out []sandbox.Mount
	for _, kv := range env {
		name, path, _ := strings.Cut(kv, "=")
		if _, theirs := set[name]; theirs || !slices.Contains(authorities, name) || !filepath.IsAbs(path) || path == "/" || System(path) {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if m := (sandbox.Mount{Path: filepath.Clean(path)}); !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// hidden is what is never shown of what was granted.
func (at Machine) hidden(given []sandbox.Mount) ([]string, error) {
	paths := make([]string, len(given))
	for i, m := range given {
		paths[i] = m.Path
	}
	out, err := mask.Masked(at.Home, paths)
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "%v", err)
	}
	for _, name := range []string{"credentials.json", "config.json", "secrets.age", "secrets.key", "grants.json"} {
		out = append(out, filepath.Join(at.Store, name))
	}
	return out, nil
}

// Check says what is wrong with grants; whether a path is there is seen when the server starts.
func Check(grants Grants) error {
	_, err := permissions(new(manifest.Manifest), grants)
	return err
}

// permissions are what the manifest asks for and what is granted, together.
func permissions(m *manifest.Manifest, grants Grants) (manifest.Permissions, error) {
	var p manifest.Permissions
	if m.Permissions != nil {
		p = *m.Permissions
	}
	p.Filesystem, p.Environment = slices.Clone(p.Filesystem), slices.Clone(p.Environment)
	outbound := []string{}
	if p.Network != nil {
		outbound = slices.Clone(p.Network.Outbound)
	}
	for _, g := range grants {
		kind, value, _ := strings.Cut(g, "=")
		switch {
		case g == "subprocess":
			p.Subprocess = true
		case value == "":
			return p, hub.Errorf(hub.Invalid, "%q grants nothing", g).WithHint("write %s", kinds)
		case kind == "net":
			if _, err := egress.ParseRule(value); err != nil {
				return p, hub.Errorf(hub.Invalid, "%v", err)
			}
			outbound = append(outbound, value)
		case kind == "read" || kind == "write":
			var unknown string
			manifest.Expand(value, func(name string) string {
				if name != "workspace" && name != "HOME" {
					unknown = name
				}
				return ""
			})
			if unknown != "" {
				return p, hub.Errorf(hub.Invalid, "the path %s has a variable that is not known", value)
			}
			p.Filesystem = append(p.Filesystem, manifest.PathPermission{Path: value, Access: kind})
		case kind == "waive":
			if !slices.Contains(sandbox.Aspects, value) {
				return p, hub.Errorf(hub.Invalid, "%q is nothing that a sandbox enforces", value).WithHint("waive one of %s", strings.Join(sandbox.Aspects, ", "))
			}
		case kind == "env":
			p.Environment = append(p.Environment, value)
		case kind == "memory":
			limits := manifest.ResourceLimits{}
			if p.Resources != nil {
				limits = *p.Resources
			}
			limits.Memory = value
			p.Resources = &limits
		default:
			return p, hub.Errorf(hub.Invalid, "there is no permission %q to allow", kind).WithHint("write %s", kinds)
		}
	}
	p.Network = &manifest.NetworkPermissions{Outbound: outbound}
	return p, nil
}

// mount finds a granted path on this machine.
func (at Machine) mount(f manifest.PathPermission) (sandbox.Mount, error) {
	path := f.Path
	for name, to := range map[string]string{"${workspace}": at.Workspace, "${HOME}": at.Home, "~": at.Home} {
		if rest, ok := strings.CutPrefix(path, name); ok && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
			path = to + rest
		}
	}
	if strings.Contains(path, "${") {
		return sandbox.Mount{}, hub.Errorf(hub.Invalid, "the path %s has a variable that is not known", f.Path)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(at.Workspace, path)
	}
	path = filepath.Clean(path)
	if _, err := os.Stat(path); err != nil {
		return sandbox.Mount{}, hub.Errorf(hub.NotFound, "the server may %s %s, which is not there", f.Access, path).WithHint("create it")
	}
	return sandbox.Mount{Path: path, Write: f.Access == "write"}, nil
}

// program lists what has to be seen so that a program can start: for one that is installed in a directory of its own (node of
// nvm, a Python of uv) that directory, else the file. The system's programs are seen anyway.
func (at Machine) program(command string) ([]sandbox.Mount, error) {
	if command == "" {
		return nil, nil // it is an image's
	}
	path, err := at.LookPath(command)
	if err != nil {
		return nil, nil // starting it says what is wrong, and knows what helps
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	var out []sandbox.Mount
	for _, p := range slices.Compact([]string{path, real}) {
		if System(p) {
			continue
		}
		mount := sandbox.Mount{Path: p}
		if root := filepath.Dir(filepath.Dir(p)); filepath.Base(filepath.Dir(p)) == "bin" && at.own(root) {
			mount.Path = root
		}
		out = append(out, mount)
	}
	return out, nil
}

// own reports whether a directory holds one installation and not what people keep: a home has a bin, too.
func (at Machine) own(root string) bool {
	if root == "/" || root == at.Home || strings.HasPrefix(at.Home+"/", root+"/") || root == filepath.Join(at.Home, ".local") {
		return false
	}
	for _, name := range []string{"lib", "lib64", "share", "include"} {
		if info, err := os.Stat(filepath.Join(root, name)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// System reports whether a path is of the system's programs, libraries or certificates, which every server sees.
func System(path string) bool {
	return slices.ContainsFunc([]string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/nix/store/", "/etc/ssl/", "/etc/pki/", "/etc/ca-certificates/"}, func(dir string) bool { return strings.HasPrefix(path, dir) })
}

// ofWindows are variables without which programs of Windows do not start. They name places and no secrets.
var ofWindows = []string{"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
	"PROGRAMFILES", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"}

// environment leaves of mcpm's environment what every server gets, what the entry sets and what was asked for.
func environment(all []string, set map[string]string, names []string, home string) []string {
	var out []string
	for _, kv := range all {
		name, _, _ := strings.Cut(kv, "=")
		_, own := set[name]
		if own || runtime.GOOS == "windows" && slices.Contains(ofWindows, strings.ToUpper(name)) || slices.Contains(ours, name) || strings.HasPrefix(name, "LC_") || slices.Contains(names, name) {
			out = append(out, kv)
		}
	}
	return append(out, "HOME="+home, "TMPDIR=/tmp")
}

func limits(r *manifest.ResourceLimits) (sandbox.Limits, error) {
	var out sandbox.Limits
	if r == nil {
		return out, nil
	}
	memory, err := amount(r.Memory)
	if err != nil {
		return out, err
	}
	out.Memory, out.Pids = memory, r.Pids
	if r.CPUs > 0 {
		out.CPUs = min(max(1, int(r.CPUs+0.999)), runtime.NumCPU())
	}
	return out, nil
}

// amount reads bytes such as 512Mi. An empty text is 0.
func amount(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	unit := float64(1)
	for _, u := range []struct {
		name string
		is   float64
	}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"K", 1e3}, {"k", 1e3}, {"M", 1e6}, {"m", 1e6}, {"G", 1e9}, {"g", 1e9}} {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = n, u.is
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n*unit > 1<<50 {
		return 0, hub.Errorf(hub.Invalid, "%q is not an amount of memory such as 512Mi", text)
	}
	return int64(n * unit), nil
}
