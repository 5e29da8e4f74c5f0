// Package archives keeps what MCP bundles, archives of .mcpb, are on this machine: it locks them, brings them into the
// store, and says what they start here.
package archives

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/mcphub/mcphub/internal/source/archive"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Keeper keeps the archives of a machine.
type Keeper struct {
	Home     install.Home
	Platform string // as trees are named after it
	OS       string
	UserHome string
	Offline  bool

	Client func() *http.Client              // for addresses that others chose
	Begin  func(label string) (done func()) // tells that something takes its time
	Engine func(name string) string         // the version of node or python, "" when it is not known
	Warnf  func(format string, args ...any)
}

// Locked returns the locked archive that a package names, nil when there is none. Integrity when the lockfile was
// changed.
func Locked(e *install.Locked, p *model.Package) (*mcpb.Document, *install.Artifact, error) {
	if e == nil {
		return nil, nil, nil
	}
	for i := range e.Artifacts {
		art := &e.Artifacts[i]
		if art.Tree == nil || art.Type != model.RegistryTypeMCPB || art.Identifier != p.Identifier {
			continue
		}
		d, err := Of(art)
		if err != nil || d.Is(p) {
			return d, art, err
		}
	}
	return nil, nil, nil
}

// Of reads what is locked of an archive. Integrity when it was changed.
func Of(art *install.Artifact) (*mcpb.Document, error) {
	d, err := mcpb.ParseDocument(art.Tree.Document)
	if err != nil {
		return nil, Damaged(art, err)
	}
	raw, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	return d, Same(art, trust.SRI512(raw), d.URL == art.Identifier && d.Version == art.Version && d.Integrity == art.Integrity)
}

// Pin locks the archive of an entry and unpacks it, when it is for this system: as old has it when it is the same
// version, else as it is now.
func (k Keeper) Pin(ctx context.Context, p *model.Package, e, old *install.Locked) error {
	if d, _, err := Locked(e, p); d != nil || err != nil {
		return err
	}
	if old != nil && old.Version == e.Version {
		if _, art, err := Locked(old, p); art != nil || err != nil {
			if err == nil {
				put(e, *art)
			}
			return err
		}
	}
	return k.with(ctx, p, func(z *bundle.Zip, d *mcpb.Document) error {
		raw, err := d.Canonical()
		if err != nil {
			return err
		}
		art := install.Artifact{
			Type: model.RegistryTypeMCPB, Identifier: d.URL, Version: d.Version, Integrity: d.Integrity, Size: d.Size,
			Tree: &install.Tree{Integrity: trust.SRI512(raw), Files: map[string]string{}, Document: raw},
		}
		if d.Start.Fits(k.OS) {
			if err := k.checkRuntimes(d.Start); err != nil {
				return err
			}
			if err := k.unpack(z, d, &art); err != nil {
				return err
			}
		}
		put(e, art)
		return nil
	})
}

// checkRuntimes compares the node or Python of this machine with what an archive asks for.
func (k Keeper) checkRuntimes(s *mcpb.Start) error {
	for _, name := range []string{"node", "python"} {
		want, have := s.Runtimes[name], k.Engine(name)
		if want == "" || have == "" {
			continue // doctor, and starting it, tell that it is not there
		}
		r, err := resolve.ParseRange(want)
		if err != nil || r.Tag() != "" {
			k.Warnf("it asks for %s %s, which is not understood and not checked", name, term.Clean(want))
			continue
		}
		if !r.Fits(have, nil) {
			return hub.Errorf(hub.Forbidden, "it needs %s %s, and this machine has %s", name, term.Clean(want), have).WithHint("install another %s, or choose another version", name)
		}
	}
	return nil
}

