package policy

import (
	"fmt"
	"math"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// deadline finishes a queue of jobs by a time.
type deadline struct {
	name string
	spec spec.Deadline
	by   time.Time
}

func newDeadline(name string, d spec.Deadline) (Policy, error) {
	p := deadline{name: name, spec: d}
	p.spec.Slots = max(d.Slots, 1)
	if (d.By == "") == (d.Remaining == "") {
		return nil, fmt.Errorf("set exactly one of by and remaining")
	}
	if d.Jobs == "" || d.JobTime == "" && d.JobTakes <= 0 {
		return nil, fmt.Errorf("set jobs, and job_time or job_takes")
	}
	if d.By != "" {
		var err error
		if p.by, err = time.Parse(time.RFC3339, d.By); err != nil {
			return nil, fmt.Errorf("by: %w", err)
		}
	}
	return p, nil
}

func (d deadline) Name() string { return d.name }

func (d deadline) Queries() []string {
	queries := []string{d.spec.Jobs}
	for _, query := range []string{d.spec.JobTime, d.spec.Remaining} {
		if query != "" {
			queries = append(queries, query)
		}
	}
	return queries
}

// Propose asks for as many nodes as finish the jobs in the time that is left: each
// works on its slots at once, and a node that is yet to come has so much less time
// as nodes take to be ready.
func (d deadline) Propose(o Observation) Proposal {
	p := Proposal{Policy: d.name}
	jobs, missing := o.value(d.spec.Jobs)
	if missing != "" {
		p.Hold, p.Reason = true, missing
		return p
	}
	if jobs <= 0 {
		p.Reason = o.is(d.spec.Jobs, jobs) + ": nothing to do"
		return p
	}
	left, missing := d.left(o)
	if missing != "" {
		p.Hold, p.Reason = true, missing
		return p
	}
	each, missing := d.each(o)
	if missing != "" {
		p.Hold, p.Reason = true, missing
		return p
	}
	what := fmt.Sprintf("%s jobs of %s", number(jobs), duration(each))
	if left <= 0 {
		p.Nodes = o.Max
		p.Reason = fmt.Sprintf("%s are left and the time is over: as many nodes as may be", what)
		return p
	}
	p.Nodes = d.need(jobs, each, left, float64(o.Ready()), o.Lead.Seconds(), o.Max)
	p.Reason = fmt.Sprintf("%s in %s, %s at once on a node: %s needed", what, duration(left), count(d.spec.Slots, "job"), nodes(p.Nodes))
	if p.Nodes > o.Ready() && o.Lead > 0 {
		p.Reason += fmt.Sprintf(" (new ones are ready after %s)", duration(o.Lead.Seconds()))
	}
	return p
}

// need is how many nodes finish the jobs, of which so many are ready; times are in
// seconds. No node can work on more jobs at once than there are.
func (d deadline) need(jobs, each, left, ready, lead float64, most int) int {
	slots := float64(d.spec.Slots)
	atOnce := ceilNodes(jobs / slots)
	need := ceilNodes(jobs * each / left / slots)
	if float64(need) > ready && lead > 0 {
		// Those that are ready work all the time, the others what the lead leaves.
		done := ready * slots * left / each
		if left <= lead {
			return max(min(atOnce, most), int(ready))
		}
		need = int(ready) + ceilNodes((jobs-done)*each/(left-lead)/slots)
	}
	return min(need, max(atOnce, 1))
}

// left is the time that is left, in seconds.
func (d deadline) left(o Observation) (float64, string) {
	if d.spec.Remaining != "" {
		return o.value(d.spec.Remaining)
	}
	return d.by.Sub(o.Now).Seconds(), ""
}

// each is the time of one job, in seconds.
func (d deadline) each(o Observation) (float64, string) {
	takes := time.Duration(d.spec.JobTakes).Seconds()
	if d.spec.JobTime == "" {
		return takes, ""
	}
	v, missing := o.value(d.spec.JobTime)
	switch {
	case missing == "" && v > 0:
		return v, ""
	case takes > 0:
		return takes, ""
	case missing == "":
		missing = fmt.Sprintf("%s: a job takes longer than that", o.is(d.spec.JobTime, v))
	}
	return math.NaN(), missing
}

func duration(seconds float64) string {
	if seconds < 10 {
		return number(seconds) + "s"
	}
	if seconds > 1e8 {
		return number(seconds/86400) + " days"
	}
	return (time.Duration(seconds) * time.Second).String()
}
