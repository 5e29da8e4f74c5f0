package app

import (
	"encoding/json"

	"github.com/mcphub/mcphub/internal/cli/programs"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/pin"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// startPinned makes a server that npx or uvx would fetch start from the store instead: the bytes that were locked, and
// no look-up. NotFound when they were not fetched here; Integrity when they are not what was locked.
func (a *App) startPinned(e *install.Locked, s *gateway.Server, confined bool) error {
	r, ok, err := manifest.RunnerOf(s.Command, s.Args)
	if err != nil {
		return err
	}
	if !ok {
		return programs.Image(e, s)
	}
	tree, doc, err := a.openPinned(e, packageOf(r), false)
	if err != nil {
		return err
	}
	h, err := a.Store()
	if err != nil {
		return err
	}
	kept := programs.Kept{Home: h.Dir, Tree: tree.Dir, Confined: confined}
	if doc.Type == model.RegistryTypeNPM {
		return programs.NPM(doc, r, s, kept)
	}
	var note TreeNote
	if err := json.Unmarshal([]byte(tree.Note), &note); err != nil || !pythonIsThere(tree.Note) {
		return hub.Errorf(hub.NotFound, "the Python it was installed for, %s, is gone", note.Python)
	}
	s.Command = note.Python
	return programs.PyPI(r, s, kept)
}

// openPinned looks at the tree of a package, file by file; with whole it reads all of them.
func (a *App) openPinned(e *install.Locked, p pin.Package, whole bool) (*openTree, *pin.Document, error) {
	var doc *pin.Document
	var art *install.Artifact
	for i := range e.Artifacts { // a document that was changed is said to be, not passed over
		a := &e.Artifacts[i]
		if a.Tree == nil {
			continue
		}
		if a.Type == model.RegistryTypeMCPB {
			if err := checkDocument(a); err != nil {
				return nil, nil, err
			}
			continue
		}
		d, err := DocumentOf(a)
		if err != nil {
			return nil, nil, err
		}
		if doc == nil && d.Is(p) {
			doc, art = d, a
		}
	}
	if doc == nil {
		return nil, nil, hub.Errorf(hub.NotFound, "its package %s is not locked with what it needs", p.Name)
	}
	t, err := a.openTree(art, whole)
	return t, doc, err
}

type openTree struct {
	Dir, Note string
	Added     []string
}

func (a *App) openTree(art *install.Artifact, whole bool) (*openTree, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	id := art.Tree.ID(Platform)
	note, err := h.Trees().Note(id)
	if err != nil {
		return nil, err
	}
	var n TreeNote
	if err := json.Unmarshal([]byte(note), &n); err != nil {
		return nil, hub.Errorf(hub.Integrity, "the note beside its packages is damaged")
	}
	t, err := h.Trees().Open(id, art.Tree.Files[n.Platform], whole)
	if err != nil {
		return nil, err
	}
	return &openTree{t.Dir, t.Note, t.Added}, nil
}
