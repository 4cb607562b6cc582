package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// keptEvents bounds the progress that is kept of one operation.
const keptEvents = 500

// followed is an operation with what is kept to follow it.
type followed struct {
	seq int64
	// before are the failures at its start, by group, and the application's under the
	// empty name: they are not its own.
	before map[string]failure
	// ended is closed with its end.
	ended chan struct{}

	mu     sync.Mutex
	op     Operation
	events []Event
	last   map[string]string
	// changed is closed and replaced at every change.
	changed chan struct{}
}

// failure is a group's problem and when its step is tried again.
type failure struct {
	problem string
	retryAt time.Time
}

func failures(status scaler.ApplicationStatus) map[string]failure {
	all := map[string]failure{"": {problem: status.Problem}}
	for _, g := range status.Groups {
		if g.Problem != "" {
			all[g.Name] = failure{g.Problem, g.RetryAt}
		}
	}
	return all
}

func (f *followed) snapshot() Operation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.op
}

// since are the events after a number, with the operation and a channel that is
// closed when either changes.
func (f *followed) since(number int) ([]Event, Operation, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var events []Event
	for i, e := range f.events {
		if e.Number > number {
			events = append(events, f.events[i:]...)
			break
		}
	}
	return events, f.op, f.changed
}

func (f *followed) end(status Status, problem string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.op.Status != Running {
		return
	}
	f.op.Status, f.op.Error, f.op.EndedAt = status, problem, time.Now()
	close(f.ended)
	f.notify()
}

// notify wakes who waits; the lock is held.
func (f *followed) notify() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *followed) add(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := e.Group + "/" + e.Shard
	if e.Message == "" || f.last[key] == e.Message {
		return
	}
	f.last[key] = e.Message
	e.Number, e.At = 1, time.Now()
	if n := len(f.events); n > 0 {
		e.Number = f.events[n-1].Number + 1
	}
	f.events = append(f.events, e)
	if len(f.events) > keptEvents {
		f.events = f.events[1:]
	}
	f.notify()
}

// follow observes the application until the operation ends, or ctx does.
func (f *followed) follow(ctx context.Context, service *scaler.Service) {
	op := f.snapshot()
	for {
		status, changed, err := service.Follow(ctx, op.Application)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, scaler.ErrNotFound) && op.Kind == Destroy:
			f.end(Succeeded, "")
			return
		case err == nil && op.Kind == Destroy && !status.Destroying: // another one of its name
			f.end(Succeeded, "")
			return
		case err != nil:
			f.end(Failed, err.Error())
			return
		}
		f.observe(op, status)
		select {
		case <-changed:
		case <-f.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// observeDrift takes the end of a drift check: it is not about what else the groups do.
func (f *followed) observeDrift(op Operation, status scaler.ApplicationStatus) {
	found, problem := op.Group == "", ""
	for _, g := range status.Groups {
		if op.Group != "" && g.Name != op.Group {
			continue
		}
		found = true
		if g.DriftOrder == nil || g.DriftOrder.At.Before(op.StartedAt) {
			return
		}
		if g.DriftOrder.Problem != "" && problem == "" {
			problem = fmt.Sprintf("group %s: %s", g.Name, g.DriftOrder.Problem)
		}
	}
	switch {
	case !found:
		f.end(Failed, fmt.Sprintf("group %s was removed", op.Group))
	case problem != "":
		f.end(Failed, problem)
	default:
		f.end(Succeeded, "")
	}
}

// observe takes the progress, and the end, from a state of the application.
func (f *followed) observe(op Operation, status scaler.ApplicationStatus) {
	if op.Kind == Drift {
		f.observeDrift(op, status)
		return
	}
	settled, found := status.Settled, op.Group == ""
	problem := ""
	if now := (failure{problem: status.Problem}); f.before[""] != now {
		problem = status.Problem
	}
	for _, g := range status.Groups {
		if op.Group != "" && g.Name != op.Group {
			continue
		}
		if op.Group != "" {
			settled, found = g.Settled, true
		}
		f.add(Event{Group: g.Name, Phase: "rollout", Message: g.Rollout})
		for _, s := range g.Steps {
			f.add(Event{Group: g.Name, Shard: s.Shard, Phase: s.Progress.Phase, Message: s.Progress.Message})
		}
		if now := (failure{g.Problem, g.RetryAt}); g.Problem != "" && f.before[g.Name] != now && problem == "" {
			problem = fmt.Sprintf("group %s: %s", g.Name, g.Problem)
		}
	}
	switch {
	case problem != "":
		f.end(Failed, problem)
	case !found:
		f.end(Failed, fmt.Sprintf("group %s was removed", op.Group))
	case settled && op.Kind != Destroy:
		f.end(Succeeded, "")
	}
}
