package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/hostrecord"
)

// MaxHostFile is the largest file of a host application that is read.
const MaxHostFile = 64 << 20

// maxBackups is how many copies of one file are kept beside the one from before the first entry.
const maxBackups = 10

// FirstBackup names the copy of a file as it was before mcpm first wrote to it.
const FirstBackup = "first"

// FileEdit is what the edits of a Registrar made, or with DryRun would make, of one file. nil is no file.
type FileEdit struct {
	Host          hosts.Host
	Path          string
	Before, After []byte
}

// Backup is a copy of a host's file.
type Backup struct {
	ID   string // when it was made, "20260301-120000", or FirstBackup
	Path string
	Time time.Time
	Size int64
}

// Edits returns the files that were changed so far, or with DryRun would have been, in order.
func (r *Registrar) Edits() []FileEdit {
	var out []FileEdit
	for _, e := range r.texts {
		if (e.Before == nil) != (e.After == nil) || !bytes.Equal(e.Before, e.After) {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b FileEdit) int { return strings.Compare(rank(a.Host)+a.Path, rank(b.Host)+b.Path) })
	return out
}

// read returns the text of a file, nil when there is none; in a dry run, as the edits so far would leave it.
func (r *Registrar) read(h hosts.Host, path string) ([]byte, error) {
	known := r.texts[path]
	if known != nil && r.DryRun {
		return known.After, nil
	}
	text, err := ReadFile(path, MaxHostFile)
	if err != nil {
		return nil, err
	}
	if r.texts == nil {
		r.texts = map[string]*FileEdit{}
	}
	if known == nil {
		r.texts[path] = &FileEdit{Host: h, Path: path, Before: text, After: text}
	}
	return text, nil
}

// put writes a file, nil removes it; a dry run only notes it. What it replaces is kept, with keep even when
// the last entry of ours is out again.
func (r *Registrar) put(path, host string, was, text []byte, keep bool) error {
	if e := r.texts[path]; e != nil {
		e.After = text
	}
	if r.DryRun {
		return nil
	}
	if text == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError(err)
		}
		return nil
	}
	if was != nil && !r.copied[path] { // one step back is what was there before this command
		if _, err := r.copyOf(path, host, was, keep); err != nil {
			return err
		}
	}
	return WriteFile(path, text, 0o600)
}

// write saves the file, after a copy of what was there before the first entry.
func (r *Registrar) write(path string, was, text []byte, missing bool, f *hostrecord.File) error {
	if r.DryRun {
		return r.put(path, f.Host, nil, text, false)
	}
	if missing {
		for d := filepath.Dir(path); ; d = filepath.Dir(d) {
			if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
				break
			}
			f.Dirs = append([]string{d}, f.Dirs...)
		}
		was = nil
	} else if f.Backup == "" && !f.Created {
		backup := r.Home.path("backups", f.Host+"-"+shortHash(path)+".mcpm-backup")
		if err := WriteFile(backup, was, 0o600); err != nil {
			return err
		}
		f.Backup, was = backup, nil
		if r.copied == nil {
			r.copied = map[string]bool{}
		}
		r.copied[path] = true
	}
	return r.put(path, f.Host, was, text, false)
}

// giveBack saves the file with entries taken out; one that mcpm made and nobody else used is removed.
func (r *Registrar) giveBack(path string, was, text []byte, f *hostrecord.File, last bool) error {
	if last && f.Created && len(bytes.TrimSpace(text)) == 0 {
		if err := r.put(path, f.Host, was, nil, false); err != nil || r.DryRun {
			return err
		}
		r.dropCopies(path, f.Host)
		for i := len(f.Dirs) - 1; i >= 0; i-- {
			if os.Remove(f.Dirs[i]) != nil { // not empty: somebody uses it
				break
			}
		}
		return nil
	}
	if bytes.Equal(was, text) {
		return nil
	}
	if err := r.put(path, f.Host, was, text, false); err != nil || r.DryRun {
		return err
	}
	if last && f.Backup != "" {
		os.Remove(f.Backup) // the file is what the backup was, plus what others wrote since
		r.dropCopies(path, f.Host)
	}
	return nil
}

func (r *Registrar) copiesDir(path, host string) string {
	return r.Home.path("backups", "history", host+"-"+shortHash(path))
}

