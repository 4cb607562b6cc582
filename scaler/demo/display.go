package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// display shows what happens while it does.
type display interface {
	// say tells what the demo does now.
	say(text string)
	show(view)
	// close makes way for the report.
	close()
}

// newDisplay is a screen on a terminal, and lines of text elsewhere. fail is told
// when nobody reads them any more.
func newDisplay(o Options, fail context.CancelCauseFunc) display {
	out := &checkedWriter{out: o.Out, fail: fail}
	if o.Size != nil {
		return &screen{out: out, size: o.Size, color: o.Color}
	}
	return &log{out: out}
}

// checkedWriter ends the demo when what it writes can't be read any more, as in
// `scalerd demo | head`.
type checkedWriter struct {
	out  io.Writer
	fail context.CancelCauseFunc
}

// Write implements io.Writer.
func (w *checkedWriter) Write(text []byte) (int, error) {
	n, err := w.out.Write(text)
	if err != nil {
		w.fail(fmt.Errorf("show the demo: %w", err))
	}
	return n, err
}

// view is what there is to see at one instant.
type view struct {
	application string
	at, length  time.Duration
	start       time.Time
	source      string
	moment      string
	limit       time.Duration
	groups      []groupView
	// decisions are the newest first.
	decisions []scaler.Decision
	problem   string
}

type groupView struct {
	name   string
	status scaler.GroupStatus
	rate   float64
	// p50 and p95 are of the last liveWindow.
	p50, p95 time.Duration
	// load and nodes are shares 0..1 of the highest, one for each historyPart of
	// the run so far.
	load, nodes []float64
}

const (
	// liveWindow is the time over which latencies are shown live.
	liveWindow = 3 * time.Second
	// historyParts is the number of parts of the run in a live history.
	historyParts = 60
)

func (s *stage) view(at time.Duration, status scaler.ApplicationStatus, decisions []scaler.Decision) view {
	v := view{
		application: s.plan.app.Name, at: at, length: s.plan.length, start: s.start,
		source: s.plan.source, limit: s.plan.limit,
		decisions: decisions, problem: problemOf(status),
	}
	if s.plan.moment != nil {
		v.moment = s.plan.moment(at.Seconds() / s.plan.length.Seconds())
	}
	for _, part := range s.plan.parts {
		v.groups = append(v.groups, part.view(at, status))
	}
	return v
}

func (p *part) view(at time.Duration, status scaler.ApplicationStatus) groupView {
	recent := p.record.recent(at - liveWindow)
	g := groupView{name: p.group.Name, rate: p.rate(at), p50: quantile(recent, 0.5), p95: quantile(recent, tail)}
	if i := slices.IndexFunc(status.Groups, func(s scaler.GroupStatus) bool { return s.Name == p.group.Name }); i >= 0 {
		g.status = status.Groups[i]
	}
	width := p.length / historyParts
	for from := time.Duration(0); from < at; from += width {
		to := min(from+width, at)
		g.load = append(g.load, p.shape((from+to).Seconds()/2/p.length.Seconds()))
		g.nodes = append(g.nodes, p.record.nodes(from, to)/float64(p.group.Max))
	}
	return g
}

// decided is a decision in a line: when, which group, what and why.
func decided(d scaler.Decision, start time.Time) string {
	return fmt.Sprintf("%5s  %s %d -> %d  %s", clock(d.At.Sub(start)), d.Group, d.From, d.To, why(d))
}

// why is the reason that weighed most. Reasons stand in the order in which they
// shaped the size, so for less nodes it is the last one: what kept more from
// going. For more nodes it is that of the largest proposal, which wins, and the
// first where no policy proposed.
func why(d scaler.Decision) string {
	if len(d.Reasons) == 0 {
		return ""
	}
	if d.To < d.From {
		return d.Reasons[len(d.Reasons)-1]
	}
	most, reason := -1, d.Reasons[0]
	for _, p := range d.Proposals {
		if !p.Hold && p.Nodes > most {
			most, reason = p.Nodes, p.Policy+": "+p.Reason
		}
	}
	return reason
}

// changes are the decisions that change a size; the others say that a metric went
// missing or is back.
func changes(decisions []scaler.Decision) []scaler.Decision {
	return slices.DeleteFunc(slices.Clone(decisions), func(d scaler.Decision) bool {
		return d.From == d.To && len(d.Drop) == 0
	})
}

// clock writes an instant of the run: "1:05", and "start" for what came before.
func clock(d time.Duration) string {
	if d < 0 {
		return "start"
	}
	seconds := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// latency writes a latency in a few characters; that of failed requests is none.
func latency(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d == never:
		return "failed"
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
}
