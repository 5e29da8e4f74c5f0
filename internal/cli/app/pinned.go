package app

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/archives"
	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/pin"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Platform names this machine where packages differ from machine to machine.
const Platform = runtime.GOOS + "-" + runtime.GOARCH

func (a *App) tools() pin.Tools {
	var env []string
	for _, kv := range a.Environ() {
		if !strings.HasPrefix(kv, "MCPM_") {
			env = append(env, kv)
		}
	}
	t := pin.Tools{LookPath: a.LookPath, Environ: env, Offline: a.Offline}
	if h, err := a.Store(); err == nil {
		t.Recent, t.Temp = Resolved(h), h.Trees().Temp // mcpm cache gc finds what was left there
	}
	return t
}

// Resolved is the directory of what packages were resolved to within the hour.
func Resolved(h install.Home) string { return filepath.Join(h.Dir, "resolved") }

// LookPath finds a program on the PATH of the invocation. Relative parts of it are passed over.
func (a *App) LookPath(name string) (string, error) {
	for _, dir := range filepath.SplitList(a.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue // the working directory may be a stranger's
		}
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p, nil
		}
	}
	return "", exec.ErrNotFound
}

func packageOf(r manifest.Runner) pin.Package {
	return pin.Package{Type: r.Type, Name: r.Name, Version: r.Version, Extras: r.Extras, With: r.With, Python: r.Python, Registry: r.Registry}
}

// Pin pins the packages of npm, PyPI, images and archives that the entries of a server start: in e, as old has them when
// it is the same version, else as they are now. NotFound when a program that it takes is not here; Invalid when a part of
// it cannot be pinned, or runs a script when it is installed; RefusedKind when nothing of it can be started here.
func (a *App) Pin(ctx context.Context, m *manifest.Manifest, e, old *install.Locked) error {
	keeper, err := a.archives(ctx)
	if err != nil {
		return err
	}
	var refused error
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		spec := m.Servers[key]
		if a.Startable(spec, nil) != nil {
			continue
		}
		if p := spec.Package; p != nil && p.RegistryType == model.RegistryTypeMCPB {
			err := refusal(keeper.Pin(ctx, p, e, old))
			if k := hub.KindOf(err); k == RefusedKind || k == hub.Invalid || k == hub.Malformed {
				refused, err = err, nil // another entry may do
			}
			if err != nil {
				return err
			}
			continue
		}
		ref, contained, err := programs.ImageIn(m, m.Servers[key])
		if err != nil {
			return err
		}
		if contained {
			if err := a.pinImage(ctx, ref, e, old); err != nil {
				return err
			}
			continue
		}
		r, ok, err := manifest.RunnerIn(m, m.Servers[key])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		p := packageOf(r)
		if doc, _ := pinnedAs(e, p); doc != nil {
			continue
		}
		if old != nil && old.Version == e.Version {
			if doc, art := pinnedAs(old, p); doc != nil {
				put(e, *art)
				continue
			}
		}
		art, err := a.pin(ctx, p)
		if err != nil {
			return err
		}
		put(e, art)
	}
	return a.anyStartable(m, e, refused)
}

// anyStartable says why nothing of a server can be started here: refused, when that is known, or what each entry says.
func (a *App) anyStartable(m *manifest.Manifest, e *install.Locked, refused error) error {
	if len(m.Servers) == 0 {
		return nil
	}
	ready, err := a.Ready(m, e)
	if err != nil {
		return err
	}
	_, spec, err := a.entry(ready, "")
	if err != nil {
		return err
	}
	if err := a.Startable(spec, e); err != nil && (refused == nil || hub.KindOf(err) != hub.NotFound) {
		return err
	} else if err != nil {
		return refused
	}
	if refused != nil {
		a.IO.Warnf("an archive of it is left out: %v", refused)
	}
	return nil
}

func (a *App) pin(ctx context.Context, p pin.Package) (install.Artifact, error) {
	bar := a.IO.Progress("locking the packages of "+p.Name, 0)
	defer bar.Done()
	doc, err := a.tools().Resolve(ctx, p)
	if err != nil {
		return install.Artifact{}, err
	}
	if scripts := doc.Scripts(); len(scripts) > 0 {
		return install.Artifact{}, hub.Errorf(hub.Invalid, "%s needs scripts that run when it is installed, of %s; none is run on this machine", p.Name, AndList(scripts[:min(len(scripts), 5)])).
			WithHint("look for a version, or another server, that does without")
	}
	raw, err := doc.Canonical()
	if err != nil {
		return install.Artifact{}, err
	}
	sum, err := doc.Integrity()
	return install.Artifact{Type: doc.Type, Identifier: doc.Name, Version: doc.Version, Tree: &install.Tree{Integrity: sum, Files: map[string]string{}, Document: raw}}, err
}

// put adds a pinned package, in the place of the same one that is not.
func put(e *install.Locked, art install.Artifact) {
	e.Artifacts = slices.DeleteFunc(e.Artifacts, func(x install.Artifact) bool {
		return x.Tree == nil && x.Type == art.Type && (x.Identifier == art.Identifier || x.Type == model.RegistryTypePyPI && pin.SameProject(x.Identifier, art.Identifier))
	})
	e.Artifacts = append(e.Artifacts, art)
}

