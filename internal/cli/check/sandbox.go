package check

import "context"

// sandbox says what this system could confine a server with, and that this version does not yet.
func (o *doctorOptions) sandbox(ctx context.Context) []finding {
	return append(o.means(ctx), finding{Name: "in use", Status: absent, Text: "none: this version of mcpm runs servers with all of your rights (mcpm help sandbox)"})
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
