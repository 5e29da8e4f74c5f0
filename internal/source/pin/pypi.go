package pin

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// pypiPackage is one package of PyPI: the digests of its files, of which the machine takes the one that fits it.
type pypiPackage struct {
	Version string   `json:"version"`
	Marker  string   `json:"marker,omitempty"` // PEP 508: where it is needed
	Hashes  []string `json:"hashes"`           // "sha256:..."
}

var (
	pypiLineRE = lazyregexp.New(`^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[A-Za-z0-9._, -]*\])?==([^ ;\\]+)(?: *; *([^\\]*?))? *\\?$`)
	pypiHashRE = lazyregexp.New(`^sha256:[0-9a-f]{64}$`)
	markerRE   = lazyregexp.New(`^[A-Za-z0-9_.,'"()<>=!~ +*-]*$`)
)

// resolvePyPI asks uv, which pins for every platform, else pip, which pins for this one.
func (t Tools) resolvePyPI(ctx context.Context, d *Document, p Package) error {
	for _, with := range p.With {
		if strings.ContainsAny(with, "\r\n\\#") || strings.HasPrefix(with, "-") || strings.Contains(with, "://") {
			return hub.Errorf(hub.Invalid, "%.80q is not a package of PyPI with a version", with)
		}
	}
	what := "pinning " + d.Name + " " + d.Version
	own := d.Name + d.Extras
	if d.Version != "" {
		own += "==" + d.Version
	}
	asked := append([]string{own}, p.With...)
	if uv, err := t.find(what, "uv"); err == nil {
		args := []string{uv, "pip", "compile", "-", "--generate-hashes", "--universal", "--no-header", "--no-annotate", "--quiet", "--no-build"}
		out, err := t.run(ctx, what, os.TempDir(), strings.Join(asked, "\n")+"\n", nil, append(args, t.uvArgs(d)...)...)
		if err != nil {
			return err
		}
		return d.readRequirements(out)
	}
	python, err := t.find(what, "python3", "python")
	if err != nil {
		return hub.Errorf(hub.NotFound, "%s needs uv, or Python with pip, and neither is on this machine", what).WithHint("install uv and try again")
	}
	args := []string{python, "-I", "-m", "pip", "install", "--dry-run", "--ignore-installed", "--only-binary=:all:", "--quiet", "--report=-", "--disable-pip-version-check", "--no-input"}
	out, err := t.run(ctx, what, os.TempDir(), "", nil, append(append(args, pipArgs(d)...), asked...)...)
	if err != nil {
		return err
	}
	return d.readReport(out)
}

func (t Tools) uvArgs(d *Document) []string {
	var args []string
	if d.Registry != "" {
		args = append(args, "--default-index", d.Registry)
	}
	if t.Offline {
		args = append(args, "--offline")
	}
	return args
}

func pipArgs(d *Document) []string {
	if d.Registry == "" {
		return nil
	}
	return []string{"--index-url", d.Registry}
}

