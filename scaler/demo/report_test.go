package demo

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/scalerd/scalerd/scaler"
)

func TestTheReportAddsUpAndFitsTheScreen(t *testing.T) {
	p, err := newPlan(Options{
		File: "shop.yaml", Text: example(t), Duration: 120 * time.Second, Limit: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range p.parts {
		// 10 requests/s, of which those of the last 12 s are slow in the first group.
		for tenth := range 1200 {
			at, took := time.Duration(tenth)*100*ms, 50*ms
			if i == 0 && at >= 108*s {
				took = 2 * s
			}
			part.record.request(at, at+took, i == 1 && tenth == 0)
		}
		part.record.size(0, scaler.GroupStatus{Ready: 2})
		part.record.size(60*s, scaler.GroupStatus{Ready: 4})
	}
	var out bytes.Buffer
	report(&out, p, 120*time.Second)
	for _, want := range []string{
		"application shop under load for 2m0s",
		"web: 1 to 8 nodes; limit: 95 % of requests within 500ms",
		"  0:00 - 0:10       10.0     50ms     50ms    0 %    2.0  ████\n",
		"  1:50 - 2:00       10.0     2.0s     2.0s  100 %    4.0  ████████\n",
		"1200 requests, 0 failed, p95 2.0s; over the limit for 10 % of the time (12s)",
		"1200 requests, 1 failed, p95 50ms; over the limit for 0 % of the time (0s)",
		// 3/4 of 8 nodes' load needs 6 nodes: 12 node-minutes instead of 6.
		"6.0 node-minutes; a fixed fleet of 6 nodes needs 12.0, which is 100 % more",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestAPlanIsRefusedBeforeAnythingStarts(t *testing.T) {
	good := Options{File: "shop.yaml", Text: example(t), Duration: time.Minute, Limit: 500 * ms}
	for _, test := range []struct {
		name, want string
		change     func(*Options)
	}{
		{"a run too short", "duration: 1s is too short", func(o *Options) { o.Duration = s }},
		{"a limit that no request can keep", "limit: 200ms is too short for group web, whose requests take 100ms", func(o *Options) { o.Limit = 200 * ms }},
		{"a trace that is not there", "read trace: open nowhere.csv", func(o *Options) { o.Trace = "nowhere.csv" }},
		{"a description that is none", "shop.yaml:1", func(o *Options) { o.Text = []byte("shop: yes\n") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := good
			test.change(&o)
			if _, err := newPlan(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("newPlan() = %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestThePeakNeedsMostOfTheFleet(t *testing.T) {
	p, err := newPlan(Options{File: "shop.yaml", Text: example(t), Duration: 140 * s, Limit: 500 * ms})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range p.parts {
		if most := part.group.Max; part.fixed < most*7/10 || part.fixed > most {
			t.Errorf("a fixed fleet of %s has %d nodes, want most of %d", part.group.Name, part.fixed, most)
		}
	}
}
