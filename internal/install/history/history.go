// Package history keeps what a project was: every change of its mcp.json and lockfile makes a generation, and each can be
// gone back to. Generations stand under MCPM_HOME, so that a project's directory holds nothing but its own files.
package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

const (
	// Kept is how many generations of a project are kept; older ones go.
	Kept    = 50
	maxFile = 2*install.MaxLock + 8<<20 // bytes of a generation: both files, escaped
)

// Generation is a project as it was after one change. A file that was not there is nil.
type Generation struct {
	Number   int       `json:"number"`
	From     int       `json:"from,omitempty"` // the generation that was changed
	At       time.Time `json:"at"`
	Why      string    `json:"why"` // the command that made it
	Manifest *string   `json:"manifest"`
	Lock     *string   `json:"lock"`

	Members map[string]Member `json:"members,omitempty"` // of a workspace, by directory
}

// Member is the files of one member of a workspace. A file that was not there is nil.
type Member struct {
	Manifest *string `json:"manifest"`
	Lock     *string `json:"lock,omitempty"` // from before the workspace had one for all
}

// Log is the generations of one project. Whoever changes it holds install.Home.Guard of the project.
type Log struct{ dir string }

// Of returns the log of a project: of a member, the one of its workspace.
func Of(h install.Home, p install.Project) Log {
	sum := sha256.Sum256([]byte(p.Owner().Dir))
	return Log{dir: filepath.Join(h.Dir, "history", hex.EncodeToString(sum[:8]))}
}

// snapshot reads a project's files as a generation holds them. TooLarge when they are more than can be read back.
func snapshot(p install.Project) (Generation, error) {
	var g Generation
	var err error
	total := 0
	read := func(path string) *string {
		b, e := install.ReadFile(path, install.MaxLock)
		if e != nil && err == nil {
			err = e
		}
		if total += len(b); b == nil {
			return nil
		}
		text := string(b)
		return &text
	}
	g.Manifest, g.Lock = read(p.Manifest()), read(p.Lock())
	dirs, e := workspace.Members(p.Dir)
	if e != nil { // its mcp.json is damaged: it alone is kept
		dirs = nil
	}
	for _, dir := range dirs {
		member := install.Project{Dir: filepath.Join(p.Dir, filepath.FromSlash(dir)), Root: p.Dir}
		if g.Members == nil {
			g.Members = map[string]Member{}
		}
		g.Members[dir] = Member{Manifest: read(member.Manifest()), Lock: read(member.OwnLock())}
	}
	if err == nil && total > maxFile/2 {
		err = hub.Errorf(hub.TooLarge, "the files of %s have %d bytes; a generation holds at most %d", p.Dir, total, maxFile/2)
	}
	return g, err
}

func same(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func (g Generation) same(o Generation) bool {
	return same(g.Manifest, o.Manifest) && same(g.Lock, o.Lock) && maps.EqualFunc(g.Members, o.Members, func(a, b Member) bool {
		return same(a.Manifest, b.Manifest) && same(a.Lock, b.Lock)
	})
}

// numbers returns the generations there are, oldest first.
func (l Log) numbers() ([]int, error) {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(err)
	}
	var out []int
	for _, e := range entries {
		if n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".json")); err == nil && n > 0 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

// List returns all generations, oldest first.
func (l Log) List() ([]Generation, error) {
	numbers, err := l.numbers()
	if err != nil {
		return nil, err
	}
	out := make([]Generation, 0, len(numbers))
	for _, n := range numbers {
		g, err := l.Read(n)
		if err != nil {
			return nil, err
		}
		out = append(out, *g)
	}
	return out, nil
}

// Read returns one generation. NotFound when there is none of that number, Integrity when it cannot be read as one.
func (l Log) Read(n int) (*Generation, error) {
	path := l.path(n)
	data, err := install.ReadFile(path, maxFile)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, hub.Errorf(hub.NotFound, "there is no generation %d", n).WithHint("--list shows what there is; %d are kept", Kept)
	}
	g := new(Generation)
	if err := json.Unmarshal(data, g); err != nil || g.Number != n {
		return nil, hub.Errorf(hub.Integrity, "%s is damaged", path).WithHint("remove it; the other generations can still be gone back to")
	}
	return g, nil
}

// Current is the generation the project is at, 0 when nothing was noted yet.
func (l Log) Current() (int, error) {
	data, err := install.ReadFile(filepath.Join(l.dir, "current"), 32)
	if err != nil || data == nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(data)))
	if err != nil || n < 1 {
		return 0, hub.Errorf(hub.Integrity, "%s is damaged: %q is no number", filepath.Join(l.dir, "current"), data).WithHint("remove it")
	}
	return n, nil
}

// Note makes a generation of the project's files as they are now, unless the current one has the same, and returns its
// number. So what was changed by hand is noted before a command changes more.
func (l Log) Note(p install.Project, at time.Time, why string) (int, error) {
	now, err := snapshot(p.Owner())
	if err != nil {
		return 0, err
	}
	current, err := l.Current()
	if err != nil {
		return 0, err
	}
	if current > 0 {
		g, err := l.Read(current)
		if err == nil && g.same(now) {
			return current, nil
		}
		if err != nil && hub.KindOf(err) != hub.NotFound && hub.KindOf(err) != hub.Integrity {
			return 0, err
		}
	}
	now.From, now.At, now.Why = current, at, why
	return l.add(now)
}

// Witness notes what no command made, before one changes it: the beginning, or what was changed by hand.
func (l Log) Witness(p install.Project, at time.Time) error {
	why := "changed by hand"
	if current, err := l.Current(); err != nil {
		return err
	} else if current == 0 {
		why = "the beginning"
	}
	_, err := l.Note(p, at, why)
	return err
}

func (l Log) add(g Generation) (int, error) {
	numbers, err := l.numbers()
	if err != nil {
		return 0, err
	}
	g.Number = 1
	if len(numbers) > 0 {
		g.Number = numbers[len(numbers)-1] + 1
	}
	data, err := json.Marshal(g)
	if err != nil {
		return 0, err
	}
	if err := install.WriteFile(l.path(g.Number), data, 0o600); err != nil {
		return 0, err
	}
	if err := l.Use(g.Number); err != nil {
		return 0, err
	}
	for _, old := range numbers[:max(0, len(numbers)+1-Kept)] {
		if err := os.Remove(l.path(old)); err != nil {
			return 0, unreadable(err)
		}
	}
	return g.Number, nil
}

// Use notes which generation the project is at.
func (l Log) Use(n int) error {
	return install.WriteFile(filepath.Join(l.dir, "current"), fmt.Appendln(nil, n), 0o600)
}

// Before returns the generation whose change made the current one, which after a rollback is not the one of the number before,
// or else the one of the number before. NotFound when there is none.
func (l Log) Before() (*Generation, error) {
	current, err := l.Current()
	if err != nil {
		return nil, err
	}
	if g, err := l.Read(current); err == nil && g.From > 0 && g.From < current {
		if from, err := l.Read(g.From); hub.KindOf(err) != hub.NotFound {
			return from, err
		}
	}
	numbers, err := l.numbers()
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(numbers) {
		if n < current {
			return l.Read(n)
		}
	}
	return nil, hub.Errorf(hub.NotFound, "there is nothing to go back to").WithHint("every install, update and uninstall makes a generation; --list shows them")
}

func (l Log) path(n int) string { return filepath.Join(l.dir, strconv.Itoa(n)+".json") }

func unreadable(err error) error {
	return hub.Errorf(hub.Unavailable, "the history of this project cannot be kept: %v", err).WithHint("see whether MCPM_HOME can be written").WithCause(err)
}
