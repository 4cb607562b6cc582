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
	// Candidates are what was expected of each count; nil where nothing was.
	Candidates []optimizer.Candidate
}

// mostRecorded bounds the advices that are kept for the report.
const mostRecorded = 3000

// adviceRecord keeps the newest advices.
type adviceRecord struct {
	ring []AdviceRecord
	next int
}

// note keeps an advice; one for the same sample replaces it.
func (r *adviceRecord) note(s Sample, a optimizer.Advice) {
	one := AdviceRecord{At: s.At, Ready: s.Nodes, Total: s.Total, Valid: a.Valid, Nodes: a.Nodes, Reliability: a.Reliability, Model: a.Model, Candidates: a.Candidates}
	if n := len(r.ring); n > 0 {
		if last := &r.ring[(r.next+n-1)%n]; last.At.Equal(s.At) {
			*last = one
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
