package optimizer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// knowledgeFile is the JSON form of the knowledge.
type knowledgeFile struct {
	Inputs  []string      `json:"inputs"`
	Targets []string      `json:"targets"`
	Samples []sampleEntry `json:"samples"`
}

// sampleEntry is one sample: values of the inputs, then the targets; null: none.
type sampleEntry struct {
	At     time.Time  `json:"at"`
	Nodes  int        `json:"nodes"`
	Total  int        `json:"total,omitempty"`
	Values []*float64 `json:"values"`
}

// ExportJSON writes the knowledge whole, one sample a line.
func (o *Optimizer) ExportJSON(w io.Writer) error {
	out := bufio.NewWriter(w)
	in := o.cols.inputs
	head, err := json.Marshal(struct {
		Inputs  []string `json:"inputs"`
		Targets []string `json:"targets"`
	}{o.cols.names[:in], o.cols.names[in:]})
	if err != nil {
		return fmt.Errorf("export knowledge: %w", err)
	}
	fmt.Fprintf(out, "%s,\"samples\":[", head[:len(head)-1])
	for i := range o.known.len() {
		r := o.known.row(i)
		e := sampleEntry{At: r.time(), Nodes: r.nodes, Total: r.total, Values: make([]*float64, len(r.values))}
		for j, v := range r.values {
			if !math.IsNaN(v) {
				e.Values[j] = &v
			}
		}
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("export knowledge: %w", err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(line)
	}
	out.WriteString("\n]}\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export knowledge: %w", err)
	}
	return nil
}

// ImportJSON adds the samples of an ExportJSON; as with ImportCSV, columns are found by
// name and models are derived anew.
func (o *Optimizer) ImportJSON(r io.Reader) (Imported, error) {
	var done Imported
	var file knowledgeFile
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return done, fmt.Errorf("import knowledge: %w", err)
	}
	names := append(append([]string{}, file.Inputs...), file.Targets...)
	at := map[string]int{}
	for i, n := range names {
		at[n] = i
	}
	missing := &NamesError{}
	for _, n := range o.cols.names {
		if _, ok := at[n]; !ok {
			missing.Missing = append(missing.Missing, n)
		}
	}
	if len(missing.Missing) > 0 {
		return done, fmt.Errorf("import knowledge: %w", missing)
	}
	var rows []row
	for i, e := range file.Samples {
		bad := e.Nodes < 0 || e.Nodes > maxNodes || e.Total < 0 || e.Total > maxNodes || e.Total != 0 && e.Total < e.Nodes
		if bad || len(e.Values) != len(names) || e.At.IsZero() {
			done.skip(i+1, fmt.Sprintf("%d nodes of %d, %d values for %d metrics at %s", e.Nodes, e.Total, len(e.Values), len(names), stamp(e.At)))
			continue
		}
		parsed := row{at: e.At.UnixNano(), nodes: e.Nodes, total: e.Total, values: make([]float64, len(o.cols.names))}
		for j, n := range o.cols.names {
			parsed.values[j] = math.NaN()
			if v := e.Values[at[n]]; v != nil && math.Abs(*v) <= largestValue {
				parsed.values[j] = *v
			}
		}
		rows = append(rows, parsed)
	}
	var err error
	done.Added, err = o.merge(rows)
	return done, err
}
