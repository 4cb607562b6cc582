package optimizer

import (
	"fmt"
	"time"
)

// explorer takes the experiments that Config.Explore allows: one node more than needed,
// where the load per node has hardly varied, so that the curve is known at one point only.
type explorer struct {
	last, until int64
	begun       bool
	day         int64
	spent       float64 // node-hours of the day
}

const (
	exploreFor    = 5 * time.Minute // beyond the boot
	littleVaried  = 0.15 * 0.15     // variance of the log load per node
	exploreNodes  = 1
	dayNanosecond = int64(24 * time.Hour)
)

// holds says whether an experiment is going on, so that its node is not given back.
func (e *explorer) holds(at int64) bool { return at < e.until }

// step returns the node an experiment adds now, with its reason, or 0.
func (e *explorer) step(o *Optimizer, at time.Time) (nodes int, reason string) {
	x, now := o.cfg.Explore, at.UnixNano()
	if x.Every == 0 || o.auto.load.varX > littleVaried || e.holds(now) {
		return 0, ""
	}
	if hour := at.UTC().Hour(); hour < x.FromHour || hour >= x.ToHour || e.begun && time.Duration(now-e.last) < x.Every {
		return 0, ""
	}
	if day := now / dayNanosecond; day != e.day {
		e.day, e.spent = day, 0
	}
	span := o.boots.typical() + exploreFor
	if e.spent+span.Hours() > x.NodeHours {
		return 0, ""
	}
	e.begun, e.last, e.until = true, now, now+int64(span)
	e.spent += span.Hours()
	return exploreNodes, fmt.Sprintf("1 node more as an experiment for %s: the load per node has hardly varied", span.Round(time.Second))
}
