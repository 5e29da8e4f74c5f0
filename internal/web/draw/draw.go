// Package draw makes pictures: cards shown where a page is shared, as PNG, badges for readmes, as SVG, and what
// depends on what. Letters are those of the Go fonts, which are in the program.
package draw

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The size of a card, as social networks want it.
const (
	CardWidth  = 1200
	CardHeight = 630
)

// Card is what stands on a card.
type Card struct {
	Title    string
	Name     string // below the title, in letters of one width
	Text     string
	Facts    []string
	Initials string
	Hue      int
}

// hues are the colours of monograms, as the style of the pages has them.
var hues = []color.RGBA{{0x43, 0x38, 0xca, 255}, {0x0f, 0x66, 0x74, 255}, {0x9a, 0x34, 0x12, 255}, {0x16, 0x65, 0x34, 255}, {0x86, 0x19, 0x8f, 255},
	{0x1e, 0x5a, 0x99, 255}, {0x9f, 0x12, 0x39, 255}, {0x5b, 0x4a, 0x00, 255}, {0x44, 0x50, 0x7a, 255}, {0x5b, 0x21, 0xb6, 255}}

var (
	ground = color.RGBA{0xff, 0xff, 0xff, 255}
	text   = color.RGBA{0x18, 0x18, 0x1b, 255}
	quiet  = color.RGBA{0x5a, 0x5a, 0x65, 255}
	line   = color.RGBA{0xe2, 0xe2, 0xe8, 255}
)

type faces struct {
	mu                                      sync.Mutex // a face is for one user at a time
	title, initials, plain, mono, mark, tip font.Face
}

var letters = sync.OnceValue(func() *faces {
	face := func(ttf []byte, size float64) font.Face {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("draw: " + err.Error()) // the fonts are in the program
		}
		out, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic("draw: " + err.Error())
		}
		return out
	}
	return &faces{title: face(gobold.TTF, 64), initials: face(gobold.TTF, 48), plain: face(goregular.TTF, 34), mono: face(gomono.TTF, 28), mark: face(gobold.TTF, 34), tip: face(goregular.TTF, 28)}
})

// PNG draws a card.
func PNG(c Card) ([]byte, error) {
	f := letters()
	f.mu.Lock()
	defer f.mu.Unlock()
	palette := color.Palette{ground, text, quiet, line, hues[c.Hue%len(hues)]}
	palette = append(palette, between(ground, text, 7)...)
	palette = append(palette, between(ground, quiet, 7)...)
	palette = append(palette, between(ground, hues[c.Hue%len(hues)], 7)...)
	img := image.NewPaletted(image.Rect(0, 0, CardWidth, CardHeight), palette) // few colours: a tenth of the bytes
	draw.Draw(img, img.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	hue := hues[c.Hue%len(hues)]
	fill(img, image.Rect(0, 0, CardWidth, 12), hue)
	x := 80
	if c.Initials != "" {
		fill(img, image.Rect(80, 92, 192, 204), hue)
		w := font.MeasureString(f.initials, c.Initials).Round()
		write(img, f.initials, ground, 80+(112-w)/2, 165, c.Initials)
		x = 224
	}
	title := wrap(f.title, c.Title, CardWidth-80-x, 2)
	y := 150
	if len(title) == 1 && c.Name != "" {
		y = 140
	}
	for i, l := range title {
		write(img, f.title, text, x, y+i*72, l)
	}
	y += (len(title) - 1) * 72
	if c.Name != "" {
		for _, l := range wrap(f.mono, c.Name, CardWidth-80-x, 1) {
			write(img, f.mono, quiet, x, y+52, l)
		}
		y += 52
	}
	y = max(y+84, 290)
	for i, l := range wrap(f.plain, c.Text, CardWidth-160, 3) {
		write(img, f.plain, text, 80, y+i*48, l)
	}
	fill(img, image.Rect(80, 528, CardWidth-80, 530), line)
	write(img, f.mark, hue, 80, 582, "mcphub")
	for _, l := range wrap(f.tip, strings.Join(c.Facts, "   ·   "), 840, 1) {
		w := font.MeasureString(f.tip, l).Round()
		write(img, f.tip, quiet, CardWidth-80-w, 581, l)
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	err := enc.Encode(&b, img)
	return b.Bytes(), err
}

// between returns the shades from a to b, without the ends, for smooth edges of letters.
func between(a, b color.RGBA, n int) []color.Color {
	out := make([]color.Color, n)
	for i := range out {
		k := func(x, y uint8) uint8 { return uint8((int(x)*(n-i) + int(y)*(i+1)) / (n + 1)) }
		out[i] = color.RGBA{k(a.R, b.R), k(a.G, b.G), k(a.B, b.B), 255}
	}
	return out
}

func fill(img draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

func write(img draw.Image, face font.Face, c color.Color, x, y int, s string) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// wrap parts a text into at most lines lines of width pixels; what is left over ends in an ellipsis.
func wrap(face font.Face, s string, width, lines int) []string {
	var out []string
	words := strings.Fields(printable(s))
	for len(words) > 0 && len(out) < lines {
		n := 1
		for n < len(words) && font.MeasureString(face, strings.Join(words[:n+1], " ")).Round() <= width {
			n++
		}
		l := strings.Join(words[:n], " ")
		words = words[n:]
		if len(out) == lines-1 && len(words) > 0 {
			l += "…"
		}
		out = append(out, fit(face, l, width))
	}
	return out
}

// fit cuts a line to the width.
func fit(face font.Face, s string, width int) string {
	r := []rune(s)
	for len(r) > 1 && font.MeasureString(face, string(r)).Round() > width {
		r = append(r[:len(r)-2], '…')
	}
	return string(r)
}

// printable keeps what the fonts have letters for.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 32 || (r >= 0x7f && r < 0xa0) || r > 0x24ff || (r >= 0x2028 && r <= 0x202e) || (r >= 0x200b && r <= 0x200f):
			return -1
		}
		return r
	}, s)
}

// Badge draws a badge: a label and a value. kind is "", "green", "amber" or "red".
func Badge(label, value, kind string) []byte {
	fillWith := map[string]string{"": "#4338ca", "green": "#166534", "amber": "#854d0e", "red": "#b01030"}[kind]
	width := func(s string) int { return len([]rune(s))*66/10 + 14 }
	a, b := width(label), width(value)
	title := html.EscapeString(label + ": " + value)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s"><title>%s</title><rect width="%d" height="20" rx="3" fill="#3f3f46"/><path d="M%d 0h%da3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-%dz" fill="%s"/><g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="%d" y="14">%s</text><text x="%d" y="14">%s</text></g></svg>`,
		a+b, title, title, a+b, a, b-3, b-3, fillWith, a/2, html.EscapeString(label), a+b/2, html.EscapeString(value))
}
