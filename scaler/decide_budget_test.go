package scaler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestDecideWithinABudget(t *testing.T) {
	costs := func(size int, c policy.Cost) policy.Observation {
		o := fleetOf(size, size)
		o.Now = time.Date(2026, 4, 21, 0, 0, 0, 0, time.UTC) // ten days before May: 240 hours
		c.Known, c.Currency = true, "USD"
		o.Cost = &c
		return o
	}
	unknown := costs(3, policy.Cost{MaxPerHour: 1})
	unknown.Cost.Known = false
	tall := abstaining()
	tall.Policy, tall.Min = "schedule", whole(6)
	dear := fleetOf(4, 4)
	for i, p := range []float64{0.1, 0.4, 0.4, 0.2} {
		dear.Nodes[i].PerHour = p
	}
	for _, test := range []struct {
		name      string
		seen      policy.Observation
		proposals []policy.Proposal
		to        int
		drop      []string
		clamp     string // nothing where no limit is told
	}{
		{"an hour pays for five", costs(3, policy.Cost{NodePerHour: 0.5, MaxPerHour: 2.5}), []policy.Proposal{wants(9)}, 5, nil,
			"budget max_per_hour: 9 nodes are proposed, at most 5 may be: each costs 0.5 an hour, and 2.50 USD is the most"},
		{"to the last cent", costs(3, policy.Cost{NodePerHour: 0.1, MaxPerHour: 0.3}), []policy.Proposal{wants(4)}, 3, nil, "budget max_per_hour:"},
		{"within it nothing is told", costs(3, policy.Cost{NodePerHour: 0.5, MaxPerHour: 2.5, MaxPerMonth: 9000}), []policy.Proposal{wants(5)}, 5, nil, ""},
		{"what is more than it pays for goes at once, also while a policy holds", costs(7, policy.Cost{NodePerHour: 0.5, MaxPerHour: 2.5}), []policy.Proposal{holding()}, 5, nil,
			"budget max_per_hour: 7 nodes are wanted, at most 5 may be"},
		{"the rest of the month pays for four", costs(3, policy.Cost{NodePerHour: 0.5, MaxPerMonth: 900, Spent: 400}), []policy.Proposal{wants(9)}, 4, nil,
			"budget max_per_month: 9 nodes are proposed, at most 4 may be: 400.00 of 900.00 USD are spent, and each costs 120.00 in the 240 hours that are left of the month"},
		{"the tighter of the two counts", costs(3, policy.Cost{NodePerHour: 0.5, MaxPerHour: 2.5, MaxPerMonth: 900, Spent: 400}), []policy.Proposal{wants(9)}, 4, nil, "budget max_per_month:"},
		{"a month that is overspent keeps min", costs(3, policy.Cost{NodePerHour: 0.5, MaxPerMonth: 900, Spent: 950}), []policy.Proposal{wants(9)}, 1, nil,
			"budget max_per_month: it pays for 0, and the group keeps its min of 1: 950.00 of 900.00 USD are spent"},
		{"a schedule's min does not win over the budget", costs(3, policy.Cost{NodePerHour: 0.5, MaxPerHour: 2}), []policy.Proposal{tall}, 4, nil, "budget max_per_hour: 4 wins over schedule min of 6"},
		{"without a price the group does not grow", unknown, []policy.Proposal{wants(9)}, 3, nil, "budget: 9 nodes are proposed, at most 3 may be: nothing says what a node costs"},
		{"without a price it may shrink", unknown, []policy.Proposal{wants(1)}, 1, nil, ""},
		{"without a budget it costs what it will", costs(3, policy.Cost{NodePerHour: 500}), []policy.Proposal{wants(9)}, 9, nil, ""},
		{"the dearest go first, of those the newest", dear, []policy.Proposal{wants(1)}, 1, []string{"web-0003", "web-0002", "web-0004"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			limits := spec.Scaling{}
			if test.drop != nil {
				limits.Victims = &spec.Victims{Order: spec.VictimsPrice}
			}
			got, _ := Decide(test.seen, test.proposals, limits, History{})
			if got.To != test.to {
				t.Errorf("Decide() = %d, want %d: %q", got.To, test.to, got.Reasons)
			}
			if diff := cmp.Diff(test.drop, got.Drop); diff != "" {
				t.Errorf("Drop (-want +got):\n%s", diff)
			}
			if test.clamp == "" && len(got.Clamps) > 0 || !slices.ContainsFunc(append(got.Clamps, ""), func(c string) bool { return strings.HasPrefix(c, test.clamp) }) {
				t.Errorf("Clamps = %q, want one that says %q", got.Clamps, test.clamp)
			}
		})
	}
}

