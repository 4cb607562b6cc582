package scaler

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
	"pgregory.net/rapid"
)

// situation is everything that Decide is given.
type situation struct {
	Seen      policy.Observation
	Proposals []policy.Proposal
	Limits    spec.Scaling
	History   History
}

func (s situation) decide() (Decision, History) {
	return Decide(s.Seen, s.Proposals, s.Limits, s.History)
}

// copied shares nothing with s.
func (s situation) copied() situation {
	c := s
	c.Seen.Nodes = slices.Clone(s.Seen.Nodes)
	c.Proposals = slices.Clone(s.Proposals)
	for i := range c.Proposals {
		c.Proposals[i].Drop = slices.Clone(c.Proposals[i].Drop)
	}
	c.History.Desired = slices.Clone(s.History.Desired)
	c.History.Dropped = slices.Clone(s.History.Dropped)
	c.History.Holding = slices.Clone(s.History.Holding)
	c.History.Turns = slices.Clone(s.History.Turns)
	return c
}

func drawSituation(t *rapid.T) situation {
	seconds := func(label string) spec.Duration {
		return spec.Duration(time.Duration(rapid.IntRange(0, 400).Draw(t, label)) * time.Second)
	}
	least := rapid.IntRange(0, 10).Draw(t, "min")
	s := situation{
		Seen: fleetOf(rapid.IntRange(0, 25).Draw(t, "existing"), rapid.IntRange(0, 25).Draw(t, "wanted")),
		Limits: spec.Scaling{
			CooldownOut: seconds("cooldown_out"), CooldownIn: seconds("cooldown_in"), Stabilisation: seconds("stabilisation"),
			MaxStepOut: rapid.IntRange(0, 5).Draw(t, "max_step_out"), MaxStepIn: rapid.IntRange(0, 5).Draw(t, "max_step_in"),
		},
	}
	s.Seen.Min, s.Seen.Max = least, least+rapid.IntRange(0, 12).Draw(t, "room")
	names := rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 30), func(n int) string { return fmt.Sprintf("web-%04d", n) }), 0, 6)
	for range rapid.IntRange(0, 4).Draw(t, "policies") {
		p := wants(rapid.IntRange(0, 40).Draw(t, "proposed"))
		if rapid.IntRange(0, 3).Draw(t, "drops") == 0 {
			p.Drop = names.Draw(t, "drop")
		}
		p.Hold = rapid.IntRange(0, 5).Draw(t, "holds") == 0
		if p.Hold && rapid.Bool().Draw(t, "holds for want of a metric") {
			p.Missing = policy.Stale
			p.HoldFor = time.Duration(rapid.IntRange(0, 500).Draw(t, "holds for")) * time.Second
		}
		p.Least = rapid.IntRange(0, 20).Draw(t, "least")
		s.Proposals = append(s.Proposals, p)
	}
	if rapid.IntRange(0, 3).Draw(t, "schedule") == 0 {
		p := abstaining()
		if n := rapid.IntRange(0, 30).Draw(t, "schedule's min"); n < 25 {
			p.Min = &n
		}
		if n := rapid.IntRange(0, 30).Draw(t, "schedule's max"); n < 25 {
			p.Max = &n
		}
		s.Proposals = append(s.Proposals, p)
	}
	s.Seen.FailedSteps, s.Seen.Initial = rapid.IntRange(0, 9).Draw(t, "failed"), rapid.IntRange(0, 25).Draw(t, "initial")
	s.Limits.MaxTurns, s.Limits.BreakerAfter, s.Limits.BreakerProbe = rapid.IntRange(0, 3).Draw(t, "most turns"), rapid.IntRange(0, 5).Draw(t, "breaker"), seconds("probe")
	s.Limits.MaxStepOutPercent, s.Limits.MaxStepInPercent = rapid.Float64Range(0, 200).Draw(t, "out percent"), rapid.Float64Range(0, 100).Draw(t, "in percent")
	if rapid.Bool().Draw(t, "victims") {
		s.Limits.Victims = &spec.Victims{
			Order:     rapid.SampledFrom([]spec.VictimOrder{spec.VictimsNewest, spec.VictimsOldest, spec.VictimsLeastBusy, spec.VictimsZoneBalance, spec.VictimsPrice}).Draw(t, "order"),
			Query:     "busy",
			Protected: rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 30), func(n int) string { return fmt.Sprintf("web-%04d", n) }), 0, 6).Draw(t, "protected"),
		}
	}
	for i := range s.Seen.Nodes {
		s.Seen.Nodes[i].Zone = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "zone")
	}
	if rapid.Bool().Draw(t, "costs") {
		c := &policy.Cost{Known: rapid.IntRange(0, 5).Draw(t, "price known") > 0, NodePerHour: rapid.SampledFrom([]float64{0, 0.1, 0.3, 1}).Draw(t, "price"), Currency: "USD"}
		if rapid.Bool().Draw(t, "an hour's budget") {
			c.MaxPerHour = rapid.Float64Range(0.01, 12).Draw(t, "max_per_hour")
		}
		if rapid.Bool().Draw(t, "a month's budget") {
			c.MaxPerMonth = rapid.Float64Range(0.01, 8000).Draw(t, "max_per_month")
			c.Spent = rapid.Float64Range(0, 8000).Draw(t, "spent")
		}
		s.Seen.Cost = c
		for i := range s.Seen.Nodes {
			s.Seen.Nodes[i].PerHour = rapid.SampledFrom([]float64{0, 0.1, 0.3}).Draw(t, "node's price")
		}
	}
	s.History.Turns = []time.Time{secondsAgo(rapid.IntRange(0, 4000).Draw(t, "turned"))}
	s.History.Holding = []Holding{{Policy: "target", Since: secondsAgo(rapid.IntRange(-10, 600).Draw(t, "holding"))}}
	if rapid.Bool().Draw(t, "breaker was open") {
		s.History.Breaker = Breaker{OpenedAt: secondsAgo(900), ProbedAt: secondsAgo(rapid.IntRange(-10, 500).Draw(t, "probed"))}
	}
	if rapid.Bool().Draw(t, "changed before") {
		s.History.LastOut = secondsAgo(rapid.IntRange(-10, 500).Draw(t, "last out"))
		s.History.LastIn = secondsAgo(rapid.IntRange(-10, 500).Draw(t, "last in"))
	}
	ages := rapid.SliceOfN(rapid.IntRange(0, 900), 0, 8).Draw(t, "asked")
	slices.Sort(ages)
	for _, age := range slices.Backward(ages) {
		s.History.Desired = append(s.History.Desired, Desired{At: secondsAgo(age), Nodes: rapid.IntRange(0, 25).Draw(t, "desired")})
	}
	s.History.Dropped = names.Draw(t, "dropped")
	return s
}

