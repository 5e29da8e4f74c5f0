package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/mcphub/mcphub/internal/source/archive"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// lockedArchive returns the locked archive that a package names, nil when there is none. Integrity when the lockfile was
// changed.
func lockedArchive(e *install.Locked, p *model.Package) (*mcpb.Document, *install.Artifact, error) {
	if e == nil {
		return nil, nil, nil
	}
	for i := range e.Artifacts {
		art := &e.Artifacts[i]
		if art.Tree == nil || art.Type != model.RegistryTypeMCPB || art.Identifier != p.Identifier {
			continue
		}
		d, err := ArchiveOf(art)
		if err != nil || d.Is(p) {
			return d, art, err
		}
	}
	return nil, nil, nil
}

// ArchiveOf reads what is locked of an archive. Integrity when it was changed.
func ArchiveOf(art *install.Artifact) (*mcpb.Document, error) {
	d, err := mcpb.ParseDocument(art.Tree.Document)
	if err != nil {
		return nil, damagedDocument(art, err)
	}
	raw, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	return d, sameDocument(art, trust.SRI512(raw), d.URL == art.Identifier && d.Version == art.Version && d.Integrity == art.Integrity)
}

// pinArchive locks the archive of an entry and unpacks it, when it is for this system: as old has it when it is the same
// version, else as it is now.
func (a *App) pinArchive(ctx context.Context, p *model.Package, e, old *install.Locked) error {
	if d, _, err := lockedArchive(e, p); d != nil || err != nil {
		return err
	}
	if old != nil && old.Version == e.Version {
		if _, art, err := lockedArchive(old, p); art != nil || err != nil {
			if err == nil {
				put(e, *art)
			}
			return err
		}
	}
	return a.withArchive(ctx, p, func(h install.Home, z *bundle.Zip, d *mcpb.Document) error {
		raw, err := d.Canonical()
		if err != nil {
			return err
		}
		art := install.Artifact{
			Type: model.RegistryTypeMCPB, Identifier: d.URL, Version: d.Version, Integrity: d.Integrity, Size: d.Size,
			Tree: &install.Tree{Integrity: trust.SRI512(raw), Files: map[string]string{}, Document: raw},
		}
		if d.Start.Fits(goos) {
			if err := a.checkRuntimes(ctx, d.Start); err != nil {
				return err
			}
			if err := unpackArchive(h, z, d, &art); err != nil {
				return err
			}
		}
		put(e, art)
		return nil
	})
}

// checkRuntimes compares the node or Python of this machine with what an archive asks for.
func (a *App) checkRuntimes(ctx context.Context, s *mcpb.Start) error {
	for _, name := range []string{"node", "python"} {
		want, have := s.Runtimes[name], a.engine(ctx, name)
		if want == "" || have == "" {
			continue // doctor, and starting it, tell that it is not there
		}
		r, err := resolve.ParseRange(want)
		if err != nil || r.Tag() != "" {
			a.IO.Warnf("it asks for %s %s, which is not understood and not checked", name, Short(want))
			continue
		}
		if !r.Fits(have, nil) {
			return hub.Errorf(hub.Forbidden, "it needs %s %s, and this machine has %s", name, Clean(want), have).WithHint("install another %s, or choose another version", name)
		}
	}
	return nil
}

// withArchive downloads the archive of a package, compares its SHA-256, and hands over what is in it.
func (a *App) withArchive(ctx context.Context, p *model.Package, use func(install.Home, *bundle.Zip, *mcpb.Document) error) error {
	if a.Offline {
		return hub.Errorf(hub.NotFound, "its archive %s is not on this machine, and --offline was given", Clean(p.Identifier))
	}
	h, err := a.Store()
	if err != nil {
		return err
	}
	s, err := a.Settings()
	if err != nil {
		return err
	}
	bar := a.IO.Progress("fetching "+path.Base(Clean(p.Identifier)), 0)
	defer bar.Done()
	client := archive.NewClient(a.UserAgent(), s.PrivateDownloads)
	open := func(from int64) (io.ReadCloser, error) {
		body, _, err := archive.Open(ctx, client, p.Identifier, from)
		return body, err
	}
	err = h.WithArchive(p.FileSHA256, open, func(f *os.File, size int64) error {
		sum := trust.NewHasher()
		if _, err := io.Copy(sum, f); err != nil {
			return err
		}
		z, err := bundle.OpenZip(f, size, bundle.ArchiveLimits)
		if err != nil {
			return err
		}
		raw, err := z.Read(mcpb.ManifestFile, mcpb.MaxManifest)
		if err != nil {
			return err
		}
		start, err := mcpb.Parse(raw)
		if err != nil {
			return err
		}
		return use(h, z, &mcpb.Document{
			Type: model.RegistryTypeMCPB, URL: p.Identifier, Version: p.Version, Integrity: sum.SRI512(), SHA256: p.FileSHA256, Size: size, Start: start,
		})
	})
	var he *hub.Error
	switch k := hub.KindOf(err); {
	case k == hub.Integrity && errors.As(err, &he) && len(he.Issues) == 0:
		return hub.Errorf(hub.Integrity, "its archive %s is not the one that was published", Clean(p.Identifier)).
			WithIssues([]hub.Issue{{Message: "promised  sha256:" + p.FileSHA256}, {Message: he.Message}}).WithHint("tell the publisher; nothing was installed").WithCause(err)
	case k == hub.Forbidden && errors.As(err, &he) && strings.HasPrefix(he.Message, "the host "):
		return hub.Errorf(hub.Forbidden, "its archive %s: %s", Clean(p.Identifier), he.Message).
			WithHint("if you trust that address, set MCPM_PRIVATE_DOWNLOADS=1, or privateDownloads in your own .mcpmrc").WithCause(err)
	}
	return err
}

