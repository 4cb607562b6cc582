package api

import (
	"context"
	"errors"
	"testing"

	"github.com/scalerd/scalerd/scaler"
)

// followed are applications whose states never change.
type followed map[string]chan struct{}

func (f followed) Follow(ctx context.Context, name string) (scaler.ApplicationStatus, <-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return scaler.ApplicationStatus{}, nil, err
	}
	state, ok := f[name]
	if !ok {
		return scaler.ApplicationStatus{}, nil, scaler.ErrNotFound
	}
	return scaler.ApplicationStatus{Name: name}, state, nil
}

func TestNothingIsKeptOfApplicationsThatAreGone(t *testing.T) {
	service := followed{"shop": make(chan struct{})}
	var p statusPages
	for _, name := range []string{"a", "b", "c", "d"} {
		service[name] = make(chan struct{})
		if _, err := p.page(t.Context(), service, Page[string]{Items: []string{name, "shop"}}, []string{name, "shop"}); err != nil {
			t.Fatal(err)
		}
		delete(service, name)
	}
	// Of the first page only: the others are there still.
	if _, err := p.page(t.Context(), service, Page[string]{Items: []string{"d"}}, []string{"d", "shop"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.states.byName["shop"]; !ok || len(p.states.byName) != 1 {
		t.Errorf("%d encodings are kept, want that of shop", len(p.states.byName))
	}
}

func TestAStateThatCannotBeReadIsNotLeftOut(t *testing.T) {
	service := followed{"shop": make(chan struct{})}
	var p statusPages
	names := Page[string]{Items: []string{"gone", "shop"}}
	if _, err := p.page(t.Context(), service, names, names.Items); err != nil {
		t.Errorf("page with one that is gone: %v, want it left out", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.page(ctx, service, names, names.Items); !errors.Is(err, context.Canceled) {
		t.Errorf("page for a client that is gone: %v, want that it is", err)
	}
}
