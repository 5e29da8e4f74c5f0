package check

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/cli/app"
)

// path looks for programs named mcpm on PATH: another one may be started instead of this.
func (o *doctorOptions) path(context.Context) []finding {
	var out []finding
	self := real(o.Exe)
	seen, first := map[string]bool{}, ""
	for _, dir := range filepath.SplitList(o.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		p, err := exec.LookPath(filepath.Join(dir, "mcpm"))
		if err != nil || seen[real(p)] {
			continue
		}
		seen[real(p)] = true
		if first == "" {
			first = p
		}
		if real(p) == self {
			continue
		}
		f := finding{Name: "mcpm", Status: notice, Text: "another program of that name is at " + p + app.Join(" ", language(p)) + ", after this one"}
		if !seen[self] {
			f.Status, f.Text = problem, "another program of that name comes first: "+p+app.Join(" ", language(p))
			f.Hint = "put " + filepath.Dir(o.Exe) + " before " + dir + " on PATH, or remove the other"
		}
		out = append(out, f)
	}
	switch {
	case seen[self]:
		return append([]finding{{Name: "mcpm", Status: fine, Text: o.Exe + " " + app.Version}}, out...)
	case first == "":
		return []finding{{Name: "mcpm", Status: notice, Text: "it is not on PATH: " + o.Exe, Hint: "host applications start it by its path; for the keyboard, add " + filepath.Dir(o.Exe) + " to PATH"}}
	}
	return append(out, finding{Name: "this one", Status: notice, Text: o.Exe + " is not on PATH"})
}

// real follows links, so that one program under two names is one.
func real(p string) string {
	if r, err := filepath.EvalSymlinks(p); err == nil {
		return r
	}
	return filepath.Clean(p)
}

// language names what a script is written in, "" for what is none or unknown.
func language(p string) string {
	f, err := os.Open(p)
	if err != nil {
		return ""
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil || !bytes.HasPrefix(head, []byte("#!")) {
		return ""
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	for _, l := range []struct{ program, name string }{{"python", "(Python)"}, {"node", "(Node)"}, {"sh", "(a shell script)"}} {
		if bytes.Contains(line, []byte(l.program)) {
			return l.name
		}
	}
	return ""
}
