package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/scalerd/scalerd/scaler"
)

// encodings keeps the JSON of each application's newest state, so that many who look
// at the same time cost one encoding of each state. It is safe for concurrent use.
type encodings struct {
	// shorten is what is made of a state first; nil: nothing.
	shorten func(scaler.ApplicationStatus) scaler.ApplicationStatus

	mu     sync.Mutex
	byName map[string]encoding
}

type encoding struct {
	// state is closed when there is a newer one, and tells states apart.
	state <-chan struct{}
	text  []byte
}

// follower knows the states of applications, as scaler.Service does.
type follower interface {
	Follow(ctx context.Context, name string) (scaler.ApplicationStatus, <-chan struct{}, error)
}

// of is an application's state as JSON; its text is nil where the application is gone.
func (e *encodings) of(ctx context.Context, service follower, name string) (encoding, error) {
	status, state, err := service.Follow(ctx, name)
	if errors.Is(err, scaler.ErrNotFound) {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.byName, name)
		return encoding{}, nil // it was destroyed between the list and this
	}
	if err != nil {
		return encoding{}, err
	}
	e.mu.Lock()
	kept, ok := e.byName[name]
	e.mu.Unlock()
	if ok && kept.state == state {
		return kept, nil
	}
	if e.shorten != nil {
		status = e.shorten(status)
	}
	text, err := json.Marshal(status)
	if err != nil {
		return encoding{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byName == nil {
		e.byName = map[string]encoding{}
	}
	e.byName[name] = encoding{state, text}
	return e.byName[name], nil
}

// forget forgets applications that are gone: all are those that there are.
func (e *encodings) forget(all []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.byName) <= len(all) {
		return // seldom is one gone
	}
	maps.DeleteFunc(e.byName, func(name string, _ encoding) bool { return !slices.Contains(all, name) })
}

// brief is a status without what is long. A status is shared, so it is copied.
func brief(a scaler.ApplicationStatus) scaler.ApplicationStatus {
	a.Groups = slices.Clone(a.Groups)
	for i := range a.Groups {
		g := &a.Groups[i]
		g.Optimizer, g.Drift, g.Shadows, g.Warmup = nil, nil, nil, nil
		if d := g.Decision; d != nil {
			g.Decision = &scaler.Decision{ID: d.ID, Application: d.Application, Group: d.Group, At: d.At, From: d.From, To: d.To, Held: d.Held, Reasons: d.Reasons[:min(1, len(d.Reasons))]}
		}
	}
	return a
}