// least and most are what schedules and the budget make of min and max.
func (s situation) least() int { return min(s.scheduledLeast(), s.payable()) }

func (s situation) scheduledLeast() int {
	least := s.Seen.Min
	for _, p := range s.Proposals {
		if p.Min != nil {
			least = max(least, min(*p.Min, s.Seen.Max))
		}
	}
	return least
}

func (s situation) most() int {
	most := s.Seen.Max
	for _, p := range s.Proposals {
		if p.Max != nil {
			most = min(most, max(*p.Max, s.Seen.Min))
		}
	}
	return min(max(most, s.scheduledLeast()), s.payable())
}

// payable counts up to the largest size that the budget pays for, from the min of the
// description on.
func (s situation) payable() int {
	c, n := s.Seen.Cost, s.Seen.Min
	if c == nil || c.MaxPerHour == 0 && c.MaxPerMonth == 0 {
		return s.Seen.Max
	}
	if !c.Known {
		return min(max(s.Seen.Wanted, n), s.Seen.Max)
	}
	pays := func(n int) bool {
		perHour := float64(n) * c.NodePerHour
		month := time.Date(s.Seen.Now.Year(), s.Seen.Now.Month()+1, 1, 0, 0, 0, 0, time.UTC).Sub(s.Seen.Now).Hours()
		return perHour == 0 || (c.MaxPerHour == 0 || perHour <= c.MaxPerHour*(1+1e-9)) && (c.MaxPerMonth == 0 || c.Spent+perHour*month <= c.MaxPerMonth*(1+1e-12))
	}
	for n < s.Seen.Max && pays(n+1) {
		n++
	}
	return n
}

