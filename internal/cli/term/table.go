package term

import (
	"cmp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Table prints rows in columns. On a terminal the column that matters least is cut first, so that a row
// stays on its line; where even that is too wide, each row is set on several lines. The first column is a name, there to
// be copied, and is never cut. A pipe gets every row whole.
type Table struct {
	Head   []string // may be nil
	Flex   []int    // columns that may be cut, least important first
	Drop   []int    // columns that may be left out, least important first
	Right  []int    // columns set to the right
	Colors []func(string) string
	Indent int
	Least  int // columns that a cut text has at least; 0 for 24

	rows  [][]string
	heads map[int][]string // lines above a row, by its number
}

// Heading writes a line above the rows that follow, which stand in the same columns as all others.
func (t *Table) Heading(line string) {
	if t.heads == nil {
		t.heads = map[int][]string{}
	}
	t.heads[len(t.rows)] = append(t.heads[len(t.rows)], line)
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
	readable = 24  // columns of a cut text that still say something, unless the table says more
	longest  = 200 // columns that are set aside for a text in a pipe; a longer one goes beyond
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
	t.cut(widths, io.Width, t.least())
	return t.total(widths) <= io.Width
}

// Print writes the table to io's Out.
func (t *Table) Print(io *IO) {
	if !t.Fits(io) {
		t.stack(io)
		return
	}
	widths := t.widths()
	if io.Width > 0 {
		t.shrink(widths, io.Width)
	} else {
		for _, i := range t.Flex {
			if i < len(widths) {
				widths[i] = min(widths[i], longest)
			}
		}
	}
	if t.Head != nil {
		io.Printf("%s\n", io.Dim(t.line(t.Head, widths, nil, io.Width == 0)))
	}
	for i, row := range t.rows {
		t.above(io, i)
		io.Printf("%s\n", t.line(row, widths, t.Colors, io.Width == 0))
	}
	t.above(io, len(t.rows))
}

// above prints the headings before a row.
func (t *Table) above(io *IO, row int) {
	for _, line := range t.heads[row] {
		io.Printf("%s\n", line)
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

// shrink makes a row fit, which it does: flexible columns are cut to a size that still says something, then droppable
// ones go one by one.
func (t *Table) shrink(widths []int, total int) {
	for dropped := 0; ; dropped++ {
		tried := slices.Clone(widths)
		t.cut(tried, total, t.least())
		if t.total(tried) <= total || dropped == len(t.Drop) {
			break
		}
		if i := t.Drop[dropped]; i < len(widths) {
			widths[i] = 0
		}
	}
	t.cut(widths, total, t.least())
}

// stack sets each row on several lines: its name with what follows, the other cells, and below them its texts. Cells that
// may be left out are, where there is a text.
func (t *Table) stack(io *IO) {
	indent := strings.Repeat(" ", t.Indent+2)
	defer func() { t.above(io, len(t.rows)) }()
	for i, row := range t.rows {
		t.above(io, i)
		first := t.paint(0, row[0])
		from := 1
		if t.Head == nil && len(row) > 1 && !slices.Contains(t.Flex, 1) && t.Indent+ansi.StringWidth(row[0])+1+ansi.StringWidth(row[1]) <= io.Width {
			first += strings.TrimSuffix(" "+t.paint(1, row[1]), " ")
			from = 2
		}
		io.Printf("%s%s\n", strings.Repeat(" ", t.Indent), first)
		var facts, texts []string
		for i := from; i < len(row); i++ {
			switch {
			case row[i] == "" || len(t.Flex) > 0 && slices.Contains(t.Drop, i) && !slices.Contains(t.Flex, i):
			case slices.Contains(t.Flex, i):
				texts = append(texts, row[i])
			case t.Head != nil:
				facts = append(facts, t.Head[i]+" "+row[i])
			default:
				facts = append(facts, row[i])
			}
		}
		sep := "   "
		if t.Head != nil {
			sep = ", "
		}
		for _, line := range append([]string{strings.Join(facts, sep)}, texts...) {
			if line != "" {
				io.Printf("%s%s\n", indent, io.Wrap(line, len(indent)))
			}
		}
	}
}

func (t *Table) paint(i int, cell string) string {
	if i < len(t.Colors) && t.Colors[i] != nil {
		return t.Colors[i](cell)
	}
	return cell
}

func (t *Table) least() int { return cmp.Or(t.Least, readable) }

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

func (t *Table) line(row []string, widths []int, colors []func(string) string, whole bool) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", t.Indent))
	pad := 0
	for i, cell := range row {
		if widths[i] == 0 {
			continue
		}
		b.WriteString(strings.Repeat(" ", pad))
		text := cell
		if !whole {
			text = Cut(cell, widths[i])
		}
		pad = max(0, widths[i]-ansi.StringWidth(text))
		if t.right(i) {
			b.WriteString(strings.Repeat(" ", pad))
			pad = 0
		}
		if colors != nil {
			text = t.paint(i, text)
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
