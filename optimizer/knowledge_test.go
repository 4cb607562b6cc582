package optimizer

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func micadoConfig() Config {
	c := Default()
	c.Inputs = micadoInputs
	c.Targets = []Target{{Name: "AVG_LAT_05", Max: limit(1e6)}}
	return c
}

func TestOriginalCSVFilesImportAsTheyAre(t *testing.T) {
	for _, tt := range []struct {
		file           string
		added, skipped int
	}{
		{"mta.csv", 3327, 0},
		{"hosszu.csv", 2273, 0},
		{"grafana.csv", 782, 5}, // five rows without vm_number, all at one instant
	} {
		t.Run(tt.file, func(t *testing.T) {
			f, err := os.Open(shared(t, "optimizer-data", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			o := newOptimizer(t, micadoConfig())
			done, err := o.ImportCSV(f)
			if err != nil || done.Added != tt.added || done.Skipped != tt.skipped || o.Samples() != tt.added {
				t.Errorf("ImportCSV() = %+v, %v; %d kept; want %d and %d", done, err, o.Samples(), tt.added, tt.skipped)
			}
		})
	}
}

const semicolons = "sep=;\n" +
	"Time;load;Worker count;avg latency (quantile 0.5);avg latency (quantile 0.9);WORK\n" +
	"2019-08-12T13:55:00.000Z;1.5;2;100;200;7\n" +
	"2019-08-12T13:56:00.000Z;null;3;null;;8\n" +
	"2019-08-12T13:57:00.000Z;2;null;1;1;1\n"

func TestSemicolonVariantImports(t *testing.T) {
	c := testConfig()
	c.Targets[0].Name = "AVG_LAT_05"
	o := newOptimizer(t, c)
	done, err := o.ImportCSV(strings.NewReader(semicolons))
	if err != nil || done.Added != 2 || done.Skipped != 1 || !strings.Contains(done.Reasons[0], `line 4: vm_number is "null"`) {
		// encoding/csv counts from the line after `sep=;`
		t.Fatalf("ImportCSV() = %+v, %v", done, err)
	}
	r := o.known.row(0)
	if !r.time().Equal(time.Date(2019, 8, 12, 13, 55, 0, 0, time.UTC)) || r.nodes != 2 || r.values[0] != 1.5 || r.values[1] != 7 || r.values[2] != 100 {
		t.Errorf("first row %+v", r)
	}
	if r := o.known.row(1); !math.IsNaN(r.values[0]) || !math.IsNaN(r.values[2]) {
		t.Errorf("null and empty are %v, want no value", r.values)
	}
}

func TestImportNamesWhatTheFileLacks(t *testing.T) {
	o := newOptimizer(t, testConfig())
	_, err := o.ImportCSV(strings.NewReader("timestamp,load,latency\n1,2,3\n"))
	if err == nil || !strings.Contains(err.Error(), "no value for vm_number, work") || o.Samples() != 0 {
		t.Errorf("ImportCSV() = %v, %d kept", err, o.Samples())
	}
	_, err = o.ImportJSON(strings.NewReader(`{"inputs":["load"],"targets":["latency"],"samples":[]}`))
	if err == nil || !strings.Contains(err.Error(), "work") {
		t.Errorf("ImportJSON() = %v", err)
	}
}

func TestKnowledgeSurvivesExportAndImport(t *testing.T) {
	a := newOptimizer(t, testConfig())
	if err := staircase(a, 350, 1); err != nil {
		t.Fatal(err)
	}
	gap := step(350, 4, math.NaN(), 2, 3)
	gap.Total = 6
	if err := a.Add(gap); err != nil {
		t.Fatal(err)
	}
	var csv, json bytes.Buffer
	if err := a.ExportCSV(&csv); err != nil {
		t.Fatal(err)
	}
	if err := a.ExportJSON(&json); err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(csv.String(), "\n"); head != "timestamp,load,work,vm_number,latency" {
		t.Errorf("header %q", head)
	}
	for name, read := range map[string]func(*Optimizer) (Imported, error){
		"CSV":  func(o *Optimizer) (Imported, error) { return o.ImportCSV(&csv) },
		"JSON": func(o *Optimizer) (Imported, error) { return o.ImportJSON(&json) },
	} {
		b := newOptimizer(t, testConfig())
		if done, err := read(b); err != nil || done.Added != 351 {
			t.Fatalf("%s: %+v, %v", name, done, err)
		}
		for i := range 351 {
			ra, rb := a.known.row(i), b.known.row(i)
			same := ra.at == rb.at && ra.nodes == rb.nodes && (name == "CSV" || ra.total == rb.total)
			for j, v := range ra.values {
				same = same && (v == rb.values[j] || math.IsNaN(v) && math.IsNaN(rb.values[j]))
			}
			if !same {
				t.Fatalf("%s: row %d is %+v, was %+v", name, i, rb, ra)
			}
		}
	}
}

func TestImportOfOlderSamplesGoesBetween(t *testing.T) {
	whole, late := newOptimizer(t, testConfig()), newOptimizer(t, testConfig())
	if err := staircase(whole, 100, 1); err != nil {
		t.Fatal(err)
	}
	var csv bytes.Buffer
	if err := whole.ExportCSV(&csv); err != nil {
		t.Fatal(err)
	}
	for i := range 5 { // of the same instants as the file's, and after
		if err := late.Add(step(98+i, 3, 1, 2, 3)); err != nil {
			t.Fatal(err)
		}
	}
	done, err := late.ImportCSV(&csv)
	if err != nil || done.Added != 98 || late.Samples() != 103 {
		t.Errorf("ImportCSV() = %+v, %v; %d kept, want 98 and 103", done, err, late.Samples())
	}
	if got := late.known.row(98).values[1]; got != 2 {
		t.Errorf("the sample known before became %v", got)
	}
}

func TestHundredThousandSamplesFit(t *testing.T) {
	if testing.Short() {
		t.Skip("fills memory")
	}
	o := newOptimizer(t, micadoConfig())
	fill(t, o, 120_000)
	if n := o.Samples(); n > 100_000 {
		t.Errorf("%d samples kept", n)
	}
}
