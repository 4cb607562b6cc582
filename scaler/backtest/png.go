package backtest

import (
	"image"
	"image/color"
	"image/png"
	"io"

	"gonum.org/v1/plot/vg/vgimg"
)

// shades is how many steps a plot's colours fade into white in.
const shades = 36

// paletted writes a plot as a PNG of few colours, which is several times smaller.
type paletted struct{ *vgimg.Canvas }

// WriteTo implements io.WriterTo.
func (p paletted) WriteTo(w io.Writer) (int64, error) {
	drawn := p.Image()
	out := image.NewPaletted(drawn.Bounds(), plotPalette())
	known := map[color.Color]uint8{}
	for y := drawn.Bounds().Min.Y; y < drawn.Bounds().Max.Y; y++ {
		for x := drawn.Bounds().Min.X; x < drawn.Bounds().Max.X; x++ {
			c := drawn.At(x, y)
			index, ok := known[c]
			if !ok {
				index = uint8(out.Palette.Index(c))
				known[c] = index
			}
			out.SetColorIndex(x, y, index)
		}
	}
	counted := &countingWriter{w: w}
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(counted, out)
	return counted.n, err
}

// plotPalette are the colours of plots with their shades, from white on.
func plotPalette() color.Palette {
	var all color.Palette
	for _, c := range []color.NRGBA{{A: 0xff}, {R: 0x80, G: 0x80, B: 0x80, A: 0xff}, colorNodes, colorNeed, colorLatency, colorLimit} {
		for i := range shades {
			fade := func(v uint8) uint8 { return uint8(255 + (int(v)-255)*i/(shades-1)) }
			all = append(all, color.NRGBA{R: fade(c.R), G: fade(c.G), B: fade(c.B), A: 0xff})
		}
	}
	return all
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
