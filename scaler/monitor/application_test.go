package monitor

import (
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

func TestEmbeddedNewTargetIsScrapedWithinAnInterval(t *testing.T) {
	// Without its own reload interval the scrape manager takes new targets every
	// 5 s; what is less than that is the machine's other work.
	const every, busy = 500 * time.Millisecond, 3 * time.Second
	a := openEmbedded(t, t.TempDir()).Application("shop", every)
	var targets []scaler.Target
	for round := range 3 {
		p := newPage(t, "cpu_ratio 1\n")
		targets = append(targets, p.target(nil))
		began := time.Now()
		watch(t, a, targets...)
		eventually(t, "the new target is scraped", func() bool { return p.count() > 0 })
		if took := time.Since(began); took > every+busy {
			t.Errorf("round %d: first scrape after %s, want at most about %s", round, took, every)
		}
	}
}

func TestEmbeddedUnchangedWatchCostsNothing(t *testing.T) {
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	p := newPage(t, "cpu_ratio 1\n")
	targets := []scaler.Target{p.target(map[string]string{"node": "a"}), p.target(map[string]string{"node": "b"})}
	watch(t, a, targets...)
	if got := testing.AllocsPerRun(100, func() { _ = a.Watch(targets) }); got != 0 {
		t.Errorf("an unchanged Watch allocates %v times, want 0", got)
	}
}

func TestEmbeddedWatchKeepsItsOwnCopy(t *testing.T) {
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	targets := []scaler.Target{newPage(t, "cpu_ratio 1\n").target(map[string]string{"node": "a"})}
	watch(t, a, targets...)
	awaitValue(t, a, `up{node="a"}`, equals(1))
	targets[0].Labels["node"] = "b"
	watch(t, a, targets...)
	awaitValue(t, a, `up{node="b"}`, equals(1))
}

func TestEmbeddedWatchNamesBadTargetsAndScrapesTheOthers(t *testing.T) {
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	good := newPage(t, "cpu_ratio 1\n").target(nil)
	targets := []scaler.Target{{Job: "db", Address: "http://10.0.0.1:9100/"}, good, {Job: "cache"}}
	for _, when := range []string{"first", "unchanged"} {
		err := a.Watch(targets)
		if err == nil || !strings.Contains(err.Error(), `"http://10.0.0.1:9100/" of job "db"`) || !strings.Contains(err.Error(), `of job "cache": no address`) {
			t.Errorf("%s Watch() = %v, want both bad targets named", when, err)
		}
	}
	awaitValue(t, a, "sum(up)", equals(1))
}

func TestEmbeddedApplicationClose(t *testing.T) {
	e := openEmbedded(t, t.TempDir())
	p, other := newPage(t, "cpu_ratio 1\n"), newPage(t, "cpu_ratio 1\n")
	a, b := e.Application("shop", interval), e.Application("bank", interval)
	watch(t, a, p.target(nil))
	watch(t, b, other.target(nil))
	awaitValue(t, a, "cpu_ratio", equals(1))

	for range 2 {
		if err := a.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}
	if r := a.Query(t.Context(), "cpu_ratio", time.Now()); r.Missing != policy.Unreachable {
		t.Errorf("Query() after Close() = %+v, want unreachable", r)
	}
	if err := a.Watch(nil); err == nil {
		t.Error("Watch() after Close() = nil, want an error")
	}
	awaitMissing(t, e.Application("shop", interval), "cpu_ratio", policy.Stale)
	awaitValue(t, b, "cpu_ratio", equals(1))
}