func TestADecisionSaysWhatItCosts(t *testing.T) {
	o := fleetOf(3, 3)
	o.Now = time.Date(2026, 4, 30, 0, 0, 0, 0, time.UTC)
	o.Cost = &policy.Cost{Known: true, NodePerHour: 0.5, Currency: "EUR", Spent: 100, MaxPerMonth: 900}
	got, _ := Decide(o, []policy.Proposal{wants(5)}, spec.Scaling{}, History{})
	want := &CostChange{Cost: Cost{Before: 1.5, After: 2.5, Currency: "EUR"}, PerNode: 0.5, Month: 100, Forecast: 160, MaxPerMonth: 900}
	if diff := cmp.Diff(want, got.Cost); diff != "" {
		t.Errorf("Cost (-want +got):\n%s", diff)
	}
	o.Cost.Known = false
	if got, _ := Decide(o, nil, spec.Scaling{}, History{}); got.Cost != nil {
		t.Errorf("Cost = %+v where no price is known, want none", got.Cost)
	}
}

// TestAMonthStaysWithinItsBudget runs groups through months of wild demand: what they
// cost is never more than the budget, as far as min can be paid, and a tick's worth
// of the nodes that go.
func TestAMonthStaysWithinItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := price.Price{PerHour: rapid.SampledFrom([]float64{0.07, 0.5, 3}).Draw(t, "price"), Currency: "USD"}
		least := node.PerHour * 31 * 24 // one node, all month
		c := policy.Cost{Known: true, NodePerHour: node.PerHour, Currency: "USD", MaxPerMonth: least * rapid.Float64Range(1, 8).Draw(t, "budget")}
		tick := time.Duration(rapid.IntRange(1, 12).Draw(t, "tick")) * time.Hour
		o := fleetOf(1, 1)
		o.Now = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		var account Spending
		var h History
		for o.Now.Month() < time.July {
			month := o.Now.Month()
			account = account.with(o.Now, o.Wanted, float64(o.Wanted)*node.PerHour, node)
			now := c
			now.Spent = account.until(o.Now).Cost
			o.Cost = &now
			var d Decision
			d, h = Decide(o, []policy.Proposal{wants(rapid.IntRange(0, 30).Draw(t, "demand"))}, spec.Scaling{}, h)
			if d.Cost.Forecast > c.MaxPerMonth*(1+1e-6) {
				t.Fatalf("Decide() = %d at %v with a forecast of %v, want at most %v: %q", d.To, o.Now, d.Cost.Forecast, c.MaxPerMonth, d.Reasons)
			}
			account = account.with(o.Now, d.To, float64(d.To)*node.PerHour, node)
			o.Wanted, o.Now = d.To, o.Now.Add(tick)
			if o.Now.Month() != month {
				o.Now = monthOf(o.Now) // so that the month's last cost is looked at
				if spent := account.until(o.Now.Add(-time.Nanosecond)).Cost; spent > c.MaxPerMonth*(1+1e-6) {
					t.Fatalf("%v cost %v, want at most %v", month, spent, c.MaxPerMonth)
				}
			}
		}
	})
}

