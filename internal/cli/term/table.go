package term

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Table prints rows in columns. On a terminal the column that matters least is cut first, so that a row
// stays on its line; a pipe gets every row whole.
type Table struct {
	Head   []string // may be nil
	Flex   []int    // columns that may be cut, least important first
	Drop   []int    // columns that may be left out, least important first
	Right  []int    // columns set to the right
	Colors []func(string) string
	Indent int

	rows [][]string
}

// Row adds a row. Text is cleaned.
func (t *Table) Row(cells ...string) {
	for i := range cells {
		cells[i] = Clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.rows) }

const (
	gap      = 3
	readable = 24 // columns of a cut text that still say something
)

// Fits reports whether the table can be set to the width of the terminal with its flexible columns still
// readable.
func (t *Table) Fits(io *IO) bool {
	if io.Width == 0 {
		return true
	}
	widths := t.widths()
	for _, i := range t.Drop {
		if i < len(widths) {
			widths[i] = 0
		}
	}
	t.cut(widths, io.Width, readable)
	return t.total(widths) <= io.Width
}

// Print writes the table to io's Out.
func (t *Table) Print(io *IO) {
	widths := t.widths()
	if io.Width > 0 {
		t.shrink(widths, io.Width)
	}
	if t.Head != nil {
		io.Printf("%s\n", io.Dim(t.line(t.Head, widths, nil)))
	}
	for _, row := range t.rows {
		io.Printf("%s\n", t.line(row, widths, t.Colors))
	}
}

func (t *Table) widths() []int {
	var widths []int
	rows := t.rows
	if t.Head != nil {
		rows = append([][]string{t.Head}, rows...)
	}
	for _, row := range rows {
		for i, cell := range row {
			if i >= len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	return widths
}

// shrink makes a row fit: flexible columns are cut to a size that still says something, then droppable
// ones go one by one, and only then are flexible ones cut further.
func (t *Table) shrink(widths []int, total int) {
	for dropped := 0; ; dropped++ {
		tried := slices.Clone(widths)
		t.cut(tried, total, readable)
		if t.total(tried) <= total || dropped == len(t.Drop) {
			break
		}
		if i := t.Drop[dropped]; i < len(widths) {
			widths[i] = 0
		}
	}
	t.cut(widths, total, readable)
	t.cut(widths, total, 4)
}

func (t *Table) cut(widths []int, total, floor int) {
	for _, i := range t.Flex {
		if over := t.total(widths) - total; over > 0 && i < len(widths) && widths[i] > floor {
			widths[i] = max(floor, widths[i]-over)
		}
	}
}

func (t *Table) total(widths []int) int {
	n := t.Indent
	shown := 0
	for _, w := range widths {
		if w > 0 {
			n += w
			shown++
		}
	}
	return n + gap*max(shown-1, 0)
}

func (t *Table) line(row []string, widths []int, colors []func(string) string) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", t.Indent))
	pad := 0
	for i, cell := range row {
		if widths[i] == 0 {
			continue
		}
		b.WriteString(strings.Repeat(" ", pad))
		text := Cut(cell, widths[i])
		pad = widths[i] - ansi.StringWidth(text)
		if t.right(i) {
			b.WriteString(strings.Repeat(" ", pad))
			pad = 0
		}
		if i < len(colors) && colors[i] != nil {
			text = colors[i](text)
		}
		b.WriteString(text)
		pad += gap
	}
	return strings.TrimRight(b.String(), " ")
}

func (t *Table) right(i int) bool {
	for _, r := range t.Right {
		if r == i {
			return true
		}
	}
	return false
}
