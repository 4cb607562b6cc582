package trace

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const header = "t_seconds,requests_per_second\n"

func TestMistakesOfATraceAreAnsweredWithTheirLine(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"an empty file", "", []string{":1: the file is empty; the file must be CSV with the header line"}},
		{"no header", "0,1\n60,2\n", []string{`:1: the header is "0,1"; the file must be`}},
		{"another header", "time,rate\n0,1\n", []string{`:1: the header is "time,rate"`}},
		{"only a header", header, []string{":1: the trace has 0 samples; it needs at least 2"}},
		{"one sample", header + "0,1\n", []string{"the trace has 1 samples"}},
		{"a word for a rate", header + "0,1\n60,many\n120,2\n", []string{`:3: requests_per_second is "many"; write a number`}},
		{"no number at all", header + "0,NaN\n60,+Inf\n", []string{`:2: requests_per_second is "NaN"`, `:3: requests_per_second is "+Inf"`}},
		{"a negative rate", header + "0,-1\n60,2\n", []string{":2: requests_per_second is -1; a rate can't be less than 0"}},
		{"time that goes back", header + "0,1\n60,2\n30,1\n", []string{":4: t_seconds is 30 after 60; sort the lines"}},
		{"time that stands still", header + "0,1\n0,2\n", []string{":3: t_seconds is 0 after 0"}},
		{"a line that is too short", header + "0,1\n60\n", []string{":3: it has 1 columns, fewer than the header names"}},
		{"a broken quotation", header + "0,1\n\"60,2\n", []string{`:3: extraneous or missing " in quoted-field`}},
		{"no load", header + "0,0\n60,0\n", []string{"every requests_per_second is 0"}},
		{"several mistakes at once", header + "x,1\n60,-2\n", []string{`:2: t_seconds is "x"`, ":3: requests_per_second is -2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "load.csv")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if err == nil {
				t.Fatal("Read() took the file")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path+":") {
					t.Errorf("Read() = %v, want %q in it after the path", err, want)
				}
			}
		})
	}
}

func TestMistakesOfATraceAreNotToldWithoutEnd(t *testing.T) {
	_, err := parseTrace("load.csv", strings.NewReader(header+strings.Repeat("x,1\n", 1000)))
	if got := strings.Count(err.Error(), "\n") + 1; got != maxMistakes {
		t.Errorf("parseTrace() tells %d mistakes, want %d", got, maxMistakes)
	}
}

func TestATraceMayHaveOtherColumnsAndBeCompressed(t *testing.T) {
	text := "# recorded\nhost, requests_per_second, t_seconds\na, 1, 10\nb, 3, 20\n"
	path := filepath.Join(t.TempDir(), "load.csv.gz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	packed := gzip.NewWriter(file)
	if _, err := packed.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Trace{Seconds: []float64{10, 20}, Rates: []float64{1, 3}}, got); diff != "" {
		t.Errorf("Read() (-want +got):\n%s", diff)
	}
	if got.Span() != 20*time.Second {
		t.Errorf("Span() = %s, want 20s: the last sample lasts as long as the one before", got.Span())
	}
}

func TestBinsAreMeansByTime(t *testing.T) {
	trace := Trace{Seconds: []float64{100, 110, 130, 140}, Rates: []float64{4, 0, 8, 2}} // spans 50 s
	for _, test := range []struct {
		name string
		n    int
		want []float64
	}{
		{"all of it", 1, []float64{(4*10 + 0*20 + 8*10 + 2*10) / 50.0}},
		{"its own samples", 5, []float64{4, 0, 0, 8, 2}},
		{"finer than its samples", 10, []float64{4, 4, 0, 0, 0, 0, 8, 8, 2, 2}},
		{"across its samples", 2, []float64{(4*10 + 0*15) / 25.0, (0*5 + 8*10 + 2*10) / 25.0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, trace.Bins(test.n), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("Bins(%d) (-want +got):\n%s", test.n, diff)
			}
		})
	}
}
