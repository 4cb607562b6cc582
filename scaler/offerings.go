package scaler

import (
	"math"
	"time"

	"github.com/scalerd/scalerd/scaler/failure"
	"github.com/scalerd/scalerd/tfgen"
)

// penaltyHalves is the time in which a penalty halves; from avoided on, an offering
// is passed over; mostPenalty bounds what failures add up to, so that an offering is
// tried again within 40 minutes however often it failed.
const (
	penaltyHalves = 10 * time.Minute
	avoided       = 0.5
	mostPenalty   = 8
)

// penalty is what an offering has from its failures, at an instant.
type penalty struct {
	value float64
	at    time.Time
	why   failure.Kind
}

func (p penalty) now(now time.Time) float64 {
	return p.value * math.Exp2(-float64(max(now.Sub(p.at), 0))/float64(penaltyHalves))
}

// offerings are the kinds of machines that new nodes of a group may be, the wanted
// first, and how they have done lately.
type offerings struct {
	offered   []tfgen.Offered
	penalties map[string]penalty
}

// OfferingStatus is how an offering has done lately.
type OfferingStatus struct {
	Name string `json:"name"`
	// Penalty is 1 after a failure and halves in ten minutes; from 0.5 on, new nodes
	// are of another offering where there is a better one.
	Penalty float64 `json:"penalty"`
	// Why is the kind of the last failure, while there is a penalty.
	Why string `json:"why,omitempty"`
	// PricePerHour is the description's.
	PricePerHour float64 `json:"price_per_hour,omitempty"`
}

// describe replaces what is offered. Penalties stay with their names.
func (o *offerings) describe(offered []tfgen.Offered) {
	kept := map[string]penalty{}
	for _, each := range offered {
		if p, has := o.penalties[each.Offering.Name]; has {
			kept[each.Offering.Name] = p
		}
	}
	o.offered, o.penalties = offered, kept
}

// recall takes over the penalties of before a restart.
func (o *offerings) recall(remembered map[string]RememberedPenalty, now time.Time) {
	o.penalties = map[string]penalty{}
	for name, r := range remembered {
		o.penalties[name] = penalty{value: r.Value, at: notAfter(r.At, now), why: r.Why}
	}
}

// remembered are the penalties that matter still.
func (o *offerings) remembered(now time.Time) map[string]RememberedPenalty {
	var all map[string]RememberedPenalty
	for name, p := range o.penalties {
		if p.now(now) < 0.01 {
			continue
		}
		if all == nil {
			all = map[string]RememberedPenalty{}
		}
		all[name] = RememberedPenalty{Value: p.value, At: p.at, Why: p.why}
	}
	return all
}

// several reports whether there is a choice.
func (o *offerings) several() bool { return len(o.offered) > 1 }

// best is the first offering that is not avoided now, else the least avoided.
func (o *offerings) best(now time.Time) tfgen.Offered {
	best := o.offered[0]
	for _, each := range o.offered {
		p := o.penalties[each.Offering.Name].now(now)
		if p < avoided {
			return each
		}
		if p < o.penalties[best.Offering.Name].now(now) {
			best = each
		}
	}
	return best
}

// avoided reports whether even the best offering failed lately.
func (o *offerings) avoided(now time.Time) bool {
	return o.penalties[o.best(now).Offering.Name].now(now) >= avoided
}

// penalise adds to the penalty of an offering that failed.
func (o *offerings) penalise(name string, why failure.Kind, now time.Time) {
	if name == "" {
		return
	}
	o.penalties[name] = penalty{value: min(o.penalties[name].now(now)+1, mostPenalty), at: now, why: why}
}

// outdated says in which settings a node differs from what a node of its number
// would get now with its offering, and nothing where any offering gives it what it
// has.
func (o *offerings) outdated(node string, settings tfgen.Settings) string {
	difference := ""
	for i, each := range o.offered {
		diff := settings.Differences(each.Settings(tfgen.NodeNumber(node)))
		if diff == "" {
			return ""
		}
		if i == 0 || each.Offering.Name == settings.Offering() {
			difference = diff
		}
	}
	return difference
}

// status lists the offerings where they have names.
func (o *offerings) status(now time.Time) []OfferingStatus {
	var all []OfferingStatus
	for _, each := range o.offered {
		if each.Offering.Name == "" {
			continue
		}
		s := OfferingStatus{Name: each.Offering.Name, PricePerHour: each.Offering.PricePerHour}
		if p := o.penalties[s.Name].now(now); p >= 0.01 {
			s.Penalty, s.Why = math.Round(p*100)/100, string(o.penalties[s.Name].why)
		}
		all = append(all, s)
	}
	return all
}
