package draw

import "fmt"

// Graph is a picture of what depends on what: dependents, the server, its dependencies, in three columns.
type Graph struct {
	Width, Height int
	Boxes         []Box
	Lines         []string // paths of SVG
}

// Box is one server in it.
type Box struct {
	X, Y, W, H int
	Label      string
	Self       bool
}

const (
	boxWidth, boxHeight, boxGap, columnGap = 260, 34, 12, 70
	maxBoxes                               = 12 // in a column; the tables have all
)

// Dependencies lays out what self depends on, and by what it is depended on. Without anything to show it is empty.
func Dependencies(self string, on, by []string) Graph {
	if len(on)+len(by) == 0 {
		return Graph{}
	}
	left, right := min(len(by), maxBoxes), min(len(on), maxBoxes)
	rows := max(left, right, 1)
	g := Graph{Height: rows*(boxHeight+boxGap) + 1}
	x := 0
	top := func(n int) int { return (g.Height - n*(boxHeight+boxGap) + boxGap) / 2 }
	middle := top(1) + boxHeight/2
	selfX := 0
	if left > 0 {
		selfX = boxWidth + columnGap
		for i, n := range by[:left] {
			b := Box{X: x, Y: top(left) + i*(boxHeight+boxGap), W: boxWidth, H: boxHeight, Label: short(n)}
			g.Boxes = append(g.Boxes, b)
			g.Lines = append(g.Lines, curve(boxWidth, b.Y+boxHeight/2, selfX, middle))
		}
	}
	g.Boxes = append(g.Boxes, Box{X: selfX, Y: top(1), W: boxWidth, H: boxHeight, Label: short(self), Self: true})
	g.Width = selfX + boxWidth + 1
	if right > 0 {
		x = selfX + boxWidth + columnGap
		for i, n := range on[:right] {
			b := Box{X: x, Y: top(right) + i*(boxHeight+boxGap), W: boxWidth, H: boxHeight, Label: short(n)}
			g.Boxes = append(g.Boxes, b)
			g.Lines = append(g.Lines, curve(selfX+boxWidth, middle, x, b.Y+boxHeight/2))
		}
		g.Width = x + boxWidth + 1
	}
	return g
}

func curve(x1, y1, x2, y2 int) string {
	m := (x1 + x2) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, m, y1, m, y2, x2, y2)
}

// short cuts a name to what fits into a box.
func short(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:14]) + "…" + string(r[len(r)-15:])
	}
	return s
}