// readRequirements reads requirements with hashes, as uv writes them.
func (d *Document) readRequirements(out []byte) error {
	name, p := "", pypiPackage{}
	keep := func() error {
		if name == "" {
			return nil
		}
		return d.keepPyPI(name, p)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		hash, isHash := strings.CutPrefix(line, "--hash=")
		switch m := pypiLineRE.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case isHash:
			p.Hashes = append(p.Hashes, strings.TrimSpace(strings.TrimSuffix(hash, `\`)))
		case m != nil:
			if err := keep(); err != nil {
				return err
			}
			name, p = m[1], pypiPackage{Version: m[2], Marker: strings.TrimSpace(m[3])}
		default:
			return hub.Errorf(hub.Invalid, "%s cannot be pinned: it needs %.120q, which is no package of PyPI", d.Name, line)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return keep()
}

// readReport reads what pip would install.
func (d *Document) readReport(out []byte) error {
	var report struct {
		Install []struct {
			Metadata struct{ Name, Version string } `json:"metadata"`
			Download struct {
				Archive struct {
					Hashes map[string]string `json:"hashes"`
				} `json:"archive_info"`
			} `json:"download_info"`
		} `json:"install"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return hub.Errorf(hub.Invalid, "pip wrote a report that is not readable: %v", err)
	}
	for _, p := range report.Install {
		if err := d.keepPyPI(p.Metadata.Name, pypiPackage{Version: p.Metadata.Version, Hashes: []string{"sha256:" + p.Download.Archive.Hashes["sha256"]}}); err != nil {
			return err
		}
	}
	return nil
}

// keepPyPI adds a package. One that is needed at different versions on different machines has a key for each.
func (d *Document) keepPyPI(name string, p pypiPackage) error {
	slices.Sort(p.Hashes)
	if d.Version == "" && SameProject(name, d.Name) {
		d.Version = p.Version
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	key := name
	if _, ok := d.Packages[key]; ok {
		key = name + " " + p.Version
	}
	d.Packages[key], err = canonical(raw)
	return err
}

// checkPyPI refuses what could say more in a list of requirements than a package, a version and digests.
func (d *Document) checkPyPI() error {
	found := false
	if d.Version == "" {
		return hub.Errorf(hub.Invalid, "%s is not among the packages that are pinned for it", d.Name)
	}
	for _, key := range d.keys() {
		var p pypiPackage
		if err := json.Unmarshal(d.Packages[key], &p); err != nil {
			return hub.Errorf(hub.Invalid, "%.80q of the pinned packages is not readable: %v", key, err)
		}
		name, _, _ := strings.Cut(key, " ")
		bad := slices.ContainsFunc(p.Hashes, func(h string) bool { return !pypiHashRE.MatchString(h) })
		if !pypiName.MatchString(name) || !versionRE.MatchString(p.Version) || !markerRE.MatchString(p.Marker) || bad || len(p.Hashes) == 0 {
			return hub.Errorf(hub.Invalid, "%.80q %.40q of the pinned packages is not a package with its digests", name, p.Version)
		}
		found = found || SameProject(name, d.Name) && p.Version == d.Version
	}
	if !found || !pypiName.MatchString(d.Name) {
		return hub.Errorf(hub.Invalid, "%.80q %s is not among the packages that are pinned for it", d.Name, d.Version)
	}
	return nil
}

var separators = lazyregexp.New(`[-_.]+`)

// SameProject compares names as PyPI does.
func SameProject(a, b string) bool {
	return strings.EqualFold(separators.ReplaceAllString(a, "-"), separators.ReplaceAllString(b, "-"))
}

// requirements writes the packages as uv and pip read them.
func (d *Document) requirements() (string, error) {
	var b strings.Builder
	for _, key := range d.keys() {
		var p pypiPackage
		if err := json.Unmarshal(d.Packages[key], &p); err != nil {
			return "", err
		}
		name, _, _ := strings.Cut(key, " ")
		fmt.Fprintf(&b, "%s==%s", name, p.Version)
		if p.Marker != "" {
			fmt.Fprintf(&b, " ; %s", p.Marker)
		}
		for _, h := range p.Hashes {
			fmt.Fprintf(&b, " --hash=%s", h)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// installPyPI brings the packages into dir. uv or pip compares each file with its digests; nothing is built.
func (t Tools) installPyPI(ctx context.Context, d *Document, python, dir string) error {
	what := "fetching " + d.Name + " " + d.Version
	list, err := d.requirements()
	if err != nil {
		return err
	}
	work, err := t.temp()
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	file := filepath.Join(work, "requirements.txt")
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		return err
	}
	if uv, err := t.find(what, "uv"); err == nil {
		args := []string{uv, "pip", "install", "--python", python, "--target", dir, "--require-hashes", "--no-deps", "--only-binary=:all:", "--link-mode=copy", "--quiet", "-r", file}
		if _, err := t.run(ctx, what, work, "", nil, append(args, t.uvArgs(d)...)...); err != nil {
			return err
		}
	} else {
		args := []string{python, "-I", "-m", "pip", "install", "--target", dir, "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--quiet", "--disable-pip-version-check", "--no-input", "-r", file}
		if _, err := t.run(ctx, what, work, "", nil, append(args, pipArgs(d)...)...); err != nil {
			return err
		}
	}
	return tidyPython(dir)
}

// tidyPython takes out what differs from machine to machine and is not of the packages: scripts that name the
// interpreter, and notes of who installed them.
func tidyPython(dir string) error {
	for _, name := range []string{"bin", "Scripts", ".lock"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	notes, err := filepath.Glob(filepath.Join(dir, "*.dist-info", "*"))
	if err != nil {
		return err
	}
	for _, note := range notes {
		if slices.Contains(machineNotes, filepath.Base(note)) {
			if err := os.Remove(note); err != nil {
				return err
			}
		}
	}
	records, err := filepath.Glob(filepath.Join(dir, "*.dist-info", "RECORD"))
	for _, record := range records {
		if err := tidyRecord(record); err != nil {
			return err
		}
	}
	return err
}

var machineNotes = []string{"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}

// tidyRecord takes the lines of what is not there any more out of a list of files.
func tidyRecord(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var kept []string
	for line := range strings.Lines(strings.ReplaceAll(string(raw), "\r\n", "\n")) {
		file, _, _ := strings.Cut(line, ",")
		if !strings.HasPrefix(file, "..") && !strings.HasPrefix(file, "bin/") && !slices.Contains(machineNotes, filepath.Base(file)) {
			kept = append(kept, strings.TrimRight(line, "\n"))
		}
	}
	slices.Sort(kept)
	return os.WriteFile(path, []byte(strings.Join(kept, "\n")+"\n"), 0o644)
}

// Python returns the interpreter that packages of PyPI are installed for, and its tag, such as "cpython-311": the one uv
// would take for the version asked for ("" for any), else the first on PATH.
func (t Tools) Python(ctx context.Context, version string) (path, tag string, err error) {
	if uv, err := t.find("Python", "uv"); err == nil {
		args := []string{uv, "python", "find", "--quiet"}
		if version != "" {
			args = append(args, version)
		}
		if out, err := t.run(ctx, "looking for Python", os.TempDir(), "", nil, args...); err == nil {
			path = strings.TrimSpace(string(out))
		}
	}
	if !filepath.IsAbs(path) {
		if path, err = t.find("a package of PyPI", "python"+cmp.Or(version, "3"), "python"); err != nil {
			return "", "", err
		}
		if path, err = filepath.Abs(path); err != nil {
			return "", "", err
		}
	}
	out, err := t.run(ctx, "asking Python for its version", os.TempDir(), "", nil, path, "-I", "-c", "import sys; print(sys.implementation.cache_tag); print(sys.executable)")
	if err != nil {
		return "", "", err
	}
	tag, real, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if real = strings.TrimSpace(real); filepath.IsAbs(real) {
		path = real // what was found may be a script that looks for one, as pyenv and asdf have them
	}
	return path, strings.TrimSpace(tag), nil
}

// Install brings what is pinned into dir, which is empty. Integrity when a byte differs from what was pinned.
func (t Tools) Install(ctx context.Context, d *Document, python, dir string) error {
	if err := d.check(); err != nil {
		return err
	}
	if d.Type == model.RegistryTypeNPM {
		return t.installNPM(ctx, d, dir)
	}
	return t.installPyPI(ctx, d, python, dir)
}
