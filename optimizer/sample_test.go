package optimizer

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAddRefusesAndStoresNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Sample)
		want   error
	}{
		{"a clock that goes back", func(s *Sample) { s.At = s.At.Add(-time.Minute) }, ErrClockBack},
		{"the same instant again", func(s *Sample) { s.At = start }, ErrDuplicate},
		{"negative nodes", func(s *Sample) { s.Nodes = -1 }, ErrNodes},
		{"more ready than exist", func(s *Sample) { s.Nodes, s.Total = 5, 4 }, ErrNodes},
		{"a wild number of nodes", func(s *Sample) { s.Nodes, s.Total = math.MaxInt, 0 }, ErrNodes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOptimizer(t, testConfig())
			if err := o.Add(step(0, 4, 1, 1, 1)); err != nil {
				t.Fatal(err)
			}
			s := step(1, 4, 1, 1, 1)
			tt.change(&s)
			if err := o.Add(s); !errors.Is(err, tt.want) || o.Samples() != 1 {
				t.Errorf("Add() = %v with %d samples kept, want %v and 1", err, o.Samples(), tt.want)
			}
		})
	}
}

func TestAddListsNames(t *testing.T) {
	o := newOptimizer(t, testConfig())
	s := step(0, 4, 1, 1, 1)
	delete(s.Values, "work")
	delete(s.Values, "load")
	s.Values["wrok"] = 1
	err := o.Add(s)
	var names *NamesError
	if !errors.As(err, &names) || !slices.Equal(names.Missing, []string{"load", "work"}) || !slices.Equal(names.Unknown, []string{"wrok"}) {
		t.Fatalf("Add() = %v", err)
	}
	if !strings.Contains(err.Error(), "no value for load, work") || !strings.Contains(err.Error(), "unknown metrics wrok") || o.Samples() != 0 {
		t.Errorf("%v; %d samples kept", err, o.Samples())
	}
}

func TestKnowledgeIsBoundedRecentAndNovel(t *testing.T) {
	c := testConfig()
	c.Retain = Retention{Recent: 200, Older: 100}
	o := newOptimizer(t, c)
	for i := range 5000 {
		load := 10.0
		if i == 1000 { // one sample unlike all others
			load = 4000
		}
		if err := o.Add(step(i, 3, load, 1+float64(i%3), 5)); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.Samples(); n > 300 {
		t.Errorf("%d samples kept, at most 300 allowed", n)
	}
	found := false
	for i := range o.known.len() {
		r := o.known.row(i)
		found = found || r.values[0] == 4000
		if at := (r.at - start.UnixNano()) / 15e9; i >= o.known.len()-200 && at != int64(5000-(o.known.len()-i)) {
			t.Fatalf("recent sample %d is of step %d", i, at)
		}
	}
	if !found {
		t.Error("the novel sample was thinned away")
	}
}