// with downloads the archive of a package, compares its SHA-256, and hands over what is in it.
func (k Keeper) with(ctx context.Context, p *model.Package, use func(*bundle.Zip, *mcpb.Document) error) error {
	if k.Offline {
		return hub.Errorf(hub.NotFound, "its archive %s is not on this machine, and --offline was given", term.Clean(p.Identifier))
	}
	defer k.Begin("fetching " + path.Base(term.Clean(p.Identifier)))()
	client := k.Client()
	open := func(from int64) (io.ReadCloser, error) {
		body, _, err := archive.Open(ctx, client, p.Identifier, from)
		return body, err
	}
	err := k.Home.WithArchive(p.FileSHA256, open, func(f *os.File, size int64) error {
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
		return use(z, &mcpb.Document{
			Type: model.RegistryTypeMCPB, URL: p.Identifier, Version: p.Version, Integrity: sum.SRI512(), SHA256: p.FileSHA256, Size: size, Start: start,
		})
	})
	var he *hub.Error
	switch kind := hub.KindOf(err); {
	case kind == hub.Integrity && errors.As(err, &he) && len(he.Issues) == 0:
		return hub.Errorf(hub.Integrity, "its archive %s is not the one that was published", term.Clean(p.Identifier)).
			WithIssues([]hub.Issue{{Message: "promised  sha256:" + p.FileSHA256}, {Message: he.Message}}).WithHint("tell the publisher; nothing was installed").WithCause(err)
	case kind == hub.Forbidden && errors.As(err, &he) && strings.HasPrefix(he.Message, "the host "):
		return hub.Errorf(hub.Forbidden, "its archive %s: %s", term.Clean(p.Identifier), he.Message).
			WithHint("if you trust that address, set MCPM_PRIVATE_DOWNLOADS=1, or privateDownloads in your own .mcpmrc").WithCause(err)
	}
	return err
}

// unpack brings the files of an archive into the store and notes their digest. Integrity when they are not what
// was locked.
func (k Keeper) unpack(z *bundle.Zip, d *mcpb.Document, art *install.Artifact) error {
	file, _, err := d.Start.Program(k.OS)
	if err != nil {
		return err
	}
	if file != "" && !z.Has(file) {
		return hub.Errorf(hub.Invalid, "it starts %s, which is not in its archive", term.Clean(file)).WithHint("tell the publisher, or choose another version")
	}
	id, trees := art.Tree.ID(k.Platform), k.Home.Trees()
	unlock, err := k.Home.LockTree(id)
	if err != nil {
		return err
	}
	defer unlock()
	digest := ""
	if trees.Has(id) { // another process was faster
		t, err := trees.Open(id, art.Tree.Files[k.Platform], true)
		if err != nil {
			return err
		}
		digest = t.Digest
	} else if digest, err = k.add(z, file, id, art); err != nil {
		return err
	}
	if want := art.Tree.Files[k.Platform]; want != "" && want != digest {
		return errors.Join(trees.Remove(id), NotLocked(art, want, digest))
	}
	art.Tree.Files[k.Platform] = digest
	return nil
}

func (k Keeper) add(z *bundle.Zip, file, id string, art *install.Artifact) (string, error) {
	dir, err := k.Home.Trees().Temp()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) // gone already when all is well
	if err := z.Unpack(dir, file); err != nil {
		return "", err
	}
	note, err := json.Marshal(map[string]string{"type": art.Type, "name": path.Base(art.Identifier), "version": art.Version, "platform": k.Platform})
	if err != nil {
		return "", err
	}
	return k.Home.Trees().Add(id, dir, string(note))
}

// Fetch brings a locked archive into the store. Integrity when it is not what was locked.
func (k Keeper) Fetch(ctx context.Context, art *install.Artifact) error {
	d, err := Of(art)
	if err != nil || !d.Start.Fits(k.OS) {
		return err
	}
	if _, err := k.Home.Trees().Note(art.Tree.ID(k.Platform)); hub.KindOf(err) != hub.NotFound {
		return err // what is there is compared when it is used, and never replaced without a word
	}
	p := &model.Package{Identifier: d.URL, FileSHA256: d.SHA256, Version: d.Version}
	return k.with(ctx, p, func(z *bundle.Zip, found *mcpb.Document) error {
		raw, err := found.Canonical()
		if err != nil {
			return err
		}
		if got := trust.SRI512(raw); got != art.Tree.Integrity {
			return NotLocked(art, art.Tree.Integrity, got)
		}
		if art.Tree.Files == nil {
			art.Tree.Files = map[string]string{}
		}
		return k.unpack(z, found, art)
	})
}

// put adds a locked archive, in the place of the same one that is not.
func put(e *install.Locked, art install.Artifact) {
	e.Artifacts = slices.DeleteFunc(e.Artifacts, func(x install.Artifact) bool {
		return x.Tree == nil && x.Type == art.Type && x.Identifier == art.Identifier
	})
	e.Artifacts = append(e.Artifacts, art)
}
