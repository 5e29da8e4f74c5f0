// Package mask knows what is never shown to a process in a sandbox, whatever it was granted.
package mask

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// private are paths below a person's home where keys, passwords and sessions are kept. Nobody grants them by granting
// the home, or any directory they are in.
var private = []string{
	".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc", ".git-credentials", ".password-store", ".pki",
	".config/gcloud", ".config/gh", ".config/git/credentials", ".config/op", ".config/sops", ".config/rclone", ".config/pypoetry/auth.toml", ".cargo/credentials", ".cargo/credentials.toml",
	".bash_history", ".zsh_history", ".python_history", ".node_repl_history", ".psql_history", ".local/share/keyrings", ".local/share/kwalletd",
	".mozilla", ".config/google-chrome", ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge", ".config/vivaldi", ".config/opera", ".thunderbird",
	".var/app", "snap", "Library/Keychains", "Library/Cookies", "Library/Application Support/Google/Chrome", "Library/Application Support/Firefox", "Library/Safari",
	".gem/credentials", ".terraform.d/credentials.tfrc.json", ".vault-token", ".m2/settings.xml",
}

// engines are sockets and directories of the machine through which somebody becomes its master, or another process of the same person.
var engines = []string{"/run/docker.sock", "/run/containerd", "/run/podman", "/run/crio", "/run/dbus", "/run/systemd", "/run/user", "/var/run/docker.sock", "/var/lib/docker"}

// keys are names that are masked wherever they are inside of a granted directory.
func keys(name string) bool {
	switch {
	case name == ".env", strings.HasPrefix(name, ".env."):
		// Examples tell the names of what is needed and no value.
		return name != ".env.example" && name != ".env.sample" && name != ".env.template"
	case name == ".ssh", name == ".gnupg", name == ".aws", name == ".netrc", name == ".npmrc", name == ".pypirc", name == ".git-credentials":
		return true
	}
	return false
}

const maxLooked = 100_000 // entries of granted directories that are looked at for keys

// Masked lists what must not be seen of granted paths: what is private in a person's home, the sockets of container engines and the like, and files and directories
// for keys by their names (.env and the like), which are looked for now; what is created later is seen. It fails where
// there is too much to look at: name a smaller directory.
func Masked(home string, granted []string) ([]string, error) {
	var out []string
	for _, p := range private {
		out = append(out, filepath.Join(home, filepath.FromSlash(p)))
	}
	out = append(out, engines...)
	left := maxLooked
	for _, path := range granted {
		if err := look(path, &left, &out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func look(dir string, left *int, out *[]string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("the granted path %s cannot be read: %w", dir, err)
	}
	if err := OverSystem(real); err != nil {
		return err
	}
	return filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // the server, which is no more than this person, cannot read it either
		}
		if *left--; *left < 0 {
			return fmt.Errorf("%s has more than %d files, too many to look for keys among; grant a smaller directory", dir, maxLooked)
		}
		if path != real && keys(d.Name()) {
			*out = append(*out, path)
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" && path != real) {
			return filepath.SkipDir // large, and not where people put keys
		}
		return nil
	})
}

// Private reports whether a path is where keys, passwords and sessions are kept, or a socket through which somebody becomes the
// master of the machine: what Masked hides, by its name. home is the person's.
func Private(home, path string) bool {
	for _, p := range private {
		if in := filepath.Join(home, filepath.FromSlash(p)); path == in || strings.HasPrefix(path, in+"/") {
			return true
		}
	}
	for _, p := range engines {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return slices.ContainsFunc(strings.Split(path, "/"), keys)
}

// OverSystem refuses a mount that would show or replace what a sandbox makes for itself.
func OverSystem(path string) error {
	if path == "/" {
		return fmt.Errorf("the whole file system cannot be granted; name the directory that is needed")
	}
	for _, own := range []string{"/proc", "/dev", "/sys"} {
		if path == own || strings.HasPrefix(path, own+"/") {
			return fmt.Errorf("%s cannot be granted: it is the machine itself", path)
		}
	}
	return nil
}
