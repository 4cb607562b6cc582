package demo

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/scalerd/scalerd/scaler/trace"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// plan is everything that is known before anything is started.
type plan struct {
	description
	length time.Duration
	limit  time.Duration
	parts  []*part
	// source says in a line where the load comes from.
	source string
	// moment names what the load does at a share of the run; nil for a trace.
	moment func(x float64) string
}

// part is one group's share of the demo.
type part struct {
	group *spec.Group
	shape shape
	// length of the run, for shape.
	length time.Duration
	// peak is the highest rate of the load, and each what a node carries within
	// the limit, in requests/s.
	peak, each float64
	// fixed is the size of a fleet that would carry the peak all the time.
	fixed  int
	record *recorder
}

// peakShare is what share of a group's largest fleet the peak of its load needs
// at least. Policies keep some room, so they will want more.
const peakShare = 0.75

func newPlan(o Options) (plan, error) {
	if o.Duration < minDuration {
		return plan{}, fmt.Errorf("duration: %s is too short, give at least %s", o.Duration, minDuration)
	}
	d, err := newDescription(o.File, o.Text)
	if err != nil {
		return plan{}, err
	}
	p := plan{description: d, length: o.Duration, limit: o.Limit}
	shapes, err := p.shapes(o.Trace)
	if err != nil {
		return plan{}, err
	}
	for i := range d.app.Groups {
		part, err := newPart(&d.app.Groups[i], shapes[i%len(shapes)], o)
		if err != nil {
			return plan{}, err
		}
		p.parts = append(p.parts, part)
	}
	if o.Trace != "" {
		p.source += fmt.Sprintf(", peak scaled to %.0f/s", p.parts[0].peak)
	}
	return p, nil
}

// shapes are the loads of the groups, in turn.
func (p *plan) shapes(file string) ([]shape, error) {
	if file == "" {
		p.source, p.moment = "a day with a morning rise, a spike and an evening fall", moment
		return []shape{day(), lateDay()}, nil
	}
	recorded, err := trace.Read(file)
	if err != nil {
		return nil, err
	}
	s, highest := compressed(recorded, p.length)
	p.source = fmt.Sprintf("%s: %s in %s (%.0f times as fast), peak of %.3g/s", filepath.Base(file),
		longTime(recorded.Span()), p.length, recorded.Span().Seconds()/p.length.Seconds(), highest)
	return []shape{s, s.later(0.05)}, nil
}

func newPart(group *spec.Group, s shape, o Options) (*part, error) {
	each := carried(group.Local, o.Limit)
	if each == 0 {
		return nil, fmt.Errorf("limit: %s is too short for group %s, whose requests take %s in the mean; give a longer --limit",
			o.Limit, group.Name, group.Local.ServiceTime)
	}
	peak := peakShare * float64(group.Max) * each
	return &part{
		group: group, shape: s, length: o.Duration,
		peak: peak, each: each,
		fixed:  fixedFleet(peak*s.peak(o.Duration), each),
		record: new(recorder),
	}, nil
}

// rate is the load in requests/s at an instant of the run.
func (p *part) rate(at time.Duration) float64 {
	return p.peak * p.shape(at.Seconds()/p.length.Seconds())
}

// longTime writes the length of a trace: "87d", "11h52m".
func longTime(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%.3gd", d.Hours()/24)
	}
	if d >= time.Hour {
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return d.Round(time.Second).String()
}
