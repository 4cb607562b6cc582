package demo

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/fatih/color"

	"github.com/scalerd/scalerd/scaler"
)

// screen is the display on a terminal: a few lines that are drawn over and over.
type screen struct {
	out   io.Writer
	size  func() (columns, rows int)
	color bool
	// drawn is how many lines the last frame has.
	drawn int
}

// span is a piece of a line in one colour, 0 for the terminal's own.
type span struct {
	text  string
	color color.Attribute
}

type row []span

func (s *screen) say(text string) {
	columns, _ := s.size()
	s.wipe()
	fmt.Fprintln(s.out, cut(text, columns))
}

func (s *screen) close() {
	s.wipe()
	fmt.Fprint(s.out, "\x1b[?25h") // the cursor is back
}

// wipe removes the last frame.
func (s *screen) wipe() {
	if s.drawn > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\r\x1b[J", s.drawn)
	}
	s.drawn = 0
}

// show draws a frame over the last one, in one write so that it does not flicker.
func (s *screen) show(v view) {
	columns, rows := s.size()
	drawing := draw(v, columns, rows-1)
	var frame strings.Builder
	frame.WriteString("\x1b[?25l")
	if s.drawn > 0 {
		fmt.Fprintf(&frame, "\x1b[%dA\r", s.drawn)
	}
	for _, row := range drawing {
		row.write(&frame, columns, s.color)
		frame.WriteString("\x1b[K\n")
	}
	frame.WriteString("\x1b[J")
	s.drawn = len(drawing)
	fmt.Fprint(s.out, frame.String())
}

// write writes the row, cut to the width.
func (r row) write(out *strings.Builder, width int, colored bool) {
	for _, s := range r {
		text := cut(s.text, width)
		width -= len([]rune(text))
		if colored && s.color != 0 {
			paint := color.New(s.color)
			paint.EnableColor()
			text = paint.Sprint(text)
		}
		out.WriteString(text)
		if width <= 0 {
			return
		}
	}
}

// cut shortens a text to a width, all of whose characters are one column wide.
func cut(text string, width int) string {
	text, _, _ = strings.Cut(text, "\n")
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	if width <= 0 {
		return ""
	}
	return string(runes[:width-1]) + "…"
}

// draw makes at most so many rows for a terminal of that width.
func draw(v view, columns, rows int) []row {
	drawing := []row{
		{{"scalerd demo", color.Bold}, {fmt.Sprintf("  %s  %s of %s  ", v.application, clock(v.at), clock(v.length)), 0},
			{gauge(v.at.Seconds()/v.length.Seconds(), 20), color.FgCyan}, {"  " + v.moment, color.Bold}},
		{{"load: " + v.source, color.Faint}},
	}
	for _, g := range v.groups {
		drawing = append(drawing, row{})
		drawing = append(drawing, drawGroup(g, v)...)
	}
	drawing = append(drawing, row{})
	if v.problem != "" {
		drawing = append(drawing, row{{"problem: " + v.problem, color.FgRed}})
	}
	drawing = append(drawing, row{{"Decisions, the newest first", color.Bold}})
	for _, d := range changes(v.decisions) {
		shade := color.FgGreen
		if d.To > d.From {
			shade = color.FgYellow
		}
		drawing = append(drawing, row{{decided(d, v.start), shade}})
	}
	footer := row{{"Ctrl-C stops everything and leaves nothing behind.", color.Faint}}
	drawing = drawing[:max(0, min(len(drawing), rows-1))]
	return append(drawing, footer)
}

// gutter is the width of what stands before the histories.
const gutter = 10

func drawGroup(g groupView, v view) []row {
	shade, verdict := color.FgGreen, "within"
	if g.p95 > v.limit {
		shade, verdict = color.FgRed, "over"
	}
	return []row{
		{
			{fmt.Sprintf("%-*s", gutter, cut(g.name, gutter-1)), color.Bold},
			{fmt.Sprintf("%4.0f req/s   p50 %s   p95 ", g.rate, latency(g.p50)), 0},
			{latency(g.p95), shade},
			{fmt.Sprintf(", %s the limit of %s", verdict, latency(v.limit)), 0},
		},
		append(row{{fmt.Sprintf("%*s", gutter, ""), 0}}, bar(g.status)...),
		{{fmt.Sprintf("%-*s", gutter, "  load"), color.Faint}, {spark(g.load), color.FgCyan}},
		{{fmt.Sprintf("%-*s", gutter, "  nodes"), color.Faint}, {spark(g.nodes), color.FgBlue}},
	}
}

// bar draws the fleet, a character a node where there are few, and says it.
func bar(s scaler.GroupStatus) row {
	const widest = 30
	each := max(1, int(math.Ceil(float64(s.Max)/widest)))
	cells := func(n int) int { return (n + each - 1) / each }
	ready, coming := cells(s.Ready), cells(s.Booting+s.Creating)
	rest := max(0, cells(s.Max)-ready-coming)
	return row{
		{strings.Repeat("█", ready), color.FgGreen},
		{strings.Repeat("▒", coming), color.FgYellow},
		{strings.Repeat("·", rest), color.Faint},
		{"  " + fleet(s), 0},
	}
}

// fleet says what a group consists of.
func fleet(s scaler.GroupStatus) string {
	text := fmt.Sprintf("%d ready", s.Ready)
	for _, part := range []struct {
		n    int
		name string
	}{{s.Creating + s.Booting, "booting"}, {s.Draining, "leaving"}, {s.Lost, "lost"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.name)
		}
	}
	return text + fmt.Sprintf("; %d wanted of %d..%d", s.Wanted, s.Min, s.Max)
}

// spark draws a history, a character for each share 0..1.
func spark(shares []float64) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	var out strings.Builder
	for _, share := range shares {
		level := int(math.Round(share * float64(len(levels)-1)))
		out.WriteRune(levels[min(max(level, 0), len(levels)-1)])
	}
	return out.String()
}

// gauge draws a share 0..1 as a bar of that width.
func gauge(share float64, width int) string {
	full := min(max(int(share*float64(width)), 0), width)
	return strings.Repeat("━", full) + strings.Repeat("─", width-full)
}