// TestAnAccountDoesNotDependOnWhenItIsSettled settles the same nodes at other
// instants, over the turn of a month and with the daemon down in between.
func TestAnAccountDoesNotDependOnWhenItIsSettled(t *testing.T) {
	node := price.Price{PerHour: 0.25, Currency: "USD"}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		var once, often Spending
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			nodes := rapid.IntRange(0, 9).Draw(t, "nodes")
			once = once.with(now, nodes, float64(nodes)*node.PerHour, node)
			often = often.with(now, nodes, float64(nodes)*node.PerHour, node)
			for range rapid.IntRange(0, 4).Draw(t, "ticks") {
				now = now.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "seconds")) * time.Second)
				often = often.until(now)
			}
		}
		if diff := cmp.Diff(once.until(now), often.until(now), cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
			t.Fatalf("account settled at changes and at every tick (-changes +ticks):\n%s", diff)
		}
	})
}

func TestAccounts(t *testing.T) {
	usd, eur := price.Price{PerHour: 0.5, Currency: "USD"}, price.Price{PerHour: 0.4, Currency: "EUR"}
	at := func(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 0, 0, 0, time.UTC) }
	three := Spending{}.with(at(30, 0), 3, 1.5, usd)
	for _, test := range []struct {
		name            string
		got             Spending
		cost, nodeHours float64
	}{
		{"three nodes for two hours", three.until(at(30, 2)), 3, 6},
		{"a new month begins at nothing", three.until(at(32, 4)), 6, 12},
		{"months in which nothing was settled are over", three.until(at(32+28, 4)), 6, 12},
		{"a clock that was set back", three.until(at(29, 0)), 0, 0},
		{"more nodes", three.with(at(30, 2), 5, 2.5, usd).until(at(30, 3)), 5.5, 11},
		{"another currency charges the month's node-hours anew", three.with(at(30, 2), 3, 1.2, eur).until(at(30, 3)), 6*0.4 + 1.2, 9},
	} {
		if got := [2]float64{test.got.Cost, test.got.NodeHours}; got[0]-test.cost > 1e-9 || test.cost-got[0] > 1e-9 || got[1] != test.nodeHours {
			t.Errorf("%s: cost and node-hours %v, want %v and %v", test.name, got, test.cost, test.nodeHours)
		}
	}
	if same := three.with(at(30, 5), 3, 1.5, usd); same != three {
		t.Errorf("an account with the same nodes became %+v, want it as it was: nothing to write", same)
	}
}

// TestNodesCostWhatTheyWereCreatedAs has a group whose type was changed, so that its
// older nodes cost what the list says of them.
func TestNodesCostWhatTheyWereCreatedAs(t *testing.T) {
	list, err := price.Parse("p.yaml", []byte("offerings:\n- {cloud: ec2, offering: small, per_hour: 0.1}\n- {cloud: ec2, offering: large, per_hour: 0.4}\n"))
	if err != nil {
		t.Fatal(err)
	}
	own, small := 0.25, price.Offering{Cloud: spec.CloudEC2, Name: "small"}
	group := spec.Group{Cloud: spec.CloudEC2, EC2: &spec.EC2{InstanceType: "large"}}
	priced := group
	priced.PricePerHour, priced.Budget = &own, &spec.Budget{Currency: "EUR"}
	for _, test := range []struct {
		name     string
		list     *price.List
		group    *spec.Group
		offering price.Offering
		want     string
	}{
		{"a node of the group's type", list, &group, price.Of(&group), "0.4000 USD/h"},
		{"an older node", list, &group, small, "0.1000 USD/h"},
		{"an older node that the list does not have", list, &group, price.Offering{Cloud: spec.CloudEC2, Name: "tiny"}, "0.4000 USD/h"},
		{"the group says what its nodes cost", list, &priced, price.Of(&group), "0.2500 EUR/h"},
		{"an older node in another currency costs what the group's do", list, &priced, small, "0.2500 EUR/h"},
		{"without a list", nil, &priced, small, "0.2500 EUR/h"},
	} {
		usual, known := NodePrice(test.list, test.group)
		if got := priceOf(test.list, test.group, FleetNode{Offering: test.offering}, usual).String(); got != test.want || !known {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if _, known := NodePrice(nil, &group); known {
		t.Error("NodePrice() without a list knows a price, want none")
	}
}
