package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manPages writes a page of section 1 for every verb and one of section 7 for every topic into a directory that is there.
// Their date is SOURCE_DATE_EPOCH, else today.
func manPages(dir string) error {
	var none bytes.Buffer
	root := cli.Root(world(&none))
	for _, c := range append(root.Commands(), root) {
		c.DisableAutoGenTag = true
		indent(c)
	}
	head := &doc.GenManHeader{Section: "1", Source: "mcpm " + app.Version, Manual: "mcpm"}
	if err := doc.GenManTree(root, head, dir); err != nil {
		return err
	}
	for _, topic := range topicsOf(help("--help")) {
		text := page(topic, help("help", topic), head.Date)
		if err := os.WriteFile(filepath.Join(dir, "mcpm-"+topic+".7"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// indent keeps the lists in a long text as they are: a manual page would run their lines together.
func indent(c *cobra.Command) {
	var out []string
	for line := range strings.Lines(c.Long) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "  ") {
			line = "  " + line // four columns are text as it stands
		}
		out = append(out, line)
	}
	c.Long = strings.Join(out, "\n")
	for _, sub := range c.Commands() {
		sub.DisableAutoGenTag = true
		indent(sub)
	}
}

// topicsOf reads the topics off the last line of the help.
func topicsOf(root string) []string {
	_, topics, _ := strings.Cut(root, "help TOPIC explains: ")
	return strings.FieldsFunc(topics, func(r rune) bool { return r < 'a' || r > 'z' })
}

// page writes a topic as it stands.
func page(topic, text string, date *time.Time) string {
	day := ""
	if date != nil {
		day = date.Format("Jan 2006")
	}
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return fmt.Sprintf(".TH \"MCPM\\-%s\" \"7\" \"%s\" \"mcpm %s\" \"mcpm\"\n.SH NAME\nmcpm\\-%s \\- %s, explained\n.SH DESCRIPTION\n.nf\n%s\n.fi\n.SH SEE ALSO\nmcpm(1)\n",
		strings.ToUpper(topic), day, app.Version, topic, topic, strings.Join(lines, "\n"))
}
