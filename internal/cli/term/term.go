// Package term is how mcpm meets a person or a pipe: three streams, whether each is a terminal, colour,
// width, tables, questions and progress. Answers go to Out; progress, questions and warnings to Err.
package term

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	xterm "golang.org/x/term"
)

// IO is the three streams and what is known of them. Tests make one of buffers.
type IO struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	InTTY, OutTTY, ErrTTY bool
	Color                 bool // colour on Out and Err, where they are terminals or colour is forced
	Width                 int  // columns of the terminal, 0 for no limit
	Verbosity             int  // -1 quiet, 0, 1, 2

	reader *bufio.Reader
	bars   bars
}

// System returns the streams of the process, with the customs of terminals: NO_COLOR, CLICOLOR_FORCE,
// TERM=dumb, CI and COLUMNS.
func System(getenv func(string) string) *IO {
	t := &IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTTY(os.Stdin), OutTTY: isTTY(os.Stdout), ErrTTY: isTTY(os.Stderr),
	}
	dumb := getenv("TERM") == "dumb"
	if getenv("CI") != "" || dumb {
		t.InTTY = t.InTTY && getenv("CI") == "" // a build never answers
		t.ErrTTY = false                        // and shows no bars
	}
	t.Color = t.OutTTY && !dumb && getenv("CI") == "" && getenv("NO_COLOR") == ""
	if f := getenv("CLICOLOR_FORCE"); f != "" && f != "0" && getenv("NO_COLOR") == "" {
		t.Color = true
	}
	if t.OutTTY {
		if w, _, err := xterm.GetSize(int(os.Stdout.Fd())); err == nil {
			t.Width = w
		}
	}
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n >= 20 && t.OutTTY {
		t.Width = n
	}
	return t
}

func isTTY(f *os.File) bool { return xterm.IsTerminal(int(f.Fd())) }

// Printf writes to Out.
func (t *IO) Printf(format string, args ...any) { fmt.Fprintf(t.Out, format, args...) }

// Notef writes progress to Err, unless -q.
func (t *IO) Notef(format string, args ...any) {
	if t.Verbosity >= 0 {
		fmt.Fprint(t.Err, t.lines(fmt.Sprintf(format, args...)))
	}
}

// Debugf writes to Err with -v.
func (t *IO) Debugf(format string, args ...any) {
	if t.Verbosity > 0 {
		fmt.Fprintf(t.Err, format, args...)
	}
}

// Request writes one line to Err with -vv: a request, and what came of it.
func (t *IO) Request(method, url, answer string, took time.Duration) {
	if t.Verbosity > 1 {
		fmt.Fprintf(t.Err, "mcpm: %s %s: %s, %s\n", method, Clean(url), Clean(answer), took.Round(100*time.Microsecond))
	}
}

// Warnf writes a warning to Err. Text is cleaned.
func (t *IO) Warnf(format string, args ...any) {
	fmt.Fprintf(t.Err, "%s\n", t.Wrap(t.Yellow("warning:")+" "+Clean(fmt.Sprintf(format, args...)), 0))
}

// The one palette: terminal colours, so that a person's own theme decides.
var (
	accent = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	dim    = lipgloss.NewStyle().Faint(true)
	bold   = lipgloss.NewStyle().Bold(true)
)

func (t *IO) paint(s lipgloss.Style, text string) string {
	if !t.Color || text == "" {
		return text
	}
	return s.Render(text)
}

// Accent is for names.
func (t *IO) Accent(s string) string { return t.paint(accent, s) }

// Green is for what was added.
func (t *IO) Green(s string) string { return t.paint(green, s) }

// Yellow is for warnings.
func (t *IO) Yellow(s string) string { return t.paint(yellow, s) }

// Red is for errors.
func (t *IO) Red(s string) string { return t.paint(red, s) }

// Dim is for what matters least.
func (t *IO) Dim(s string) string { return t.paint(dim, s) }

// Bold is for headings.
func (t *IO) Bold(s string) string { return t.paint(bold, s) }

// Clean makes text from a stranger fit for a terminal: control characters, among them escape sequences,
// are dropped and line breaks become spaces.
func Clean(s string) string {
	s = ansi.Strip(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < 0x20 || (r >= 0x7f && r < 0xa0):
			return -1
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069: // direction overrides
			return -1
		}
		return r
	}, s)
}

// Cut shortens text to so many columns, with "..." at the end.
func Cut(s string, width int) string {
	if width <= 0 || ansi.StringWidth(s) <= width {
		return s
	}
	if width <= 3 {
		return ansi.Truncate(s, width, "")
	}
	return ansi.Truncate(s, width, "...")
}

// lines wraps each line of a text under its own indentation.
func (t *IO) lines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		b.WriteString(line[:indent])
		b.WriteString(t.Wrap(strings.TrimSuffix(body, "\n"), indent))
		if strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Wrap breaks text into lines that fit the terminal, at most 100 columns, each after the first with indent
// before it. It breaks at spaces alone, as names and commands have hyphens and are there to be copied. A pipe gets whole
// lines.
func (t *IO) Wrap(text string, indent int) string {
	width := min(t.Width, 100)
	if width-indent < 20 {
		return text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrapLine(line, width-indent)...)
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", indent))
}
