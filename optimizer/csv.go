package optimizer

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The columns of the original Optimizer's nn_training_data.csv beside the metrics.
const (
	timestampColumn = "timestamp"
	nodesColumn     = "vm_number"
)

var reservedColumns = []string{timestampColumn, nodesColumn}

// ExportCSV writes the knowledge in the original Optimizer's layout: timestamp (seconds
// since 1970), the inputs, vm_number, the targets; null where there is no value. The
// layout has no place for Sample.Total: use ExportJSON to keep it.
func (o *Optimizer) ExportCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	in := o.cols.inputs
	header := append([]string{timestampColumn}, o.cols.names[:in]...)
	header = append(append(header, nodesColumn), o.cols.names[in:]...)
	if err := out.Write(header); err != nil {
		return fmt.Errorf("export knowledge: %w", err)
	}
	record := make([]string, 0, len(header))
	for i := range o.known.len() {
		r := o.known.row(i)
		record = append(record[:0], formatSeconds(r.at))
		for j, v := range r.values {
			if j == in {
				record = append(record, strconv.Itoa(r.nodes))
			}
			record = append(record, formatValue(v))
		}
		if err := out.Write(record); err != nil {
			return fmt.Errorf("export knowledge: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

func formatSeconds(ns int64) string {
	s, frac := ns/int64(time.Second), ns%int64(time.Second)
	if frac == 0 {
		return strconv.FormatInt(s, 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%09d", s, frac), "0")
}

func formatValue(v float64) string {
	if math.IsNaN(v) {
		return "null"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Imported says what an import did.
type Imported struct {
	Added   int      `json:"added"`
	Skipped int      `json:"skipped"` // rows that can't be a sample
	Reasons []string `json:"reasons"` // of the first few skipped
}

func (i *Imported) skip(line int, reason string) {
	i.Skipped++
	if len(i.Reasons) < 5 {
		i.Reasons = append(i.Reasons, fmt.Sprintf("line %d: %s", line, reason))
	}
}

// ImportCSV adds samples from a file in the original Optimizer's layout, also in its
// semicolon variant (`sep=;`, ISO times, names with blanks). Columns are found by name;
// columns that are no metric of this configuration are left out. Where timestamps do not
// increase, as in files whose times were lost, samples are spaced by the interval hint
// or a minute. Samples of other instants that are known already stay; models are derived
// anew. The file is read whole before anything is changed.
func (o *Optimizer) ImportCSV(r io.Reader) (Imported, error) {
	var done Imported
	in, err := openCSV(r)
	if err != nil {
		return done, fmt.Errorf("import knowledge: %w", err)
	}
	header, err := in.Read()
	if err != nil {
		return done, fmt.Errorf("import knowledge: read the header: %w", err)
	}
	layout, err := o.cols.locate(header)
	if err != nil {
		return done, fmt.Errorf("import knowledge: %w", err)
	}
	var rows []row
	times := rowTimes{step: o.cfg.Interval}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := in.FieldPos(0)
		if err != nil {
			return done, fmt.Errorf("import knowledge: %w", err)
		}
		parsed, reason := layout.parse(record)
		if reason != "" {
			done.skip(line, reason)
			continue
		}
		parsed.at = times.next(parsed.at)
		rows = append(rows, parsed)
	}
	done.Added, err = o.merge(rows)
	return done, err
}

func openCSV(r io.Reader) (*csv.Reader, error) {
	buf := bufio.NewReader(r)
	if bom, _ := buf.Peek(3); string(bom) == "\ufeff" {
		_, _ = buf.Discard(3)
	}
	comma := ','
	first, err := buf.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	line, _, _ := strings.Cut(string(first), "\n")
	if sep, ok := strings.CutPrefix(strings.TrimSpace(line), "sep="); ok && len(sep) == 1 {
		comma = rune(sep[0])
		if _, err := buf.ReadString('\n'); err != nil {
			return nil, err
		}
	} else if strings.Count(line, ";") > strings.Count(line, ",") {
		comma = ';'
	}
	in := csv.NewReader(buf)
	in.Comma = comma
	in.FieldsPerRecord = -1
	in.LazyQuotes = true
	in.ReuseRecord = true
	return in, nil
}

// layout says in which field of a record each thing is.
type layout struct {
	time, nodes int // -1: none
	values      []int
}

// aliases are the names of the original's own semicolon exports.
var aliases = map[string]string{
	"workercount": "vmnumber", "time": "timestamp",
	"avglatencyquantile05": "avglat05", "avglatencyquantile09": "avglat09",
}

// plain is a name without case, blanks and signs, so that "AVG RR" is AVG_RR.
func plain(name string) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	if a, ok := aliases[s]; ok {
		return a
	}
	return s
}

func (c columns) locate(header []string) (layout, error) {
	find := func(name string) int {
		for i, h := range header {
			if strings.TrimSpace(h) == name {
				return i
			}
		}
		for i, h := range header {
			if plain(h) == plain(name) {
				return i
			}
		}
		return -1
	}
	l := layout{time: find(timestampColumn), nodes: find(nodesColumn)}
	missing := &NamesError{}
	if l.nodes < 0 {
		missing.Missing = append(missing.Missing, nodesColumn)
	}
	for _, name := range c.names {
		at := find(name)
		if at < 0 {
			missing.Missing = append(missing.Missing, name)
		}
		l.values = append(l.values, at)
	}
	if len(missing.Missing) > 0 {
		return l, missing
	}
	return l, nil
}

// parse returns a record's row, or why it can't be one.
func (l layout) parse(record []string) (r row, reason string) {
	field := func(i int) string {
		if i < 0 || i >= len(record) {
			return ""
		}
		return strings.TrimSpace(record[i])
	}
	nodes, err := strconv.ParseFloat(field(l.nodes), 64)
	if err != nil || nodes != math.Trunc(nodes) || nodes < 0 || nodes > maxNodes {
		return r, fmt.Sprintf("vm_number is %q", field(l.nodes))
	}
	r.nodes = int(nodes)
	r.at = parseTime(field(l.time))
	for _, at := range l.values {
		v, err := strconv.ParseFloat(field(at), 64)
		if err != nil || math.IsInf(v, 0) || math.Abs(v) > largestValue {
			if s := field(at); s != "" && s != "null" && err != nil && !strings.EqualFold(s, "nan") {
				return r, fmt.Sprintf("%q is no number", s)
			}
			v = math.NaN()
		}
		r.values = append(r.values, v)
	}
	return r, ""
}

// parseTime returns nanoseconds since 1970, or 0 where there is no time.
func parseTime(s string) int64 {
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > 0 && f < 9e9 {
		whole := math.Floor(f)
		return int64(whole)*int64(time.Second) + int64(math.Round((f-whole)*1e6))*1e3
	}
	for _, format := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(format, s); err == nil {
			return t.UnixNano()
		}
	}
	return 0
}

// rowTimes makes times increase.
type rowTimes struct {
	step time.Duration
	last int64
}

func (t *rowTimes) next(at int64) int64 {
	step := t.step
	if step <= 0 {
		step = time.Minute
	}
	if at <= t.last {
		at = t.last + int64(step)
	}
	t.last = at
	return at
}
