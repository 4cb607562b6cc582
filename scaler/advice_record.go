package scaler

import (
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

// AdviceRecord is one advice and what it was given for, for the report.
type AdviceRecord struct {
	// At is the instant of the newest sample.
	At time.Time
	// Ready and Total are the nodes then.
	Ready, Total int
	Valid        bool
	Nodes        int
	Reliability  float64
	Model        string
	// Predicted is what was expected of each target with the nodes advised; nil where
	// nothing was.
	Predicted []optimizer.Prediction
}

// mostRecorded bounds the advices that are kept for the report.
const mostRecorded = 5000

// adviceRecord keeps the newest advices.
type adviceRecord struct {
	ring []AdviceRecord
	next int
}

// note keeps an advice; one for the same sample replaces it.
func (r *adviceRecord) note(s Sample, a optimizer.Advice) {
	one := AdviceRecord{At: s.At, Ready: s.Nodes, Total: s.Total, Valid: a.Valid, Nodes: a.Nodes, Reliability: a.Reliability, Model: a.Model}
	for i := range a.Candidates {
		if a.Candidates[i].Nodes == a.Nodes {
			one.Predicted = a.Candidates[i].Targets
		}
	}
	last := r.next - 1
	switch {
	case len(r.ring) > 0 && last < 0:
		last = len(r.ring) - 1
		fallthrough
	case len(r.ring) > 0:
		if r.ring[last].At.Equal(s.At) {
			r.ring[last] = one
			return
		}
	}
	if len(r.ring) < mostRecorded {
		r.ring = append(r.ring, one)
		r.next = len(r.ring) % mostRecorded
		return
	}
	r.ring[r.next] = one
	r.next = (r.next + 1) % mostRecorded
}

// all are the advices, oldest first.
func (r *adviceRecord) all() []AdviceRecord {
	if len(r.ring) < mostRecorded {
		return append([]AdviceRecord(nil), r.ring...)
	}
	return append(append([]AdviceRecord(nil), r.ring[r.next:]...), r.ring[:r.next]...)
}
