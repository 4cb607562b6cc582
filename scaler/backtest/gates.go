package backtest

import (
	"fmt"
	"slices"
)

// Gates are what policies must keep, for a check before a change is merged.
type Gates struct {
	// MaxOver is the largest share of the time over the limit; nil is any.
	MaxOver *float64
	// MaxCostIncrease is by what share a policy may cost more than the baseline, or
	// need more node-hours where there are no prices; nil is any.
	MaxCostIncrease *float64
	// Baseline is the name of the policy that costs are compared with; "" is the
	// clairvoyant.
	Baseline string
}

// Exceeded says for each policy of a report what it does not keep. References and the
// baseline need not keep anything.
func (g Gates) Exceeded(r Report) []string {
	var found []string
	baseline := r.Results[0]
	if i := slices.IndexFunc(r.Results, func(res Result) bool { return res.Policy == g.Baseline }); i >= 0 {
		baseline = r.Results[i]
	}
	for _, res := range r.Results {
		if slices.Contains([]string{NameClairvoyant, NameFixed, NameHindsight, baseline.Policy}, res.Policy) {
			continue
		}
		if g.MaxOver != nil && res.TimeOver > *g.MaxOver {
			found = append(found, fmt.Sprintf("%s is over the limit for %s of the time, more than %s", res.Policy, share(res.TimeOver), share(*g.MaxOver)))
		}
		spent, than, of := res.NodeHours, baseline.NodeHours, "needs %s of the node-hours of %s, more than %s"
		if res.Cost > 0 && baseline.Cost > 0 {
			spent, than, of = res.Cost, baseline.Cost, "costs %s of what %s does, more than %s"
		}
		if g.MaxCostIncrease != nil && spent > than*(1+*g.MaxCostIncrease) {
			found = append(found, res.Policy+" "+fmt.Sprintf(of, fmt.Sprintf("%.1f%%", 100*spent/than), baseline.Policy, fmt.Sprintf("%.1f%%", 100*(1+*g.MaxCostIncrease))))
		}
	}
	return found
}
