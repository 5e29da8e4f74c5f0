package check

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox"
)

// sandbox says what this system could confine a server with, and whether all of it together works: it is tried.
func (o *doctorOptions) sandbox(ctx context.Context) []finding {
	out := append(o.means(ctx), o.tried(), o.container(ctx))
	s, err := o.Settings()
	switch {
	case err != nil:
		return out // the settings tell of themselves
	case s.Contained:
		out = append(out, o.runtimeImages(ctx, s)...)
		return append(out, finding{Name: "in use", Status: fine, Text: "for every server that runs here, in containers for those of node and Python (" + s.From("sandbox") + ")"})
	case s.Sandbox:
		return append(out, finding{Name: "in use", Status: fine, Text: "for every server that runs here (" + s.From("sandbox") + ")"})
	case s.From("sandbox") != "":
		return append(out, finding{Name: "in use", Status: notice, Text: "switched off by " + s.From("sandbox") + ": servers run with your rights", Hint: "take it out there; mcpm allow NAME --everything is for one server"})
	}
	return append(out, byDefault(o.OS, out))
}

// byDefault says what the rule means here.
func byDefault(os string, tried []finding) finding {
	f := finding{Name: "in use", Status: fine, Text: "for every server of a hub; mcpm allow gives one more (mcpm help sandbox)"}
	switch {
	case os != "linux":
		f.Status, f.Text, f.Hint = notice, "where you ask for it; other servers run with your rights", "mcpm run --sandbox, or \"sandbox\": true in ~/.mcpmrc"
	case slices.ContainsFunc(tried, func(t finding) bool { return t.Name == "sandbox" && t.Status == notice }):
		f.Status, f.Text, f.Hint = problem, "for every server of a hub, and it does not work here: they are not started", `mcpm allow NAME --everything runs one with your rights, "sandbox": false in ~/.mcpmrc all`
	}
	return f
}

// restrictedAt says whether AppArmor keeps programs without a profile from using user namespaces, as on Ubuntu since 23.10.
const restrictedAt = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

// unrestrict says what lets mcpm make sandboxes where a security module forbids it to those who are not root; "" where none does.
func unrestrict(setting string) string {
	data, err := os.ReadFile(setting)
	if err != nil || strings.TrimSpace(string(data)) != "1" {
		return ""
	}
	return "AppArmor lets only programs with a profile make one here; the manual has the profile for mcpm, under Sandbox"
}

// tried starts a program that does nothing in a sandbox.
func (o *doctorOptions) tried() finding {
	f := finding{Name: "sandbox", Status: absent}
	path, err := o.LookPath("true")
	if err != nil {
		f.Text = "not tried: there is no program true"
		return f
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		f.Text = err.Error()
		return f
	}
	defer null.Close()
	f.Status = notice
	begun := time.Now()
	p, err := sandbox.Start(&sandbox.Spec{Command: path, Home: o.emptyHome(), Waive: sandbox.Unenforced(o.OS)}, null, null, null)
	if err != nil {
		f.Text, f.Hint = "does not work here: "+err.Error(), unrestrict(restrictedAt)
		return f
	}
	if code, err := p.Wait(); code != 0 || err != nil {
		f.Text = fmt.Sprintf("a program that does nothing ended with %d in it: %v", code, err)
		return f
	}
	f.Status, f.Text = fine, fmt.Sprintf("tried, and it works, in %d ms", time.Since(begun).Milliseconds())
	return f
}

// emptyHome is where a program that is tried has its home.
func (o *doctorOptions) emptyHome() string {
	if o.OS == "linux" {
		return "/home/user" // it is made for it
	}
	return o.Env.UserHome
}

// program looks for a program and, with arguments, asks it for its version.
func (o *doctorOptions) program(ctx context.Context, name, program string, args ...string) finding {
	path, err := o.LookPath(program)
	if err != nil {
		return finding{Name: name, Status: absent, Text: "not found"}
	}
	if len(args) == 0 {
		return finding{Name: name, Status: fine, Text: path}
	}
	text, err := o.say(ctx, path, args...)
	if version := versionRE.FindString(text); err == nil && version != "" {
		return finding{Name: name, Status: fine, Text: version}
	}
	return finding{Name: name, Status: absent, Text: path + " is there and does not tell its version"}
}
