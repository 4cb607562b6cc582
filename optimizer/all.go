package optimizer

import "iter"

// All yields the samples that are kept, oldest first; a metric without a value is NaN.
// The samples are the caller's. The Optimizer must not be used for anything else
// meanwhile.
func (o *Optimizer) All() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		for i := range o.known.len() {
			r := o.known.row(i)
			s := Sample{At: r.time(), Nodes: r.nodes, Total: r.total, Values: make(map[string]float64, len(r.values))}
			for j, name := range o.cols.names {
				s.Values[name] = r.values[j]
			}
			if !yield(s) {
				return
			}
		}
	}
}
