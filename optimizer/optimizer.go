package optimizer

import (
	"errors"
	"fmt"
	"time"
)

// Optimizer learns from samples and gives advice. It belongs to one goroutine; only
// Trainer.Train is to run in another. It knows no clock: time is the samples'.
type Optimizer struct {
	cfg   Config
	cols  columns
	known *knowledge

	last    row // the newest sample; values are its own
	any     bool
	pace    pace
	boots   *boots
	auto    *auto // nil: the published method advises
	train   trainState
	trust   *trust
	memory  adviceMemory
	scratch scratch
}

// New returns an Optimizer without knowledge. Its error joins all mistakes of the
// configuration, as Validate returns them.
func New(c Config) (*Optimizer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	o := &Optimizer{cfg: c, cols: newColumns(c)}
	o.forget()
	return o, nil
}

// forget drops everything learned.
func (o *Optimizer) forget() {
	c := o.cfg
	width := len(o.cols.names)
	o.known = newKnowledge(c.Retain, width)
	o.last, o.any = row{values: make([]float64, width)}, false
	o.pace = newPace(c.Interval)
	o.boots = newBoots(c.BootHint)
	o.train, o.trust, o.memory = trainState{}, newTrust(), adviceMemory{}
	o.scratch = newScratch(c)
	o.auto = nil
	if c.Method == Auto {
		o.auto = newAuto(c)
	}
}

// Config returns the configuration.
func (o *Optimizer) Config() Config { return o.cfg }

// Samples returns how many samples are kept.
func (o *Optimizer) Samples() int { return o.known.len() }

// Last returns when the newest sample was taken; the zero time: there is none.
func (o *Optimizer) Last() time.Time {
	if !o.any {
		return time.Time{}
	}
	return o.last.time()
}

// Add learns from a sample. Where it returns an error (*NamesError, ErrClockBack,
// ErrDuplicate, ErrNodes) nothing has changed.
func (o *Optimizer) Add(s Sample) error {
	if err := admit(s, o.Last(), o.any); err != nil {
		return err
	}
	if err := o.cols.row(s.Values, o.scratch.row); err != nil {
		return err
	}
	o.feed(row{at: s.At.UnixNano(), nodes: s.Nodes, total: s.Total, values: o.scratch.row})
	return nil
}

// ObserveBoot tells how long one node took from the request for it until it was ready.
// It is optional: otherwise the times are inferred from Sample.Total and Sample.Nodes.
func (o *Optimizer) ObserveBoot(created, ready time.Time) error {
	took := ready.Sub(created)
	if took < 0 || took > longestBoot {
		return fmt.Errorf("a node created %s and ready %s: %w", stamp(created), stamp(ready), errors.New("use times of one node, at most a day apart"))
	}
	o.boots.observe(took)
	o.boots.told = true
	return nil
}

// feed takes a row that has been checked.
func (o *Optimizer) feed(r row) {
	gap := o.pace.observe(r.at)
	r.total = o.believedTotal(r)
	o.boots.sample(r.at, r.nodes, r.total)
	o.known.append(r)
	o.train.observe(o, r)
	o.trust.observe(o, r)
	if o.auto != nil {
		o.auto.observe(o, r, gap)
	}
	o.last = row{r.at, r.nodes, r.total, append(o.last.values[:0], r.values...)}
	o.any = true
}

// believedTotal is the number of nodes that exist. Where the caller does not know it,
// nodes that were advised and not given up are taken to be coming.
func (o *Optimizer) believedTotal(r row) int {
	if r.total > 0 {
		return r.total
	}
	m := &o.memory
	if m.wanted > r.nodes && r.at-m.wantedAt <= int64(o.boots.patience()) {
		return m.wanted
	}
	return r.nodes
}

// merge adds rows of another knowledge. Where they are not all newer than what is
// known, everything is derived anew from both.
func (o *Optimizer) merge(rows []row) (added int, err error) {
	sortRows(rows)
	before := o.known.len()
	if len(rows) == 0 {
		return 0, nil
	}
	if o.any && rows[0].at <= o.last.at {
		var all []row
		for i := range before {
			r := o.known.row(i)
			r.values = append([]float64(nil), r.values...)
			all = append(all, r)
		}
		rows = append(all, rows...)
		sortRows(rows)
		o.forget()
		before = len(all)
	} else {
		before = 0
	}
	var last int64
	fed := 0
	for i, r := range rows {
		if i > 0 && r.at == last {
			continue // known already
		}
		last = r.at
		o.feed(r)
		fed++
	}
	return fed - before, nil
}
