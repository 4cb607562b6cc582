package optimizer

import "fmt"

// Check says what Add would say of samples that are added one after another, and adds
// none of them: its error is that of the first that Add would refuse.
func (o *Optimizer) Check(samples []Sample) error {
	last, any := o.Last(), o.any
	values := make([]float64, len(o.cols.names))
	for i, s := range samples {
		if err := admit(s, last, any); err != nil {
			return fmt.Errorf("samples[%d]: %w", i, err)
		}
		if err := o.cols.row(s.Values, values); err != nil {
			return fmt.Errorf("samples[%d]: %w", i, err)
		}
		last, any = s.At, true
	}
	return nil
}
