// Package trace reads recorded loads, and cuts and smooths them.
package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Trace is a recorded load. Each rate holds until the next sample.
type Trace struct {
	// Seconds are the instants of the samples, ascending.
	Seconds []float64
	// Rates are in requests/s.
	Rates []float64
}

// The columns of a trace; there may be others.
const (
	timeColumn = "t_seconds"
	rateColumn = "requests_per_second"
)

// traceForm is what to do about a file that is no trace.
const traceForm = "the file must be CSV with the header line " + timeColumn + "," + rateColumn

// maxMistakes is how many mistakes of a file are told at once.
const maxMistakes = 10

// Read reads a trace from a CSV file, which may be compressed with gzip. An
// error says for each mistake in which line it is and what to do about it.
func Read(path string) (Trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return Trace{}, fmt.Errorf("read trace: %w", err)
	}
	defer file.Close()
	text, err := plainText(file)
	if err != nil {
		return Trace{}, fmt.Errorf("read trace %s: %w", path, err)
	}
	return parseTrace(path, text)
}

// plainText unpacks what is packed, whatever its name is.
func plainText(file io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(file)
	head, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}

// traceReader reads the lines of a trace and gathers their mistakes.
type traceReader struct {
	path     string
	csv      *csv.Reader
	time     int // column
	rate     int
	trace    Trace
	mistakes []error
}

func parseTrace(path string, text io.Reader) (Trace, error) {
	r := &traceReader{path: path, csv: csv.NewReader(text)}
	r.csv.ReuseRecord, r.csv.TrimLeadingSpace, r.csv.Comment = true, true, '#'
	r.csv.FieldsPerRecord = -1
	if r.header() {
		for len(r.mistakes) < maxMistakes && r.sample() {
		}
		r.whole()
	}
	if len(r.mistakes) > 0 {
		return Trace{}, errors.Join(r.mistakes...)
	}
	return r.trace, nil
}

// wrong notes a mistake in a line, counted from 1.
func (r *traceReader) wrong(line int, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s:%d: %s", r.path, line, fmt.Sprintf(format, args...)))
}

func (r *traceReader) header() bool {
	names, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		r.wrong(1, "the file is empty; %s", traceForm)
		return false
	}
	if err != nil {
		r.unreadable(err)
		return false
	}
	r.time, r.rate = slices.Index(names, timeColumn), slices.Index(names, rateColumn)
	if r.time < 0 || r.rate < 0 {
		line, _ := r.csv.FieldPos(0)
		r.wrong(line, "the header is %.80q; %s", strings.Join(names, ","), traceForm)
		return false
	}
	return true
}

// sample reads a line and tells whether there may be another.
func (r *traceReader) sample() bool {
	fields, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		r.unreadable(err)
		return false
	}
	line, _ := r.csv.FieldPos(0)
	if len(fields) <= max(r.time, r.rate) {
		r.wrong(line, "it has %d columns, fewer than the header names; complete the line or remove it", len(fields))
		return true
	}
	seconds, timeGood := r.number(line, timeColumn, fields[r.time])
	rate, rateGood := r.number(line, rateColumn, fields[r.rate])
	if n := len(r.trace.Seconds); timeGood && n > 0 && seconds <= r.trace.Seconds[n-1] {
		r.wrong(line, "%s is %g after %g; sort the lines by time and keep one of each", timeColumn, seconds, r.trace.Seconds[n-1])
		timeGood = false
	}
	if rateGood && rate < 0 {
		r.wrong(line, "%s is %g; a rate can't be less than 0", rateColumn, rate)
		rateGood = false
	}
	if timeGood && rateGood {
		r.trace.Seconds, r.trace.Rates = append(r.trace.Seconds, seconds), append(r.trace.Rates, rate)
	}
	return true
}

func (r *traceReader) number(line int, column, text string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		r.wrong(line, "%s is %.40q; write a number such as 12.5, or remove the line", column, text)
		return 0, false
	}
	return v, true
}

func (r *traceReader) unreadable(err error) {
	line := 1
	if at := (*csv.ParseError)(nil); errors.As(err, &at) {
		line, err = at.Line, at.Err
	}
	r.wrong(line, "%v; %s", err, traceForm)
}

// whole checks what no single line shows.
func (r *traceReader) whole() {
	if len(r.mistakes) > 0 {
		return
	}
	line, _ := r.csv.FieldPos(0)
	switch {
	case len(r.trace.Seconds) < 2:
		r.wrong(line, "the trace has %d samples; it needs at least 2", len(r.trace.Seconds))
	case slices.Max(r.trace.Rates) == 0:
		r.wrong(line, "every %s is 0; there is no load to replay", rateColumn)
	}
}

// span is the time that the trace covers: its last sample holds for as long as
// the one before.
func (t Trace) span() float64 {
	last := len(t.Seconds) - 1
	return t.Seconds[last] - t.Seconds[0] + t.Seconds[last] - t.Seconds[last-1]
}

// Span is the time that the trace covers.
func (t Trace) Span() time.Duration {
	return time.Duration(t.span() * float64(time.Second))
}

// Bins are the means of n equal parts of the trace.
func (t Trace) Bins(n int) []float64 {
	means, width := make([]float64, n), t.span()/float64(n)
	for i, rate := range t.Rates {
		from, to := t.Seconds[i]-t.Seconds[0], t.span()
		if i+1 < len(t.Seconds) {
			to = t.Seconds[i+1] - t.Seconds[0]
		}
		for bin := int(from / width); bin < n && float64(bin)*width < to; bin++ {
			covered := min(to, float64(bin+1)*width) - max(from, float64(bin)*width)
			means[bin] += rate * max(0, covered) / width
		}
	}
	return means
}
