package policy

import (
	"fmt"
	"strconv"
)

// ParseReading makes a reading of what a person gives for one: a number, true or
// false for an alert, a list of a label's values, or the word for why there is no
// value.
func ParseReading(v any) (Reading, error) {
	switch v := v.(type) {
	case bool:
		return Reading{Firing: &v}, nil
	case []any:
		r := Reading{Label: "label", Missing: NoSeries}
		for _, text := range v {
			r.Missing = Present
			r.Samples = append(r.Samples, Sample{Labels: map[string]string{"label": fmt.Sprint(text)}})
		}
		return r, nil
	case string:
		for _, why := range []Missing{NoSeries, NaN, Stale, QueryError, Unreachable} {
			if v == string(why) {
				return Reading{Missing: why}, nil
			}
		}
		return Reading{}, fmt.Errorf("is %q, write a number, true, false, a list, or why it has no value: no series, not a number, stale, query error, unreachable", v)
	}
	number, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	if err != nil {
		return Reading{}, fmt.Errorf("is %v, write a number, true, false or a list", v)
	}
	return Reading{Samples: []Sample{{Value: number}}}, nil
}

// WithLabel is a reading whose samples have their label's values under another name.
func (r Reading) WithLabel(label string) Reading {
	samples := make([]Sample, len(r.Samples))
	for i, s := range r.Samples {
		samples[i] = Sample{Labels: map[string]string{label: s.Labels[r.Label]}, Value: s.Value}
	}
	r.Label, r.Samples = label, samples
	return r
}
