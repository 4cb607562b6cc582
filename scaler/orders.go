package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// ErrRefused is returned for an order that can't be carried out as things are.
var ErrRefused = errors.New("refused")

// Submit starts an application, or updates the running one of the same name, and
// returns its name. The nodes follow later; see Application. A wrong description
// is answered with strictyaml.Mistakes, and nothing is changed then.
func (s *Service) Submit(ctx context.Context, source Source) (string, error) {
	return s.SubmitIf(ctx, source, func(StoredApplication, bool) error { return nil })
}

// SubmitIf is Submit where the condition returns nil. It is asked with what is
// stored of the application, and whether there is one, at the last moment before
// the change.
func (s *Service) SubmitIf(ctx context.Context, source Source, condition Condition) (string, error) {
	described, err := s.Validate(source)
	if err != nil {
		return "", err
	}
	for _, note := range Notes(described) {
		s.config.Log.Warn("description has a warning", "application", described.Name, "warning", note)
	}
	row := StoredApplication{Name: described.Name, File: source.File, Text: source.Text, Params: source.Params, UpdatedAt: time.Now()}
	a, err := s.application(ctx, described.Name)
	if err == nil {
		return described.Name, a.order(ctx, func(ctx context.Context) error {
			if a.stored.Destroying {
				return fmt.Errorf("application %s is being destroyed, wait for its end: %w", a.name, ErrRefused)
			}
			if err := a.moves(described); err != nil {
				return err
			}
			if err := condition(a.stored, true); err != nil {
				return err
			}
			row.Paused = a.stored.Paused
			if err := a.config.Store.SaveApplication(ctx, row); err != nil {
				return err
			}
			a.stored = row
			if err := a.describe(ctx, described); err != nil {
				return err
			}
			a.problem = ""
			a.tickTimed(ctx, time.Now())
			return nil
		})
	}
	if !errors.Is(err, ErrNotFound) {
		return "", err
	}
	if err := condition(StoredApplication{Name: described.Name}, false); err != nil {
		return "", err
	}
	return described.Name, s.create(ctx, newApplication(s.config, row, described))
}

// moves refuses a description that would have a group's machines be of another kind:
// Terraform would destroy all of them at once.
func (a *application) moves(described *spec.Application) error {
	if a.spec == nil {
		return nil
	}
	if is := described.Backend; !a.spec.Backend.Same(is) {
		if err := a.movable(is); err != nil {
			return err
		}
	}
	for i := range described.Groups {
		after := &described.Groups[i]
		before := a.spec.Group(after.Name)
		if before == nil || a.group(after.Name) == nil {
			continue
		}
		was, is := kindOf(before), kindOf(after)
		if was != is {
			return fmt.Errorf("group %s runs on %s and would move to %s, which destroys all its nodes at once; give the new group another name, and remove this one when that one is ready: %w", after.Name, was, is, ErrRefused)
		}
	}
	return nil
}

// kindOf is what kind of machines a group has.
func kindOf(g *spec.Group) string {
	if g.Azure != nil && g.Cloud == spec.CloudAzure {
		return fmt.Sprintf("%s (%s)", g.Cloud, g.Azure.OS)
	}
	return string(g.Cloud)
}

