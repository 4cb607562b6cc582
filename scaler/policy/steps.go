package policy

import (
	"fmt"
	"math"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// steps maps bands of a query's value to changes of the size.
type steps struct {
	name string
	spec spec.Steps
}

func newSteps(name string, s spec.Steps) (Policy, error) {
	if s.Query == "" {
		return nil, errNoQuery
	}
	if len(s.Bands) == 0 {
		return nil, fmt.Errorf("steps has no bands")
	}
	for i, b := range s.Bands {
		if err := checkBand(b); err != nil {
			return nil, fmt.Errorf("bands[%d]: %w", i, err)
		}
	}
	return steps{name: name, spec: s}, nil
}

func checkBand(b spec.Band) error {
	actions := 0
	for _, set := range []bool{b.Change != nil, b.Percent != nil, b.Nodes != nil} {
		if set {
			actions++
		}
	}
	switch {
	case b.Above == nil && b.Below == nil:
		return fmt.Errorf("set above, below or both")
	case b.Above != nil && b.Below != nil && *b.Above >= *b.Below:
		return fmt.Errorf("above %v and below %v hold no value", *b.Above, *b.Below)
	case actions != 1:
		return fmt.Errorf("set exactly one of change, percent and nodes")
	case b.Percent != nil && (math.IsNaN(*b.Percent) || math.IsInf(*b.Percent, 0)):
		return fmt.Errorf("percent is %v", *b.Percent)
	case b.Nodes != nil && *b.Nodes < 0:
		return fmt.Errorf("nodes is %d, must be at least 0", *b.Nodes)
	}
	return nil
}

func (s steps) Name() string      { return s.name }
func (s steps) Queries() []string { return []string{s.spec.Query} }

func (s steps) Propose(o Observation) Proposal {
	v, missing := o.value(s.spec.Query)
	if missing != "" {
		return Proposal{Policy: s.name, Hold: true, Reason: missing}
	}
	text := o.is(s.spec.Query, v)
	p := Proposal{Policy: s.name, Nodes: o.Wanted, Abstain: true, Least: s.least(v, o), Reason: text + ": in no band, no opinion"}
	if b, ok := s.band(v); ok {
		n, why := resize(b, o.Wanted, o.Ready())
		p.Nodes, p.Abstain, p.Reason = n, false, fmt.Sprintf("%s, %s: %s", text, limits(b), why)
	}
	return p
}

func (s steps) band(v float64) (spec.Band, bool) {
	for _, b := range s.spec.Bands {
		if holds(b, v) {
			return b, true
		}
	}
	return spec.Band{}, false
}

// least is the fewest nodes with which the mean v over the ready nodes would not
// come into a band that grows, and 0 where that can't be told.
func (s steps) least(v float64, o Observation) int {
	ready := o.Ready()
	if s.spec.Kind != spec.TargetAverage || ready == 0 {
		return 0
	}
	n := ready
	for ; n > 1; n-- {
		fewer := n - 1
		b, ok := s.band(v * float64(ready) / float64(fewer))
		if !ok {
			continue
		}
		if after, _ := resize(b, fewer, fewer); after > fewer {
			return n
		}
	}
	return 0
}

func holds(b spec.Band, v float64) bool {
	return (b.Above == nil || v > *b.Above) && (b.Below == nil || v < *b.Below)
}

func limits(b spec.Band) string {
	switch {
	case b.Below == nil:
		return "above " + number(*b.Above)
	case b.Above == nil:
		return "below " + number(*b.Below)
	}
	return "between " + number(*b.Above) + " and " + number(*b.Below)
}

// resize applies a band. Growth is counted from the ready nodes, so that a band
// that holds for as long as nodes boot does not add to them at every tick.
func resize(b spec.Band, wanted, ready int) (int, string) {
	if b.Nodes != nil {
		return *b.Nodes, nodes(*b.Nodes)
	}
	change, text := 0, ""
	if b.Change != nil {
		change, text = clampChange(*b.Change), fmt.Sprintf("%+d", *b.Change)
	} else {
		from := ready
		if *b.Percent < 0 {
			from = wanted
		}
		change = percentOf(*b.Percent, from)
		sign := ""
		if *b.Percent > 0 {
			sign = "+"
		}
		text = fmt.Sprintf("%s%s%%", sign, number(*b.Percent))
	}
	if change < 0 {
		n := max(0, wanted+change)
		return n, fmt.Sprintf("%s of %s wanted makes %d", text, nodes(wanted), n)
	}
	n := ready + change
	if n < wanted {
		return wanted, fmt.Sprintf("%s on %s makes %d, and %d are wanted already", text, count(ready, "ready node"), n, wanted)
	}
	return n, fmt.Sprintf("%s on %s makes %d", text, count(ready, "ready node"), n)
}

func clampChange(n int) int { return min(max(n, -mostNodes), mostNodes) }

// percentOf rounds away from zero: any percentage of any node is a node.
func percentOf(percent float64, n int) int {
	part := math.Abs(percent) / 100 * float64(n)
	if percent < 0 {
		return -ceilNodes(part)
	}
	return ceilNodes(part)
}
