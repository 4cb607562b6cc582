package scaler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// DriftCheck is the last comparison of a root module with what exists.
type DriftCheck struct {
	Shard string    `json:"shard"`
	At    time.Time `json:"at"`
	// Problem is why it could not be compared.
	Problem string `json:"problem,omitempty"`
}

// DriftOrder is a check of all shards of a group that somebody asked for.
type DriftOrder struct {
	// At is when it was asked for.
	At time.Time `json:"at"`
	// Problem is why a shard could not be checked.
	Problem string `json:"problem,omitempty"`
}

// driftOrder is the newest such check, with what is left of it.
type driftOrder struct {
	DriftOrder
	left map[string]bool
	// done is the newest one that is over, nil for none.
	done *DriftOrder
	// began is when the check that is under way was started.
	began time.Time
}

// checkNow asks for a check of every shard. It is safe for concurrent use.
func (a *actuator) checkNow(at time.Time) {
	a.mail.put(func(m *mailbox) { m.check = at })
}

// orderChecks takes such an order. One that is not over yet is part of it.
func (a *actuator) orderChecks(at time.Time) {
	a.driftOrder.DriftOrder, a.driftOrder.left = DriftOrder{At: at}, map[string]bool{}
	for _, s := range a.roots() {
		if s.stateErr != nil || len(s.state.Resources) > 0 || s.moving {
			a.driftOrder.left[s.name] = true
		}
	}
}

// orderedCheck is the next shard that the order has left and that can be checked now.
func (a *actuator) orderedCheck(now time.Time) *shard {
	o := &a.driftOrder
	if o.At.IsZero() || o.done != nil && !o.done.At.Before(o.At) {
		return nil
	}
	var next *shard
	there := map[string]bool{}
	for _, s := range a.roots() {
		switch {
		case !o.left[s.name]:
		case s.stateErr != nil && !(a.facts.Backend != nil && errors.Is(s.stateErr, ErrStateLost)):
			o.began = now
			a.noteCheck(s, s.stateErr)
		case a.dismissed || s.stateErr == nil && len(s.state.Resources) == 0 && !s.moving:
			delete(o.left, s.name)
		default:
			there[s.name] = true
			if next == nil && !s.busy && !s.recovering {
				next = s
			}
		}
	}
	if len(there) == 0 {
		done := o.DriftOrder
		o.done = &done
	}
	return next
}

// checksWait reports whether an order waits for something else to end.
func (a *actuator) checksWait() bool {
	o := &a.driftOrder
	return a.checking == nil && !o.At.IsZero() && (o.done == nil || o.done.At.Before(o.At))
}

// noteCheck notes the end of a shard's check.
func (a *actuator) noteCheck(s *shard, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	check := DriftCheck{Shard: s.name, At: time.Now()}
	if err != nil {
		check.Problem = err.Error()
	}
	// The old list was published.
	a.driftChecks = append(slices.DeleteFunc(slices.Clone(a.driftChecks), func(c DriftCheck) bool { return c.Shard == s.name || a.named(c.Shard) == nil }), check)
	o := &a.driftOrder
	if !o.left[s.name] || o.began.Before(o.At) {
		return
	}
	delete(o.left, s.name)
	if err != nil && o.Problem == "" {
		o.Problem = s.name + ": " + err.Error()
	}
}

// GroupDrift is what the drift checks of a group have found.
type GroupDrift struct {
	Application string `json:"application"`
	Group       string `json:"group"`
	Cloud       string `json:"cloud"`
	// Every is the time between two checks of a shard; 0 is no checks but those that
	// are asked for.
	Every spec.Duration `json:"every"`
	// Checks are the last ones, by shard; a shard that is missing was not checked yet.
	Checks   []DriftCheck   `json:"checks"`
	Findings []DriftFinding `json:"findings"`
}

// driftOf is what is published of a group's checks; its lists are never changed.
func (a *application) driftOf(g *group) GroupDrift {
	fleet := g.actuator.Fleet()
	d := GroupDrift{Application: a.name, Group: g.name, Every: spec.Duration(a.config.DriftEvery), Checks: fleet.DriftChecks, Findings: fleet.Drift}
	if g.spec != nil {
		d.Cloud = string(g.spec.Cloud)
		d.Every = cmp.Or(g.spec.Drift.Every, d.Every)
	}
	return d
}

// Drift is what the drift checks of one group or, with an empty name, of all groups of
// the application have found.
func (s *Service) Drift(ctx context.Context, app, group string) ([]GroupDrift, error) {
	a, err := s.application(ctx, app)
	if err != nil {
		return nil, err
	}
	all := []GroupDrift{}
	for _, d := range a.published.Load().drift {
		if group == "" || group == d.Group {
			d.Checks, d.Findings = slices.Clone(d.Checks), slices.Clone(d.Findings)
			slices.SortFunc(d.Checks, func(x, y DriftCheck) int { return cmp.Compare(x.Shard, y.Shard) })
			all = append(all, d)
		}
	}
	if group != "" && len(all) == 0 {
		return nil, fmt.Errorf("group %s of application %s: %w", group, app, ErrNotFound)
	}
	return all, nil
}

// CheckDrift asks for a drift check of every shard of a group or, with an empty name,
// of all groups. It is over where a group's DriftOrder is at that instant or later.
func (s *Service) CheckDrift(ctx context.Context, app, group string, at time.Time) error {
	a, err := s.application(ctx, app)
	if err != nil {
		return err
	}
	return a.order(ctx, func(context.Context) error {
		found := group == ""
		for _, g := range a.groups {
			if group == "" || group == g.name {
				found = true
				g.actuator.checkNow(at)
			}
		}
		if !found {
			return fmt.Errorf("group %s of application %s: %w", group, app, ErrNotFound)
		}
		return nil
	})
}
