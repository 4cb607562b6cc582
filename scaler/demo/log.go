package demo

import (
	"fmt"
	"io"
	"time"
)

// logEvery is the time between two lines about the same group.
const logEvery = 5 * time.Second

// log is the display where there is no terminal: a line every few seconds, and
// one for each decision.
type log struct {
	out      io.Writer
	next     time.Duration
	decision int64 // the newest one that was written
	problem  string
	headed   bool
}

func (l *log) say(text string) { fmt.Fprintln(l.out, text) }

func (l *log) show(v view) {
	if !l.headed {
		l.headed = true
		fmt.Fprintf(l.out, "Load for %s on %s: %s\n", v.length, v.application, v.source)
	}
	decisions := changes(v.decisions)
	for i := len(decisions) - 1; i >= 0; i-- {
		if d := decisions[i]; d.ID > l.decision {
			l.decision = d.ID
			fmt.Fprintln(l.out, decided(d, v.start))
		}
	}
	if v.problem != l.problem && v.problem != "" {
		fmt.Fprintf(l.out, "%5s  problem: %s\n", clock(v.at), v.problem)
	}
	l.problem = v.problem
	if v.at < l.next {
		return
	}
	l.next = v.at + logEvery
	for _, g := range v.groups {
		verdict := ""
		if g.p95 > v.limit {
			verdict = ", over " + latency(v.limit)
		}
		fmt.Fprintf(l.out, "%5s  %s: %.0f req/s, p50 %s, p95 %s%s; %s\n",
			clock(v.at), g.name, g.rate, latency(g.p50), latency(g.p95), verdict, fleet(g.status))
	}
}

func (l *log) close() {}