// copyOf keeps what a file holds, and says where. A name ends in .kept for what stays when the last entry of ours goes.
func (r *Registrar) copyOf(path, host string, text []byte, keep bool) (file string, err error) {
	dir := r.copiesDir(path, host)
	all := copiesIn(dir)
	if len(all) > 0 && !keep {
		if newest, err := os.ReadFile(all[0].Path); err == nil && bytes.Equal(newest, text) {
			return all[0].Path, nil
		}
	}
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	end := ".bak"
	if keep {
		end = ".kept"
	}
	at := now()
	for slices.ContainsFunc(all, func(b Backup) bool { return b.ID == at.UTC().Format(backupStamp) }) {
		at = at.Add(time.Second) // two in one second
	}
	if r.copied == nil {
		r.copied = map[string]bool{}
	}
	r.copied[path] = true
	for _, old := range all[min(len(all), maxBackups-1):] {
		os.Remove(old.Path) // the next one tries again
	}
	file = filepath.Join(dir, at.UTC().Format(backupStamp)+end)
	return file, WriteFile(file, text, 0o600)
}

const backupStamp = "20060102-150405"

// copiesIn lists the timed copies in a directory, newest first.
func copiesIn(dir string) []Backup {
	entries, _ := os.ReadDir(dir) // none there is none
	var out []Backup
	for _, e := range entries {
		end := filepath.Ext(e.Name())
		id := strings.TrimSuffix(e.Name(), end)
		at, err := time.Parse(backupStamp, id)
		info, err2 := e.Info()
		if err != nil || err2 != nil || end != ".bak" && end != ".kept" || !info.Mode().IsRegular() {
			continue
		}
		out = append(out, Backup{id, filepath.Join(dir, e.Name()), at, info.Size()})
	}
	slices.SortFunc(out, func(a, b Backup) int { return b.Time.Compare(a.Time) })
	return out
}

// dropCopies removes what Remove can give back anyway, now that nothing of ours is in the file.
func (r *Registrar) dropCopies(path, host string) {
	dir := r.copiesDir(path, host)
	for _, b := range copiesIn(dir) {
		if strings.HasSuffix(b.Path, ".bak") {
			os.Remove(b.Path)
		}
	}
	os.Remove(dir)               // when it is empty
	os.Remove(filepath.Dir(dir)) // the same
}

// Backups lists the copies of a host's file, newest first; the one from before the first entry is last.
func (r *Registrar) Backups(h hosts.Host) ([]Backup, error) {
	path := h.UserPath(r.Env)
	rec, err := r.readRecord()
	if err != nil || path == "" {
		return nil, err
	}
	all := copiesIn(r.copiesDir(path, h.ID))
	if f := rec.Files[path]; f != nil && f.Backup != "" {
		if info, err := os.Stat(f.Backup); err == nil {
			all = append(all, Backup{FirstBackup, f.Backup, info.ModTime(), info.Size()})
		}
	}
	return all, nil
}

// Restore writes a backup back over a host's file and keeps a copy of what it replaces. Entries of ours that
// the backup holds are known again, others are forgotten. Invalid when the backup is not in the host's format.
func (r *Registrar) Restore(h hosts.Host, b Backup) error {
	unlock, err := r.Home.lock("hosts")
	if err != nil {
		return err
	}
	defer unlock()
	rec, err := r.readRecord()
	if err != nil {
		return err
	}
	path := h.UserPath(r.Env)
	text, err := ReadFile(b.Path, MaxHostFile)
	if err != nil {
		return err
	}
	if text == nil {
		return hub.Errorf(hub.NotFound, "the backup %s is gone", b.Path)
	}
	have, err := h.Entries(text)
	if err != nil {
		return inFile(b.Path, err)
	}
	was, err := r.read(h, path)
	if err != nil {
		return err
	}
	delete(r.copied, path)
	if err := r.put(path, h.ID, was, text, true); err != nil || r.DryRun {
		return err
	}
	f := rec.Files[path]
	if f == nil {
		f = &hostrecord.File{Host: h.ID}
	}
	if f.Entries = r.ours(h, have); len(f.Entries) > 0 {
		rec.Files[path] = f
	} else {
		delete(rec.Files, path)
	}
	return writeJSON(r.recordPath(), rec, 0o600)
}

// ours finds the entries that this mcpm wrote, by what they run.
func (r *Registrar) ours(h hosts.Host, have map[string]json.RawMessage) map[string]hostrecord.Entry {
	out := map[string]hostrecord.Entry{}
	for key, value := range have {
		line := hosts.Runs(h, value)
		if len(line) < 3 || line[0] != r.Command || line[1] != "run" {
			continue
		}
		name, err := hub.ParseLocalName(line[2])
		if err != nil || name.String() != line[2] {
			continue
		}
		e := hostrecord.Entry{Server: name}
		if i := slices.Index(line, "-C"); i > 0 && i+1 < len(line) {
			e.Project = line[i+1]
		}
		out[key] = e
	}
	return out
}
