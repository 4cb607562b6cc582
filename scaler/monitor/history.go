package monitor

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

const (
	// lately is how long after its last value a query is stale.
	lately = 15 * time.Minute
	// knownQueries bounds what a history keeps; a description has a few dozen.
	knownQueries = 1000
)

// history remembers when each query had a value last. It is safe for concurrent
// use.
type history struct {
	mu       sync.Mutex
	last     map[string]time.Time // zero: asked, and there was none
	warnings map[string]string
}

func newHistory() *history {
	return &history{last: map[string]time.Time{}, warnings: map[string]string{}}
}

// settle tells stale from never there. A query whose first answer is empty may
// have had a value before this process started, so that the monitoring is asked
// once: past returns when the query had a value last within lately, or zero.
func (h *history) settle(promql string, at time.Time, r policy.Reading, past func() (time.Time, error)) policy.Reading {
	switch r.Missing {
	case policy.Present:
		h.remember(promql, at)
		return r
	case policy.NoSeries:
	default:
		return r
	}
	last, known := h.recall(promql)
	if !known {
		var err error
		if last, err = past(); err != nil {
			return r
		}
		h.remember(promql, last)
	}
	age := at.Sub(last)
	if last.IsZero() || age < 0 || age > lately {
		return r
	}
	return missing(policy.Stale, fmt.Sprintf("last value %s ago", age.Round(time.Second)))
}

func (h *history) remember(promql string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.last) >= knownQueries {
		clear(h.last)
	}
	h.last[promql] = at
}

func (h *history) recall(promql string) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, known := h.last[promql]
	return last, known
}

// newWarnings tells whether promql did not have these warnings at its previous
// answer, so that each is logged once and not at every tick. It sorts warnings.
func (h *history) newWarnings(promql string, warnings []string) bool {
	slices.Sort(warnings)
	text := strings.Join(warnings, "\n")
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.warnings[promql] == text {
		return false
	}
	if len(h.warnings) >= knownQueries {
		clear(h.warnings)
	}
	h.warnings[promql] = text
	return text != ""
}