// pinnedAs returns the package that is pinned as asked for, nil when there is none. One whose document is not what its
// digest says is none.
func pinnedAs(e *install.Locked, p pin.Package) (*pin.Document, *install.Artifact) {
	for i := range e.Artifacts {
		art := &e.Artifacts[i]
		if art.Tree == nil {
			continue
		}
		if doc, err := DocumentOf(art); err == nil && doc.Is(p) {
			return doc, art
		}
	}
	return nil, nil
}

// DocumentOf reads what is pinned. Integrity when it was changed.
func DocumentOf(art *install.Artifact) (*pin.Document, error) {
	doc, err := pin.ParseDocument(art.Tree.Document)
	if err != nil {
		return nil, archives.Damaged(art, err)
	}
	got, err := doc.Integrity()
	if err != nil {
		return nil, archives.Damaged(art, err)
	}
	return doc, archives.Same(art, got, doc.Type == art.Type && doc.Name == art.Identifier && doc.Version == art.Version)
}

// checkDocument reads what is pinned, of any type of package. Integrity when it was changed.
func checkDocument(art *install.Artifact) (err error) {
	if art.Type == model.RegistryTypeMCPB {
		_, err = archives.Of(art)
	} else {
		_, err = DocumentOf(art)
	}
	return err
}

// FetchTrees brings the pinned packages into the store and notes their files' digests in e. Integrity when they are not
// what was locked.
func (a *App) FetchTrees(ctx context.Context, e *install.Locked) error {
	h, err := a.Store()
	if err != nil {
		return err
	}
	for i := range e.Artifacts {
		art := &e.Artifacts[i]
		if art.Type == model.RegistryTypeOCI && art.Integrity != "" {
			if err := a.fetchImage(ctx, *art); err != nil {
				return err
			}
		}
		if art.Tree == nil {
			continue
		}
		if art.Type == model.RegistryTypeMCPB {
			if err := a.fetchArchive(ctx, art); err != nil {
				return err
			}
			continue
		}
		doc, err := DocumentOf(art)
		if err != nil {
			return err
		}
		if err := a.fetchTree(ctx, h, art, doc); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) fetchTree(ctx context.Context, h install.Home, art *install.Artifact, doc *pin.Document) error {
	id, trees := art.Tree.ID(Platform), h.Trees()
	unlock, err := h.LockTree(id)
	if err != nil {
		return err
	}
	defer unlock()
	note, err := trees.Note(id)
	if hub.KindOf(err) == hub.Integrity || err == nil && pythonIsThere(note) {
		return err // what is there is compared when it is used, and never replaced without a word
	}
	bar := a.IO.Progress("fetching "+art.Identifier+" "+art.Version, 0)
	defer bar.Done()
	platform, python := Platform, ""
	if doc.Type == model.RegistryTypePyPI {
		path, tag, err := a.tools().Python(ctx, doc.Python)
		if err != nil {
			return err
		}
		platform, python = platform+"-"+tag, path
	}
	dir, err := trees.Temp()
	if err != nil {
		return err
	}
	if err := a.tools().Install(ctx, doc, python, dir); err != nil {
		os.RemoveAll(dir)
		return err
	}
	about, err := json.Marshal(TreeNote{art.Type, art.Identifier, art.Version, platform, python})
	if err != nil {
		return err
	}
	digest, err := trees.Add(id, dir, string(about))
	if err != nil {
		return err
	}
	if want := art.Tree.Files[platform]; want != "" && want != digest {
		return errors.Join(trees.Remove(id), archives.NotLocked(art, want, digest))
	}
	if art.Tree.Files == nil {
		art.Tree.Files = map[string]string{}
	}
	art.Tree.Files[platform] = digest
	return nil
}

// VerifyTrees reads every file of a server's packages and compares it with what was locked.
func (a *App) VerifyTrees(e *install.Locked) error { return a.lookAtTrees(e, true) }

// GlanceAtTrees looks at a server's packages as mcpm run does: each file must have the size and the time it was written
// with, and only one that has not is read.
func (a *App) GlanceAtTrees(e *install.Locked) error { return a.lookAtTrees(e, false) }

func (a *App) lookAtTrees(e *install.Locked, whole bool) error {
	for i := range e.Artifacts {
		art := &e.Artifacts[i]
		if art.Tree == nil {
			continue
		}
		if err := checkDocument(art); err != nil {
			return err
		}
		if !art.Here(Platform) {
			continue
		}
		if _, err := a.openTree(art, whole); err != nil {
			return err
		}
	}
	return nil
}

// TreeNoteOf reads what is kept beside a tree; one that is damaged says nothing.
func TreeNoteOf(note string) TreeNote {
	var n TreeNote
	_ = json.Unmarshal([]byte(note), &n) // see above
	return n
}

// TreeNote is kept beside a tree.
type TreeNote struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Platform string `json:"platform"`
	Python   string `json:"python,omitempty"` // the interpreter it was made for
}

// pythonIsThere reports whether the interpreter a tree was made for, if any, is still there.
func pythonIsThere(note string) bool {
	var n TreeNote
	if json.Unmarshal([]byte(note), &n) != nil {
		return false
	}
	return n.Python == "" || isRegular(n.Python)
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
