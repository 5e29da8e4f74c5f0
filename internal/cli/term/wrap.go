package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// wrapLine fills lines with words. Several spaces between words of one line stay. A command of mcpm begins a line of its
// own where it would be broken: pasted in two lines it would be two commands.
func wrapLine(text string, width int) (lines []string) {
	line, used := "", 0
	words := strings.Split(text, " ")
	for i := 0; i < len(words); i++ {
		word := words[i]
		if n := commandAt(words[i:], width); n > 1 {
			word = strings.Join(words[i:i+n], " ")
			i += n - 1
		}
		n := ansi.StringWidth(word)
		switch {
		case line == "":
			line, used = word, n
		case used+1+n <= width:
			line, used = line+" "+word, used+1+n
		case n == 0: // a space at the end of a line
		default:
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = word, n
		}
	}
	return append(lines, line)
}

// shortCommand is how many words a command may have that is too long for a line and is not broken all the same: the
// terminal breaks it, and what is copied from there is whole.
const shortCommand = 8

// commandAt returns how many of the words are a command of mcpm that is not to be broken, 0 for none. It ends with its
// clause.
func commandAt(words []string, width int) int {
	if words[0] != "mcpm" {
		return 0
	}
	n, wide := 0, -1
	for n < len(words) && words[n] != "" {
		wide += 1 + ansi.StringWidth(words[n])
		n++
		if strings.ContainsAny(words[n-1][len(words[n-1])-1:], ",;:.") {
			break
		}
	}
	if wide > width && n > shortCommand {
		return 0
	}
	return n
}

// Reflow sets a text that was written for wide lines to the terminal: lines that begin with a space stay as they are,
// the others are filled as paragraphs. A pipe, and a terminal that is wide enough, gets the text as it is.
func (t *IO) Reflow(text string) string {
	if t.Width == 0 || widest(text) <= t.Width {
		return text
	}
	var out, paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			out = append(out, t.Wrap(strings.Join(paragraph, " "), 0))
			paragraph = nil
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == ' ' {
			flush()
			out = append(out, line)
			continue
		}
		paragraph = append(paragraph, line)
	}
	flush()
	return strings.Join(out, "\n")
}

func widest(text string) (n int) {
	for line := range strings.Lines(text) {
		n = max(n, ansi.StringWidth(strings.TrimSuffix(line, "\n")))
	}
	return n
}
