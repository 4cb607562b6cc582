package backtest

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a plot: a row for each policy, with the nodes on the left and the
// latency on the right.
const (
	plotWidth  = 36 * vg.Centimeter
	plotRow    = 6 * vg.Centimeter
	plotPoints = 1500 // most points of a line
)

var (
	colorNodes   = color.NRGBA{R: 0x1f, G: 0x5f, B: 0xa8, A: 0xff}
	colorNeed    = color.NRGBA{R: 0xd9, G: 0x8c, B: 0x1f, A: 0xff}
	colorLatency = color.NRGBA{R: 0x3a, G: 0x7d, B: 0x44, A: 0xff}
	colorLimit   = color.NRGBA{R: 0xb4, G: 0x23, B: 0x18, A: 0xff}
)

// Plot draws a row for each result: the nodes with what the load needs, and the
// latency with its limit. Format is png or svg.
func (r Report) Plot(out io.Writer, format string) error {
	height := plotRow * vg.Length(len(r.Results))
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "png":
		canvas = paletted{vgimg.New(plotWidth, height)}
	case "svg":
		canvas = vgsvg.New(plotWidth, height)
	default:
		return fmt.Errorf("plot format %q: use png or svg", format)
	}
	plots := make([][]*plot.Plot, len(r.Results))
	for i, result := range r.Results {
		left, err := r.plotNodes(result)
		if err != nil {
			return err
		}
		right, err := r.plotLatency(result)
		if err != nil {
			return err
		}
		plots[i] = []*plot.Plot{left, right}
	}
	tiles := draw.Tiles{Rows: len(plots), Cols: 2, PadX: vg.Centimeter, PadY: vg.Millimeter * 3, PadRight: vg.Millimeter * 4, PadTop: vg.Millimeter * 2}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for j, c := range row {
			plots[i][j].Draw(c)
		}
	}
	_, err := canvas.WriteTo(out)
	return err
}

// newPlot is an empty plot in a sober face.
func newPlot() *plot.Plot {
	p := plot.New()
	for _, style := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font.Typeface, style.Font.Variant = "Liberation", "Sans"
	}
	return p
}

// plotNodes draws the size of the fleet over what the load needs.
func (r Report) plotNodes(res Result) (*plot.Plot, error) {
	p := newPlot()
	p.Title.Text = fmt.Sprintf("%s: %.0f node-hours (%s), %s of the time over the limit", res.Policy, res.NodeHours, signed(res.OverClairvoyant), share(res.TimeOver))
	p.Y.Label.Text, p.Y.Min = "nodes", 0
	r.hours(p)
	p.Y.Tick.Marker = wholeTicks{}
	need, nodes := make([]float64, len(res.Nodes)), make([]float64, len(res.Nodes))
	for t, n := range r.need {
		need[t], nodes[t] = float64(n), float64(res.Nodes[t])
	}
	if err := r.line(p, "load, in nodes", need, colorNeed); err != nil {
		return nil, err
	}
	if err := r.line(p, "nodes", nodes, colorNodes); err != nil {
		return nil, err
	}
	p.Y.Max *= 1.25 // room for the legend
	p.Legend.Top = true
	return p, nil
}

// hours sets up the axis of time.
func (r Report) hours(p *plot.Plot) {
	p.X.Label.Text, p.X.Min, p.X.Max = "hours", 0, r.Span.Hours()
	p.X.Tick.Marker = wholeTicks{steps: []float64{1, 2, 3, 6, 12, 24, 48, 96, 168}}
	p.Add(plotter.NewGrid())
}

// plotLatency draws the latency and its limit, on a logarithmic scale.
func (r Report) plotLatency(res Result) (*plot.Plot, error) {
	p := newPlot()
	p.Title.Text = fmt.Sprintf("latency: p50 %s, p95 %s, p99 %s", millis(res.P50), millis(res.P95), millis(res.P99))
	p.Y.Label.Text = "milliseconds"
	r.hours(p)
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = latencyTicks{}
	latency, limit := make([]float64, len(res.Latencies)), make([]float64, len(res.Latencies))
	for t, v := range res.Latencies {
		latency[t], limit[t] = 1000*max(v, 1e-4), 1000*r.Limit.Seconds()
	}
	if err := r.line(p, "latency", latency, colorLatency); err != nil {
		return nil, err
	}
	if err := r.line(p, "limit", limit, colorLimit); err != nil {
		return nil, err
	}
	p.Y.Min = min(p.Y.Min, 1000*r.Limit.Seconds()/4)
	p.Y.Max = max(p.Y.Max, 1000*r.Limit.Seconds()*4) * 1.6
	p.Legend.Top = true
	return p, nil
}

// line adds a series of ticks to a plot. Where ticks are more than points, a point
// is the largest of its ticks.
func (r Report) line(p *plot.Plot, name string, values []float64, c color.Color) error {
	step := int(math.Ceil(float64(len(values)) / plotPoints))
	var points plotter.XYs
	for from := 0; from < len(values); from += step {
		highest := values[from]
		for _, v := range values[from:min(from+step, len(values))] {
			highest = max(highest, v)
		}
		points = append(points, plotter.XY{X: float64(from) * r.Plant.Tick.Hours(), Y: highest})
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("plot %s: %w", name, err)
	}
	line.Color, line.StepStyle = c, plotter.PostStep
	p.Add(line)
	p.Legend.Add(name, line)
	return nil
}

// mostTicks is how many marks an axis has at most.
const mostTicks = 8

// wholeTicks are whole numbers at the smallest of the steps that gives few enough
// marks; without steps, at 1, 2 or 5 of a power of ten.
type wholeTicks struct{ steps []float64 }

func (w wholeTicks) Ticks(least, most float64) []plot.Tick {
	steps := w.steps
	for power := 1.0; len(w.steps) == 0 && power <= most; power *= 10 {
		steps = append(steps, power, 2*power, 5*power)
	}
	step := max(1, most-least)
	for _, s := range steps {
		if (most-least)/s <= mostTicks {
			step = s
			break
		}
	}
	var ticks []plot.Tick
	for v := math.Ceil(least/step) * step; v <= most; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
	}
	return ticks
}

// latencyTicks are the marks 1, 2 and 5 of each power of ten within the axis.
type latencyTicks struct{}

func (latencyTicks) Ticks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Pow(10, math.Floor(math.Log10(least))); power <= most; power *= 10 {
		for _, digit := range []float64{1, 2, 5} {
			if v := digit * power; v >= least && v <= most {
				ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
			}
		}
	}
	return ticks
}
