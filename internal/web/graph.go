package web

import (
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// graph is a picture of what depends on what: dependents, the server, its dependencies, in three columns.
type graph struct {
	Width, Height int
	Boxes         []box
	Lines         []string // paths of SVG
}

type box struct {
	X, Y, W int
	Label   string
	Path    string // of the page, "" for none
	Self    bool
}

const (
	boxWidth, boxHeight, boxGap, columnGap = 260, 34, 12, 70
	maxBoxes                               = 12 // in a column; the tables have all
)

// drawGraph lays the picture out. Without anything to show it is empty.
func drawGraph(self hub.Name, on []dependency, by []hub.Name) graph {
	if len(on)+len(by) == 0 {
		return graph{}
	}
	left, right := min(len(by), maxBoxes), min(len(on), maxBoxes)
	rows := max(left, right, 1)
	g := graph{Height: rows*(boxHeight+boxGap) + 1}
	x := 0
	top := func(n int) int { return (g.Height - n*(boxHeight+boxGap) + boxGap) / 2 }
	middle := top(1) + boxHeight/2
	selfX := 0
	if left > 0 {
		selfX = boxWidth + columnGap
		for i, n := range by[:left] {
			b := box{X: x, Y: top(left) + i*(boxHeight+boxGap), W: boxWidth, Label: short(n.String()), Path: ui.ServerPath(n)}
			g.Boxes = append(g.Boxes, b)
			g.Lines = append(g.Lines, curve(boxWidth, b.Y+boxHeight/2, selfX, middle))
		}
	}
	g.Boxes = append(g.Boxes, box{X: selfX, Y: top(1), W: boxWidth, Label: short(self.String()), Self: true})
	g.Width = selfX + boxWidth + 1
	if right > 0 {
		x = selfX + boxWidth + columnGap
		for i, d := range on[:right] {
			b := box{X: x, Y: top(right) + i*(boxHeight+boxGap), W: boxWidth, Label: short(d.Name.String())}
			if d.Here {
				b.Path = ui.ServerPath(d.Name)
			}
			g.Boxes = append(g.Boxes, b)
			g.Lines = append(g.Lines, curve(selfX+boxWidth, middle, x, b.Y+boxHeight/2))
		}
		g.Width = x + boxWidth + 1
	}
	return g
}

func curve(x1, y1, x2, y2 int) string {
	m := itoa((x1 + x2) / 2)
	return "M" + itoa(x1) + " " + itoa(y1) + "C" + m + " " + itoa(y1) + " " + m + " " + itoa(y2) + " " + itoa(x2) + " " + itoa(y2)
}

// short cuts a name to what fits into a box.
func short(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:14]) + "…" + string(r[len(r)-15:])
	}
	return s
}
