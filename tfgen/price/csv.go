package price

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// columns are those of a CSV price list; the first three columns must be there.
var columns = []string{"cloud", "offering", "per_hour", "region", "spot", "currency"}

// table reads a CSV price list.
type table struct {
	file     string
	header   []string
	list     *List
	places   []strictyaml.Mistake
	mistakes strictyaml.Mistakes
}

func parseCSV(file string, text []byte) (*List, error) {
	t := &table{file: file, list: &List{}}
	r := csv.NewReader(bytes.NewReader(text))
	r.TrimLeadingSpace = true
	r.Comment = '#'
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			t.mistake(wrong.Line, max(wrong.Column, 1), "", wrong.Err.Error(), "mend the line")
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read price list %s: %w", file, err)
		}
		if t.header == nil {
			t.columns(record)
			continue
		}
		t.row(r, record)
	}
	if t.header == nil && len(t.mistakes) == 0 {
		t.mistake(1, 1, "", "is empty", "write a line with "+strings.Join(columns[:3], ", ")+", and offerings below it")
	}
	if len(t.mistakes) > 0 {
		return nil, t.mistakes
	}
	if t.list.Currency == "" {
		t.list.Currency = "USD"
	}
	return t.list, twice(t.list, t.places)
}

func (t *table) mistake(line, column int, path, what, fix string) {
	t.mistakes = append(t.mistakes, strictyaml.Mistake{File: t.file, Line: line, Column: column, Path: path, What: what, Fix: fix})
}

// columns reads the first line.
func (t *table) columns(record []string) {
	t.header = record
	for i, name := range record {
		record[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, record[i]) {
			t.mistake(1, 1, record[i], "is no column of a price list", "use "+strings.Join(columns, ", "))
		}
	}
	for _, name := range columns[:3] {
		if !slices.Contains(record, name) {
			t.mistake(1, 1, "", "has no column "+name, "add it")
		}
	}
}

func (t *table) row(r *csv.Reader, record []string) {
	var o Offering
	line, _ := r.FieldPos(0)
	t.places = append(t.places, strictyaml.Mistake{File: t.file, Line: line, Column: 1})
	for i, name := range t.header {
		value := strings.TrimSpace(record[i])
		_, column := r.FieldPos(i)
		wrong := func(what, fix string) { t.mistake(line, column, name, fmt.Sprintf("is %q, %s", value, what), fix) }
		var err error
		switch name {
		case "cloud":
			if o.Cloud = spec.Cloud(value); !slices.Contains(spec.Clouds, o.Cloud) || o.Cloud == spec.CloudLocal {
				wrong("which is no cloud", "use ec2, openstack, azure or module")
			}
		case "offering":
			if o.Name = value; value == "" {
				wrong("which is no offering", "write an instance type, flavor or size")
			}
		case "region":
			o.Region = value
		case "per_hour":
			if o.PerHour, err = strconv.ParseFloat(value, 64); err != nil || o.PerHour < 0 || math.IsInf(o.PerHour, 0) || math.IsNaN(o.PerHour) {
				wrong("which is no price", "write a number, 0 or more")
			}
		case "spot":
			if o.Spot, err = strconv.ParseBool(value); err != nil && value != "" {
				wrong("which is neither true nor false", "write true or false")
			}
		case "currency":
			if t.list.Currency == "" {
				t.list.Currency = value
			}
			if value != t.list.Currency {
				wrong("and prices above are in "+t.list.Currency, "write all prices in one currency")
			}
		}
	}
	t.list.Offerings = append(t.list.Offerings, o)
}