func (s *Service) create(ctx context.Context, a *application) error {
	s.mu.Lock()
	if _, ok := s.apps[a.name]; ok {
		s.mu.Unlock()
		return fmt.Errorf("application %s was submitted at the same time by somebody else, try again: %w", a.name, ErrRefused)
	}
	s.apps[a.name] = a
	s.mu.Unlock()
	err := s.config.Store.SaveApplication(ctx, a.stored)
	if err == nil {
		select {
		case s.spawn <- a:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		s.mu.Lock()
		delete(s.apps, a.name)
		s.mu.Unlock()
		return err
	}
	select {
	case <-a.started:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// decideFirst sizes a new group.
func (a *application) decideFirst(ctx context.Context, g *group) error {
	now := time.Now()
	initial := min(max(g.spec.Initial, g.spec.Min), g.spec.Max)
	d := Decision{
		At: now, Application: a.name, Group: g.name, To: initial,
		Reasons: []string{fmt.Sprintf("first apply: initial is %d", initial)},
	}
	row := g.row
	row.Wanted, row.Known, row.LastOut = initial, true, now
	return a.enact(ctx, g, d, row)
}

// enact records a decision that no policy made, and asks for it.
func (a *application) enact(ctx context.Context, g *group, d Decision, row StoredGroup) error {
	id, err := a.config.Store.RecordDecision(ctx, d, row)
	if err != nil {
		return err
	}
	d.ID = id
	g.row, g.last = row, &d
	g.history = row.history()
	a.countDecision(d)
	a.log.Info("decided", "group", g.name, "decision", d.ID, "from", d.From, "to", d.To, "drop", d.Drop, "reasons", d.Reasons)
	g.ask(d.Drop, id)
	return nil
}

// Scale sets the size of a group once; its policies go on from there. It returns
// the decision.
func (s *Service) Scale(ctx context.Context, app, name string, nodes int) (Decision, error) {
	return s.orderDecision(ctx, app, name, func(ctx context.Context, a *application, g *group) (Decision, error) {
		if err := g.mayScale(nodes); err != nil {
			return Decision{}, err
		}
		return a.byHand(ctx, g, nodes, nil, fmt.Sprintf("scaled by hand from %d to %d", g.row.Wanted, nodes))
	})
}

// orderDecision is orderGroup for what gives a decision. An order that is given up may
// still be carried out later, so what it gives is handed over through a channel.
func (s *Service) orderDecision(ctx context.Context, app, name string, do func(context.Context, *application, *group) (Decision, error)) (Decision, error) {
	made := make(chan Decision, 1)
	err := s.orderGroup(ctx, app, name, func(ctx context.Context, a *application, g *group) error {
		d, err := do(ctx, a, g)
		made <- d
		return err
	})
	if err != nil {
		return Decision{}, err
	}
	return <-made, nil
}

// Drop destroys one chosen node, given by its name, identifier or address. The
// group gets one node smaller, or another node instead where replace is set. The same
// order again, before the node is gone, makes it no smaller.
func (s *Service) Drop(ctx context.Context, app, node string, replace bool) (Decision, error) {
	chosen, err := s.chosen(ctx, app, node)
	if err != nil {
		return Decision{}, err
	}
	name := chosen.Name
	return s.orderDecision(ctx, app, chosen.Group, func(ctx context.Context, a *application, g *group) (Decision, error) {
		to, err := g.mayDrop(name, replace)
		if err != nil {
			return Decision{}, err
		}
		reason := fmt.Sprintf("%s dropped by hand", name)
		if replace {
			reason = fmt.Sprintf("%s replaced by hand", name)
		}
		return a.byHand(ctx, g, to, []string{name}, reason)
	})
}

// chosen is the node of a name, identifier or address.
func (s *Service) chosen(ctx context.Context, app, node string) (NodeStatus, error) {
	a, err := s.application(ctx, app)
	if err != nil {
		return NodeStatus{}, err
	}
	nodes := a.published.Load().nodes
	i := slices.IndexFunc(nodes, func(n NodeStatus) bool {
		return n.Name == node || n.ID == node || n.PublicIP == node && node != "" || n.PrivateIP == node && n.Port == 0 ||
			fmt.Sprintf("%s:%d", n.PrivateIP, n.Port) == node
	})
	if i < 0 {
		return NodeStatus{}, fmt.Errorf("node %s of application %s: %w", node, app, ErrNotFound)
	}
	return nodes[i], nil
}

// mayScale refuses a size that the group can't have.
func (g *group) mayScale(nodes int) error {
	if nodes < g.spec.Min || nodes > g.spec.Max {
		return fmt.Errorf("%d nodes is outside %d..%d of group %s; change min or max in the description: %w", nodes, g.spec.Min, g.spec.Max, g.name, ErrRefused)
	}
	return nil
}

// mayDrop is the size without a node, or with another in its place.
func (g *group) mayDrop(name string, replace bool) (int, error) {
	if protected(g.spec.Scaling.Victims, name) {
		return 0, fmt.Errorf("%s is protected: take it from scaling.victims.protected of group %s first: %w", name, g.name, ErrRefused)
	}
	to := g.row.Wanted
	if !replace && !slices.Contains(g.row.Dropping, name) { // else a client that missed the answer asks again
		to--
	}
	if to < g.spec.Min {
		return 0, fmt.Errorf("without %s group %s has %d nodes, fewer than its min of %d; replace it instead, or lower min: %w", name, g.name, to, g.spec.Min, ErrRefused)
	}
	return to, nil
}

func (a *application) byHand(ctx context.Context, g *group, to int, drop []string, reason string) (Decision, error) {
	now := time.Now()
	d := Decision{At: now, Application: a.name, Group: g.name, From: g.row.Wanted, To: to, Drop: drop, Reasons: []string{reason}}
	row := g.row
	row.Wanted, row.Dropping = to, g.dropping(drop)
	switch {
	case to > d.From:
		row.LastOut = now
	case to < d.From:
		row.LastIn = now
	}
	err := a.enact(ctx, g, d, row)
	if err != nil {
		return Decision{}, err
	}
	return *g.last, nil
}

// orderGroup runs do in the application's goroutine with a described group.
func (s *Service) orderGroup(ctx context.Context, app, name string, do func(context.Context, *application, *group) error) error {
	a, err := s.application(ctx, app)
	if err != nil {
		return err
	}
	return a.order(ctx, func(ctx context.Context) error {
		g := a.group(name)
		if g == nil || g.spec == nil {
			return fmt.Errorf("group %s of application %s: %w", name, app, ErrNotFound)
		}
		if a.stored.Destroying || g.removing {
			return fmt.Errorf("group %s is being destroyed: %w", name, ErrRefused)
		}
		return do(ctx, a, g)
	})
}

// Pause stops decisions of one group or, with an empty name, of the whole
// application, until it is resumed. Nodes stay, and are still repaired.
func (s *Service) Pause(ctx context.Context, app, name string, paused bool) error {
	if name != "" {
		return s.orderGroup(ctx, app, name, func(ctx context.Context, a *application, g *group) error {
			row := g.row
			row.Paused = paused
			if err := a.config.Store.SaveGroup(ctx, a.name, g.name, row); err != nil {
				return err
			}
			g.row = row
			return nil
		})
	}
	a, err := s.application(ctx, app)
	if err != nil {
		return err
	}
	return a.order(ctx, func(ctx context.Context) error {
		row := a.stored
		row.Paused = paused
		if err := a.config.Store.SaveApplication(ctx, row); err != nil {
			return err
		}
		a.stored = row
		return nil
	})
}

// Destroy begins the end of an application: its nodes are destroyed, then it is
// forgotten. It returns at once; Application answers ErrNotFound when all is gone.
func (s *Service) Destroy(ctx context.Context, app string) error {
	return s.DestroyIf(ctx, app, func(StoredApplication, bool) error { return nil })
}

// DestroyIf is Destroy where the condition returns nil.
func (s *Service) DestroyIf(ctx context.Context, app string, condition Condition) error {
	a, err := s.application(ctx, app)
	if err != nil {
		return err
	}
	return a.order(ctx, func(ctx context.Context) error {
		if err := condition(a.stored, true); err != nil {
			return err
		}
		row := a.stored
		row.Destroying = true
		if err := a.config.Store.SaveApplication(ctx, row); err != nil {
			return err
		}
		a.stored = row
		if err := a.dismissUndescribed(ctx); err != nil {
			return err
		}
		a.sweep(ctx) // an application without any group is gone at once
		return nil
	})
}
