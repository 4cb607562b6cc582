package optimizer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Sample is what was measured at one instant.
type Sample struct {
	At time.Time `json:"at"`
	// Nodes is the number of nodes that are ready and take load.
	Nodes int `json:"nodes"`
	// Total is the number of nodes that exist or are being made, so Nodes and those
	// booting. 0: unknown; Nodes plus what was advised and has not come yet is assumed.
	Total int `json:"total,omitempty"`
	// Values holds a value for each input and target by name. NaN says that a metric has
	// no value at this instant; a name left out is a mistake.
	Values map[string]float64 `json:"values"`
}

// NamesError says which metrics of a sample are not those configured. Nothing of the
// sample is stored.
type NamesError struct {
	Missing, Unknown []string // sorted
}

// Error implements error.
func (e *NamesError) Error() string {
	var parts []string
	if len(e.Missing) > 0 {
		parts = append(parts, "no value for "+strings.Join(e.Missing, ", ")+" (send NaN or null where there is none)")
	}
	if len(e.Unknown) > 0 {
		parts = append(parts, "unknown metrics "+strings.Join(e.Unknown, ", "))
	}
	return "sample: " + strings.Join(parts, "; ")
}

// ErrClockBack is returned for a sample older than the last, ErrDuplicate for one of
// the same instant, ErrNodes for an impossible number of nodes. Nothing is stored.
var (
	ErrClockBack = errors.New("the sample is older than the last one")
	ErrDuplicate = errors.New("there is a sample of this instant already")
	ErrNodes     = errors.New("the number of nodes is impossible")
)

// columns maps metric names to positions: inputs first, then targets.
type columns struct {
	names  []string
	inputs int
	at     map[string]int
}

func newColumns(c Config) columns {
	cols := columns{inputs: len(c.Inputs), at: map[string]int{}}
	cols.names = append(cols.names, c.Inputs...)
	for _, t := range c.Targets {
		cols.names = append(cols.names, t.Name)
	}
	for i, n := range cols.names {
		cols.at[n] = i
	}
	return cols
}

// row writes the sample's values in column order to into. Inf becomes NaN: no value.
func (c columns) row(values map[string]float64, into []float64) error {
	found := 0
	for i, name := range c.names {
		v, ok := values[name]
		if !ok {
			return c.namesError(values)
		}
		if math.IsInf(v, 0) || math.Abs(v) > largestValue {
			v = math.NaN()
		}
		found++
		into[i] = v
	}
	if found != len(values) {
		return c.namesError(values)
	}
	return nil
}

// largestValue is where a metric's value is an accident rather than a measurement;
// squares of it are still finite.
const largestValue = 1e100

func (c columns) namesError(values map[string]float64) error {
	e := &NamesError{}
	for _, name := range c.names {
		if _, ok := values[name]; !ok {
			e.Missing = append(e.Missing, name)
		}
	}
	for name := range values {
		if _, ok := c.at[name]; !ok {
			e.Unknown = append(e.Unknown, name)
		}
	}
	slices.Sort(e.Missing)
	slices.Sort(e.Unknown)
	return e
}

// admit checks what does not depend on the metrics.
func admit(s Sample, last time.Time, any bool) error {
	if s.Nodes < 0 || s.Nodes > maxNodes || s.Total < 0 || s.Total > maxNodes || s.Total != 0 && s.Total < s.Nodes {
		return fmt.Errorf("sample of %s, %d nodes ready of %d: %w", stamp(s.At), s.Nodes, s.Total, ErrNodes)
	}
	if any && s.At.Equal(last) {
		return fmt.Errorf("sample of %s: %w", stamp(s.At), ErrDuplicate)
	}
	if any && s.At.Before(last) {
		return fmt.Errorf("sample of %s, last %s: %w", stamp(s.At), stamp(last), ErrClockBack)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
