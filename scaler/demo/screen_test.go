package demo

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

// sample is a view with everything that can be long.
func sample() view {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	v := view{
		application: "shop", at: 70 * time.Second, length: 140 * time.Second, start: start,
		source: strings.Repeat("a very long description of the load ", 5), moment: "spike", limit: 500 * time.Millisecond,
		problem: "base: apply: terraform: it does not work\nand says why in many lines",
	}
	for i := range 30 {
		v.decisions = append(v.decisions, scaler.Decision{
			ID: int64(100 - i), Group: "web", From: 5, To: 7, At: start.Add(time.Duration(70-i) * time.Second),
			Reasons: []string{"target: " + strings.Repeat("why ", 30)},
		})
	}
	history := make([]float64, historyParts)
	v.groups = []groupView{
		{
			name: "web", rate: 196, p50: 440 * time.Millisecond, p95: 798 * time.Millisecond, load: history, nodes: history,
			status: scaler.GroupStatus{Ready: 4, Booting: 2, Creating: 1, Draining: 1, Lost: 1, Wanted: 7, Min: 1, Max: 8},
		},
		{
			name: "a-group-with-a-name-of-forty-characters", rate: 12345, p50: never, p95: never, load: history, nodes: history,
			status: scaler.GroupStatus{Ready: 900, Creating: 50, Wanted: 1000, Min: 1, Max: 1000},
		},
	}
	return v
}

func text(rows []row, width int) []string {
	var lines []string
	for _, r := range rows {
		var out strings.Builder
		r.write(&out, width, false)
		lines = append(lines, out.String())
	}
	return lines
}

func TestNothingWrapsAndNothingScrolls(t *testing.T) {
	for _, size := range []struct{ columns, rows int }{{80, 24}, {40, 10}, {200, 60}, {3, 2}, {1, 1}} {
		t.Run(fmt.Sprintf("%dx%d", size.columns, size.rows), func(t *testing.T) {
			lines := text(draw(sample(), size.columns, size.rows-1), size.columns)
			if len(lines) > max(1, size.rows-1) {
				t.Errorf("%d lines, want at most %d", len(lines), size.rows-1)
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > size.columns {
					t.Errorf("%d columns of %d: %q", n, size.columns, line)
				}
			}
		})
	}
}

func TestTheScreenShowsWhatMatters(t *testing.T) {
	lines := strings.Join(text(draw(sample(), 80, 23), 80), "\n")
	for _, want := range []string{
		"shop  1:10 of 2:20", "spike", "196 req/s   p50 440ms   p95 798ms, over the limit of 500ms",
		"████▒▒▒·  4 ready, 3 booting, 1 leaving, 1 lost; 7 wanted of 1..8",
		"p95 failed", "problem: base: apply: terraform: it does not work", " 1:10  web 5 -> 7  target: why",
		"Ctrl-C stops everything",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("the screen lacks %q:\n%s", want, lines)
		}
	}
}

// shown is what a terminal of that width has on its screen after the output.
func shown(t *testing.T, output string) []string {
	t.Helper()
	lines := []string{""}
	at := 0
	for len(output) > 0 {
		var n int
		switch {
		case strings.HasPrefix(output, "\x1b[?25"): // the cursor
			output = output[len("\x1b[?25l"):]
		case strings.HasPrefix(output, "\x1b[K"):
			output = output[len("\x1b[K"):]
		case strings.HasPrefix(output, "\x1b[J"):
			lines, output = append(lines[:at], ""), output[len("\x1b[J"):]
		case strings.HasPrefix(output, "\r"):
			output = output[1:]
		case strings.HasPrefix(output, "\n"):
			at, output = at+1, output[1:]
			if at == len(lines) {
				lines = append(lines, "")
			}
		case strings.HasPrefix(output, "\x1b["):
			if _, err := fmt.Sscanf(output, "\x1b[%dA", &n); err != nil {
				t.Fatalf("unknown sequence %.10q", output)
			}
			at, output = at-n, output[strings.Index(output, "A")+1:]
		default:
			end := strings.IndexAny(output, "\x1b\r\n")
			lines[at], output = output[:end], output[end:]
		}
	}
	return lines
}

func TestFramesReplaceEachOtherAndMakeWay(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, size: func() (int, int) { return 80, 24 }}
	s.say("starting")
	v := sample()
	s.show(v)
	v.decisions, v.problem, v.at = nil, "", 71*time.Second
	s.show(v)
	lines := shown(t, out.String())
	if lines[0] != "starting" || !strings.Contains(lines[1], "1:11 of 2:20") || strings.Contains(strings.Join(lines, "\n"), "why") {
		t.Errorf("after two frames the screen shows\n%s", strings.Join(lines, "\n"))
	}
	s.say("stopping")
	s.close()
	if lines := shown(t, out.String()); strings.Join(lines, "|") != "starting|stopping|" {
		t.Errorf("in the end the screen shows %q, want what was said", lines)
	}
	if !strings.HasSuffix(out.String(), "\x1b[?25h") {
		t.Error("the cursor stays hidden")
	}
}

func TestColorsAreOnlyThereWhereAllowed(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		var out bytes.Buffer
		s := &screen{out: &out, size: func() (int, int) { return 80, 24 }, color: allowed}
		s.show(sample())
		if got := strings.Contains(out.String(), "\x1b[31m"); got != allowed {
			t.Errorf("red is there: %t, want %t", got, allowed)
		}
	}
}

func TestTheLogTellsEachDecisionOnceAndNotEverySecond(t *testing.T) {
	var out bytes.Buffer
	l := &log{out: &out}
	v := sample()
	v.decisions = v.decisions[:2]
	v.decisions[1].To = v.decisions[1].From // a hold, not a change
	for range 20 {
		l.show(v)
		v.at += 500 * time.Millisecond // 10 s in all
	}
	for want, times := range map[string]int{
		"Load for 2m20s on shop": 1, "web 5 -> 7  target: why": 1, "web: 196 req/s": 2,
		"problem: base: apply": 1, "p95 798ms, over 500ms; 4 ready": 2,
	} {
		if got := strings.Count(out.String(), want); got != times {
			t.Errorf("%q is there %d times, want %d:\n%s", want, got, times, out.String())
		}
	}
}

func TestTheReasonIsThatOfThePolicyThatWon(t *testing.T) {
	d := scaler.Decision{
		From: 3, To: 5, Group: "web", Reasons: []string{"target: no change", "latency: above", "max_step_out: ..."},
		Proposals: []policy.Proposal{
			{Policy: "target", Nodes: 3, Reason: "no change"},
			{Policy: "latency", Nodes: 5, Reason: "above"},
			{Policy: "rule", Nodes: 9, Hold: true, Reason: "not known"},
		},
	}
	if got := why(d); got != "latency: above" {
		t.Errorf("why() = %q, want the reason of the largest proposal", got)
	}
	d.To = 2
	if got := why(d); got != "max_step_out: ..." {
		t.Errorf("why() = %q of fewer nodes, want the reason that came last", got)
	}
	d.To, d.Proposals = 5, nil
	if got := why(d); got != "target: no change" {
		t.Errorf("why() = %q, want the first reason where no policy proposed", got)
	}
}
