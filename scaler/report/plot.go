package report

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a picture: a row of charts each.
const (
	plotWidth = 32 * vg.Centimeter
	plotRow   = 7 * vg.Centimeter
)

var (
	colorMeasured  = color.NRGBA{R: 0x1f, G: 0x5f, B: 0xa8, A: 0xff}
	colorPredicted = color.NRGBA{R: 0x8a, G: 0x4f, B: 0xbf, A: 0xff}
	colorBand      = color.NRGBA{R: 0x8a, G: 0x4f, B: 0xbf, A: 0x38}
	colorNodes     = color.NRGBA{R: 0x3a, G: 0x7d, B: 0x44, A: 0xff}
	colorAdvice    = color.NRGBA{R: 0xc4, G: 0x60, B: 0x0d, A: 0xff}
	colorLimit     = color.NRGBA{R: 0xb4, G: 0x23, B: 0x18, A: 0xff}
	dashes         = []vg.Length{vg.Points(4), vg.Points(3)}
)

// Plot draws the most important charts: each target with its range and prediction,
// the nodes with the advice, and what each count would do now. Format is png or svg.
func Plot(w io.Writer, d Data, format string) error {
	var rows [][]*plot.Plot
	for t := range d.Targets {
		rows = append(rows, []*plot.Plot{d.plotTarget(t)})
	}
	rows = append(rows, []*plot.Plot{d.plotNodes()})
	for t := range d.Targets {
		if len(d.WhatIf.Counts) > 0 {
			rows = append(rows, []*plot.Plot{d.plotWhatIf(t)})
		}
	}
	height := plotRow * vg.Length(len(rows))
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.New(plotWidth, height)}
	case "svg":
		canvas = vgsvg.New(plotWidth, height)
	default:
		return fmt.Errorf("report as %q: use png or svg", format)
	}
	tiles := draw.Tiles{Rows: len(rows), Cols: 1, PadY: vg.Millimeter * 5, PadRight: vg.Millimeter * 5, PadLeft: vg.Millimeter * 2, PadTop: vg.Millimeter * 3, PadBottom: vg.Millimeter * 2}
	for i, line := range plot.Align(rows, tiles, draw.New(canvas)) {
		rows[i][0].Draw(line[0])
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font.Size = vg.Points(11)
	p.Legend.Top, p.Legend.Left = true, true
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{0xe4}, color.Gray{0xe4}
	p.Add(grid)
	return p
}

func (d Data) overTime(title string) *plot.Plot {
	p := newPlot(title)
	p.X.Tick.Marker = plot.TimeTicks{Format: "01-02 15:04"}
	return p
}

func (d Data) plotTarget(t int) *plot.Plot {
	target := d.Targets[t]
	p := d.overTime(fmt.Sprintf("%s: %s", d.Name, target.Name))
	measured := d.Values[len(d.Inputs)+t]
	if logarithmic(target, measured, d.Predictions[t].Value) {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	addLine(p, "predicted", points(d.Time, d.Predictions[t].Value), colorPredicted, nil)
	addLine(p, "measured", points(d.Time, measured), colorMeasured, nil)
	for _, limit := range []*float64{target.Min, target.Max} {
		if limit != nil && len(d.Time) > 0 {
			addLine(p, "", plotter.XYs{{X: float64(d.Time[0]), Y: *limit}, {X: float64(d.Time[len(d.Time)-1]), Y: *limit}}, colorLimit, dashes)
		}
	}
	return p
}

// logarithmic reports whether a logarithmic axis can show a target, and is worth it.
func logarithmic(t Target, lists ...[]Number) bool {
	low, high := math.Inf(1), 0.0
	see := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	for _, list := range lists {
		for _, n := range list {
			see(float64(n))
		}
	}
	for _, limit := range []*float64{t.Min, t.Max} {
		if limit != nil {
			see(*limit)
		}
	}
	return low > 0 && high/low > 50
}

func (d Data) plotNodes() *plot.Plot {
	p := d.overTime("nodes")
	addLine(p, "ready", steps(points(d.Time, d.Nodes)), colorNodes, nil)
	addLine(p, "advised", steps(points(d.Time, d.Advised)), colorAdvice, dashes)
	p.Y.Min = 0
	return p
}

func (d Data) plotWhatIf(t int) *plot.Plot {
	target := d.Targets[t]
	p := newPlot(fmt.Sprintf("%s per number of nodes now (advised: %d)", target.Name, d.WhatIf.Advised))
	p.X.Label.Text = "nodes"
	var line, low, high plotter.XYs
	for _, c := range d.WhatIf.Counts {
		x, v := float64(c.Nodes), c.Targets[t]
		line, low, high = append(line, plotter.XY{X: x, Y: v.Value}), append(low, plotter.XY{X: x, Y: v.Low}), append(high, plotter.XY{X: x, Y: v.High})
	}
	for i := len(low) - 1; i >= 0; i-- {
		high = append(high, low[i])
	}
	if band, err := plotter.NewPolygon(high); err == nil {
		band.Color, band.LineStyle.Width = colorBand, 0
		p.Add(band)
	}
	addLine(p, "predicted", line, colorPredicted, nil)
	for _, limit := range []*float64{target.Min, target.Max} {
		if limit != nil && len(line) > 1 {
			addLine(p, "", plotter.XYs{{X: line[0].X, Y: *limit}, {X: line[len(line)-1].X, Y: *limit}}, colorLimit, dashes)
		}
	}
	return p
}

// points are those that have a value.
func points(x, y []Number) plotter.XYs {
	var all plotter.XYs
	for i := range y {
		if v := float64(y[i]); !math.IsNaN(v) && !math.IsInf(v, 0) {
			all = append(all, plotter.XY{X: float64(x[i]), Y: v})
		}
	}
	return all
}

// steps adds the corners of a value that stays until the next.
func steps(p plotter.XYs) plotter.XYs {
	var all plotter.XYs
	for i, one := range p {
		if i > 0 {
			all = append(all, plotter.XY{X: one.X, Y: p[i-1].Y})
		}
		all = append(all, one)
	}
	return all
}

// addLine adds a line where there is one to draw.
func addLine(p *plot.Plot, name string, xy plotter.XYs, c color.Color, dash []vg.Length) {
	if len(xy) == 0 {
		return
	}
	line, err := plotter.NewLine(xy)
	if err != nil {
		return // only for points that are no numbers, which are not among these
	}
	line.Color, line.Dashes, line.Width = c, dash, vg.Points(1)
	p.Add(line)
	if name != "" {
		p.Legend.Add(name, line)
	}
}