// TestDecideAlways checks what holds in every situation.
func TestDecideAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		d, h := s.decide()
		o := s.Seen
		base := min(max(o.Wanted, s.least()), s.most()) // min and max, a schedule's too, apply at once
		if len(d.Drop) > max(0, o.Wanted-d.To) {
			t.Fatalf("Decide() = %d of %d with %d drops, want no more drops than nodes less", d.To, o.Wanted, len(d.Drop))
		}
		if len(slices.Compact(slices.Sorted(slices.Values(d.Drop)))) != len(d.Drop) {
			t.Fatalf("Decide() drops a node twice: %v", d.Drop)
		}
		for _, name := range d.Drop {
			if !hasNode(o, name) {
				t.Fatalf("Decide() drops %s, which does not exist", name)
			}
		}
		if step := s.Limits.MaxStepIn; step > 0 && base-d.To > step && d.To > s.most() {
			t.Fatalf("Decide() = %d of %d, want a step of %d at most", d.To, base, step)
		}
		if step := s.Limits.MaxStepOut; step > 0 && d.To-base > step && d.To > s.least() {
			t.Fatalf("Decide() = %d of %d, want a step of %d at most", d.To, base, step)
		}
		if !slices.IsSortedFunc(h.Desired, func(a, b Desired) int { return a.At.Compare(b.At) }) {
			t.Fatalf("history = %v, want the oldest first", h.Desired)
		}
		if len(d.Reasons) == 0 {
			t.Fatal("Decide() gives no reason")
		}
	})
}

// TestDecideNeverShrinksWhatWasNeededLately runs a group for a while and checks
// that no decision goes below a size that was asked for within the window.
func TestDecideNeverShrinksWhatWasNeededLately(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := time.Duration(rapid.IntRange(0, 120).Draw(t, "window")) * time.Second
		limits := spec.Scaling{Stabilisation: spec.Duration(window)}
		o := fleetOf(0, 5)
		var h History
		type ask struct {
			at time.Time
			n  int
		}
		var asks []ask
		for range rapid.IntRange(1, 60).Draw(t, "ticks") {
			o.Now = o.Now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "tick")) * time.Second)
			n := rapid.IntRange(1, 10).Draw(t, "n")
			asks = append(asks, ask{o.Now, n})
			var d Decision
			d, h = Decide(o, []policy.Proposal{wants(n)}, limits, h)
			for _, a := range asks {
				if a.n > d.To && d.To < d.From && o.Now.Sub(a.at) <= window {
					t.Fatalf("Decide() = %d to %d, %v after %d were needed, want the window of %v kept", d.From, d.To, o.Now.Sub(a.at), a.n, window)
				}
			}
			if d.To < d.From && o.Now.Sub(asks[0].at) < window {
				t.Fatalf("Decide() shrinks %v after the first proposal, want the window of %v covered", o.Now.Sub(asks[0].at), window)
			}
			o.Wanted = d.To
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	limits := spec.Scaling{CooldownIn: spec.Duration(time.Minute), Stabilisation: spec.Duration(5 * time.Minute), MaxStepIn: 1}
	o := fleetOf(8, 8)
	o.Readings = map[string]policy.Reading{"cpu": {Samples: []policy.Sample{{Value: 12}}}}
	h := History{}
	for age := 600; age > 0; age -= 15 {
		h.Desired = append(h.Desired, Desired{At: secondsAgo(age), Nodes: 3})
	}
	proposals := []policy.Proposal{wants(3), wants(2), wants(1), wants(3), drops("web-0002")}
	b.ReportAllocs()
	for b.Loop() {
		if d, _ := Decide(o, proposals, limits, h); d.To != 7 {
			b.Fatalf("Decide() = %d, want 7", d.To)
		}
	}
}
