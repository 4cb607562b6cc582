package backtest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Recording is what was measured of a fleet: a row for each instant, in the order of
// time. What was not measured is NaN.
type Recording struct {
	Nodes   []float64
	Rate    []float64 // requests/s of each node
	CPU     []float64 // percent
	Latency []float64 // seconds
	// Unit is what the file's latencies were taken to be in: us, ms or s.
	Unit string
}

// Units of latencies, in seconds.
var units = map[string]float64{"us": 1e-6, "ms": 1e-3, "s": 1}

// The names of columns, in lower case, as MiCADO's Optimizer, scalerd's export and
// people write them.
var (
	nodesNames   = []string{"vm_number", "nodes", "ready"}
	eachNames    = []string{"avg_rr"}
	sumNames     = []string{"sum_rr", "requests", "requests_per_second"}
	cpuNames     = []string{"cpu"}
	latencyNames = []string{"avg_lat", "avg_lat_05", "latency", "latency_seconds", "latency_ms"}
)

// ReadRecording reads samples from CSV: the columns vm_number or nodes; AVG_RR for the
// requests/s of each node, or SUM_RR or requests for those of all; latency or AVG_LAT
// or AVG_LAT_05; and CPU where it is there. The unit of latencies is us, ms or s; with
// "" it is told from their median: from 1000 on microseconds, from 5 on milliseconds.
func ReadRecording(path, unit string) (Recording, error) {
	file, err := os.Open(path)
	if err != nil {
		return Recording{}, fmt.Errorf("read samples: %w", err)
	}
	defer file.Close()
	r, err := parseRecording(file, unit)
	if err != nil {
		return Recording{}, fmt.Errorf("read samples %s: %w", path, err)
	}
	return r, nil
}

func parseRecording(text io.Reader, unit string) (Recording, error) {
	in := csv.NewReader(text)
	in.ReuseRecord, in.TrimLeadingSpace, in.Comment = true, true, '#'
	header, err := in.Read()
	if err != nil {
		return Recording{}, fmt.Errorf("header: %w", err)
	}
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	find := func(among []string) int {
		return slices.IndexFunc(names, func(name string) bool { return slices.Contains(among, name) })
	}
	nodes, each, sum, cpu, latency := find(nodesNames), find(eachNames), find(sumNames), find(cpuNames), find(latencyNames)
	for what, missing := range map[string]bool{
		"nodes (vm_number or nodes)":               nodes < 0,
		"requests/s (AVG_RR, SUM_RR or requests)":  each < 0 && sum < 0,
		"latency (latency, AVG_LAT or AVG_LAT_05)": latency < 0,
	} {
		if missing {
			return Recording{}, fmt.Errorf("the header is %.120q: it has no column of %s", strings.Join(names, ","), what)
		}
	}
	var r Recording
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Recording{}, err
		}
		n, rate := number(fields, nodes), number(fields, each)
		if math.IsNaN(rate) {
			rate = number(fields, sum) / n
		}
		r.Nodes, r.Rate = append(r.Nodes, n), append(r.Rate, rate)
		r.CPU, r.Latency = append(r.CPU, number(fields, cpu)), append(r.Latency, number(fields, latency))
	}
	return r, r.inUnits(names[latency], unit)
}

// number is a field's value, and NaN where it has none.
func number(fields []string, column int) float64 {
	if column < 0 {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(fields[column]), 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// inUnits makes latencies seconds and CPU percent.
func (r *Recording) inUnits(column, unit string) error {
	switch middle := quantileOf(r.Latency, 0.5); {
	case unit != "":
	case strings.HasSuffix(column, "_seconds"):
		unit = "s"
	case strings.HasSuffix(column, "_ms"):
		unit = "ms"
	case middle >= 1000:
		unit = "us"
	case middle >= 5:
		unit = "ms"
	default:
		unit = "s"
	}
	factor, ok := units[unit]
	if !ok {
		return fmt.Errorf("unit %q of latencies: use us, ms or s", unit)
	}
	r.Unit = unit
	for i := range r.Latency {
		r.Latency[i] *= factor
	}
	if quantileOf(r.CPU, 1) <= 1 {
		for i := range r.CPU {
			r.CPU[i] *= 100
		}
	}
	return nil
}

// quantileOf is a quantile of the values that are numbers, and NaN where none is.
func quantileOf(values []float64, share float64) float64 {
	known := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(known) == 0 {
		return math.NaN()
	}
	slices.Sort(known)
	return known[int(share*float64(len(known)-1)+0.5)]
}
