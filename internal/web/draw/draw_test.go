package draw_test

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/web/draw"
)

func TestPNG(t *testing.T) {
	for _, c := range []draw.Card{
		{}, {Title: "Postgres", Name: "@acme/postgres", Text: "Read-only SQL.", Facts: []string{"8 tools"}, Initials: "P", Hue: 3},
		{Title: strings.Repeat("W", 300), Name: strings.Repeat("w", 300), Text: strings.Repeat("word ", 3000), Facts: []string{strings.Repeat("f", 500)}, Initials: "WW", Hue: 99},
		{Title: "日本語 \u202e evil \x00", Text: "👩‍💻\n\n"},
	} {
		b, err := draw.PNG(c)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil || img.Bounds().Dx() != 1200 || img.Bounds().Dy() != 630 {
			t.Errorf("%+v: %v", c, err)
		}
		if len(b) > 80<<10 {
			t.Errorf("a card of %d bytes", len(b))
		}
	}
}

func TestBadge(t *testing.T) {
	for _, value := range []string{"1.2.3", "", `"><script>alert(1)</script>`, strings.Repeat("9", 255)} {
		b := draw.Badge("mcphub", value, "green")
		if err := xml.Unmarshal(b, new(struct{})); err != nil || bytes.Contains(b, []byte("<script")) {
			t.Errorf("%q: %v: %s", value, err, b)
		}
	}
}

func TestDependencies(t *testing.T) {
	if g := draw.Dependencies("@acme/db", nil, nil); len(g.Boxes) != 0 {
		t.Errorf("nothing to show: %+v", g)
	}
	many := slices.Repeat([]string{"@acme/a-name-of-more-than-thirty-letters"}, 20)
	g := draw.Dependencies("@acme/db", many, []string{"@acme/app"})
	if len(g.Boxes) != 14 || len(g.Lines) != 13 || g.Boxes[1].Label != "@acme/db" || !g.Boxes[1].Self || len([]rune(g.Boxes[2].Label)) != 30 {
		t.Errorf("%d boxes, %d lines: %+v", len(g.Boxes), len(g.Lines), g.Boxes)
	}
}
