// Package monitor answers PromQL queries at an instant.
//
// There are two implementations with the same methods. Embedded scrapes the
// targets itself and keeps the samples in a small Prometheus TSDB; each of its
// applications has its own Application, which sees its own series and no other.
// External asks an existing Prometheus over its HTTP API and tells it what to
// scrape through a file_sd file.
//
// An answer is a policy.Reading. What has no value is missing for a reason and
// is never zero:
//
//   - NoSeries: the answer is empty, and was empty for the last 15 minutes.
//   - Stale: the answer is empty, and had a value within the last 15 minutes.
//   - NaN: the first sample, in the order of labels, is not a finite number.
//     The first sample is what Reading.Value returns, so that it must not
//     silently become another series' value. Series after the first that are
//     not finite are dropped. A native histogram is not a number.
//   - QueryError: the query was refused, or is a range vector or a string.
//   - Unreachable: there was no answer in time, or none that could be read.
//
// A scalar is one sample without labels.
//
// A reading says when the newest sample was taken that it is made of, as far as that
// is known: Embedded sees what a query reads. External knows the time of evaluation
// only, and asks once more, for timestamp(), where the query is a plain selector.
package monitor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/scalerd/scalerd/scaler/policy"
)

// namedSeries is how many series are named in a reading's detail.
const namedSeries = 3

// newReading makes a reading of an answer's samples, in any order.
func newReading(samples []policy.Sample) policy.Reading {
	if len(samples) == 0 {
		return missing(policy.NoSeries, "empty result")
	}
	sortByLabels(samples)
	if !finite(samples[0]) {
		return missing(policy.NaN, describe(slices.DeleteFunc(samples, finite)))
	}
	return policy.Reading{Samples: slices.DeleteFunc(samples, func(s policy.Sample) bool { return !finite(s) })}
}

// sampledAt says when the newest sample of a reading was taken.
func sampledAt(r policy.Reading, at time.Time) policy.Reading {
	if r.Missing == policy.Present {
		r.SampledAt = at
	}
	return r
}

func missing(why policy.Missing, detail string) policy.Reading {
	return policy.Reading{Missing: why, Detail: detail}
}

func finite(s policy.Sample) bool {
	return !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0)
}

func sortByLabels(samples []policy.Sample) {
	type keyed struct {
		key    labels.Labels
		sample policy.Sample
	}
	rows := make([]keyed, len(samples))
	for i, s := range samples {
		rows[i] = keyed{labels.FromMap(s.Labels), s}
	}
	slices.SortStableFunc(rows, func(a, b keyed) int { return labels.Compare(a.key, b.key) })
	for i, row := range rows {
		samples[i] = row.sample
	}
}

// describe lists values with their labels: `NaN for {node="w-0001"}`.
func describe(samples []policy.Sample) string {
	var parts []string
	for _, s := range samples[:min(len(samples), namedSeries)] {
		parts = append(parts, fmt.Sprintf("%v for %s", s.Value, labels.FromMap(s.Labels)))
	}
	if more := len(samples) - namedSeries; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