// unpackArchive brings the files of an archive into the store and notes their digest. Integrity when they are not what
// was locked.
func unpackArchive(h install.Home, z *bundle.Zip, d *mcpb.Document, art *install.Artifact) error {
	file, _, err := d.Start.Program(goos)
	if err != nil {
		return err
	}
	if file != "" && !z.Has(file) {
		return hub.Errorf(hub.Invalid, "it starts %s, which is not in its archive", Clean(file)).WithHint("tell the publisher, or choose another version")
	}
	id, trees := art.Tree.ID(Platform), h.Trees()
	unlock, err := h.LockTree(id)
	if err != nil {
		return err
	}
	defer unlock()
	digest := ""
	if trees.Has(id) { // another process was faster
		t, err := trees.Open(id, art.Tree.Files[Platform], true)
		if err != nil {
			return err
		}
		digest = t.Digest
	} else if digest, err = addArchive(h, z, file, id, art); err != nil {
		return err
	}
	if want := art.Tree.Files[Platform]; want != "" && want != digest {
		return errors.Join(trees.Remove(id), notLocked(art, want, digest))
	}
	art.Tree.Files[Platform] = digest
	return nil
}

func addArchive(h install.Home, z *bundle.Zip, file, id string, art *install.Artifact) (string, error) {
	dir, err := h.Trees().Temp()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) // gone already when all is well
	if err := z.Unpack(dir, file); err != nil {
		return "", err
	}
	note, err := json.Marshal(TreeNote{art.Type, path.Base(art.Identifier), art.Version, Platform, ""})
	if err != nil {
		return "", err
	}
	return h.Trees().Add(id, dir, string(note))
}

// fetchArchive brings a locked archive into the store. Integrity when it is not what was locked.
func (a *App) fetchArchive(ctx context.Context, h install.Home, art *install.Artifact) error {
	d, err := ArchiveOf(art)
	if err != nil || !d.Start.Fits(goos) {
		return err
	}
	if _, err := h.Trees().Note(art.Tree.ID(Platform)); hub.KindOf(err) != hub.NotFound {
		return err // what is there is compared when it is used, and never replaced without a word
	}
	p := &model.Package{Identifier: d.URL, FileSHA256: d.SHA256, Version: d.Version}
	return a.withArchive(ctx, p, func(h install.Home, z *bundle.Zip, found *mcpb.Document) error {
		raw, err := found.Canonical()
		if err != nil {
			return err
		}
		if got := trust.SRI512(raw); got != art.Tree.Integrity {
			return notLocked(art, art.Tree.Integrity, got)
		}
		if art.Tree.Files == nil {
			art.Tree.Files = map[string]string{}
		}
		return unpackArchive(h, z, found, art)
	})
}

// startArchive makes a server start from the files of its archive, each compared with what was locked.
func (a *App) startArchive(e *install.Locked, p *model.Package, s *gateway.Server) error {
	d, art, err := lockedArchive(e, p)
	if err != nil {
		return err
	}
	if d == nil {
		return hub.Errorf(hub.NotFound, "its archive %s is not locked", Clean(p.Identifier))
	}
	_, program, err := d.Start.Program(goos)
	if err != nil {
		return err
	}
	t, err := a.openTree(art, false)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(program, "python") {
		return nil
	}
	if _, err := a.LookPath(program); err != nil { // it has one of two names
		other := map[string]string{"python": "python3", "python3": "python"}[program]
		if _, err := a.LookPath(other); other != "" && err == nil {
			s.Command = other
		}
	}
	h, err := a.Store()
	if err != nil {
		return err
	}
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool { return strings.HasPrefix(kv, "PYTHONPYCACHEPREFIX=") })
	s.Env = append(s.Env, "PYTHONPYCACHEPREFIX="+filepath.Join(h.Dir, "cache", "python", filepath.Base(t.Dir))) // the tree stays as it was unpacked
	return nil
}
