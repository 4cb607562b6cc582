package simcloud_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// create makes a machine without terraform and a provider.
func create(ctx context.Context, c *simcloud.Cloud, call simcloud.Call, id string) error {
	call.Operation = simcloud.Create
	if call.Account == "" {
		call.Account = "account"
	}
	if call.Type == "" {
		call.Type = "aws_instance"
	}
	return c.Do(ctx, call, func(tx *simcloud.Tx) error {
		return tx.Create(simcloud.Resource{Type: call.Type, ID: id, Size: call.Size, Zone: call.Zone, Attributes: []byte("{}")})
	})
}

// TestFaultsHitTheCallsTheySelect makes ten calls and looks at which are refused.
func TestFaultsHitTheCallsTheySelect(t *testing.T) {
	rows := map[string]struct {
		fault simcloud.Fault
		call  simcloud.Call
		hit   []int
	}{
		"all":                     {simcloud.Fault{Kind: simcloud.Failure}, simcloud.Call{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"the third":               {simcloud.Fault{Kind: simcloud.Failure, Skip: 2, Count: 1}, simcloud.Call{}, []int{2}},
		"the first two":           {simcloud.Fault{Kind: simcloud.Failure, Count: 2}, simcloud.Call{}, []int{0, 1}},
		"a share, by its seed":    {simcloud.Fault{Kind: simcloud.Failure, Share: 0.3, Seed: 1}, simcloud.Call{}, []int{4, 5, 7, 8, 9}},
		"another seed":            {simcloud.Fault{Kind: simcloud.Failure, Share: 0.3, Seed: 2}, simcloud.Call{}, []int{0, 1, 2}},
		"above the quota":         {simcloud.Fault{Kind: simcloud.Quota, Limit: 8}, simcloud.Call{}, []int{8, 9}},
		"no quota on other types": {simcloud.Fault{Kind: simcloud.Quota, Limit: 0}, simcloud.Call{Type: "aws_eip"}, nil},
		"the size":                {simcloud.Fault{Kind: simcloud.NoCapacity, Size: "big", Count: 1}, simcloud.Call{Size: "big"}, []int{0}},
		"another size":            {simcloud.Fault{Kind: simcloud.NoCapacity, Size: "big"}, simcloud.Call{Size: "small"}, nil},
		"the zone":                {simcloud.Fault{Kind: simcloud.NoCapacity, Zone: "a", Count: 1}, simcloud.Call{Zone: "a"}, []int{0}},
		"another zone":            {simcloud.Fault{Kind: simcloud.NoCapacity, Zone: "a"}, simcloud.Call{Zone: "b"}, nil},
		"another account":         {simcloud.Fault{Kind: simcloud.Failure, Account: "x"}, simcloud.Call{Account: "y"}, nil},
		"another type":            {simcloud.Fault{Kind: simcloud.Failure, Type: "aws_eip"}, simcloud.Call{}, nil},
		"another operation":       {simcloud.Fault{Kind: simcloud.Failure, Operations: []simcloud.Operation{simcloud.Remove}}, simcloud.Call{}, nil},
		"the rate":                {simcloud.Fault{Kind: simcloud.Throttle, Rate: 3e-9, Operations: []simcloud.Operation{simcloud.Create}}, simcloud.Call{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			id := inject(t, c, r.fault)
			var hit []int
			for i := range 10 {
				err := create(t.Context(), c, r.call, fmt.Sprint(i))
				var refusal *simcloud.Refusal
				if errors.As(err, &refusal) {
					hit = append(hit, i)
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(r.hit, hit); diff != "" {
				t.Errorf("calls that are hit (-want +got):\n%s", diff)
			}
			if n, err := c.Hits(id); n != len(r.hit) || err != nil {
				t.Errorf("Hits = %d, %v, want %d", n, err, len(r.hit))
			}
		})
	}
}

func TestQuotaHoldsWhenAllCreateAtOnce(t *testing.T) {
	c := newCloud(t)
	id := inject(t, c, simcloud.Fault{Kind: simcloud.Quota, Limit: 7})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			var refusal *simcloud.Refusal
			if err := create(t.Context(), c, simcloud.Call{}, fmt.Sprint(i)); err != nil && !errors.As(err, &refusal) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantMachines(t, c, 7)
	if n, err := c.Hits(id); n != 13 || err != nil {
		t.Errorf("Hits = %d, %v, want 13", n, err)
	}
}

func TestDelayedMachineExistsBeforeTheAnswer(t *testing.T) {
	c := newCloud(t)
	inject(t, c, simcloud.Fault{Kind: simcloud.Delay, For: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() { answer <- create(ctx, c, simcloud.Call{}, "1") }()
	eventually(t, "a machine", func() bool { return len(machines(t, c)) == 1 })
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("create = %v, want that it was cancelled", err)
	}
	if r := wantMachines(t, c, 1)[0]; r.Ready.Sub(r.Created) != time.Hour {
		t.Errorf("the machine is ready after %s, want an hour", r.Ready.Sub(r.Created))
	}
}

func TestHealedFaultsHitNoMore(t *testing.T) {
	c := newCloud(t)
	first := inject(t, c, simcloud.Fault{Kind: simcloud.Failure, Account: "a"})
	second := inject(t, c, simcloud.Fault{Kind: simcloud.Failure, Account: "b"})
	if first == second {
		t.Fatalf("two faults are named %q", first)
	}
	if err := create(t.Context(), c, simcloud.Call{Account: "a"}, "1"); err == nil {
		t.Error("the first fault does not hit")
	}
	if err := c.Heal(first); err != nil {
		t.Fatal(err)
	}
	if err := create(t.Context(), c, simcloud.Call{Account: "a"}, "1"); err != nil {
		t.Errorf("the healed fault hits: %v", err)
	}
	if err := create(t.Context(), c, simcloud.Call{Account: "b"}, "1"); err == nil {
		t.Error("the other fault does not hit")
	}
	third := inject(t, c, simcloud.Fault{Kind: simcloud.Failure, Account: "c"})
	if slices.Contains([]string{first, second}, third) {
		t.Errorf("the third fault takes the name %q again", third)
	}
}

func TestWrongFaultsAreRefused(t *testing.T) {
	c := newCloud(t)
	for _, f := range []simcloud.Fault{
		{Kind: "quotas"}, {Kind: simcloud.Throttle}, {Kind: simcloud.Delay}, {Kind: simcloud.Failure, Share: 1.5}, {Kind: simcloud.Crash, Count: -1},
	} {
		if _, err := c.Inject(f); err == nil || !strings.HasPrefix(err.Error(), "inject fault: ") {
			t.Errorf("Inject(%+v) = %v, want a refusal", f, err)
		}
	}
	inject(t, c, simcloud.Fault{ID: "one", Kind: simcloud.Failure})
	if _, err := c.Inject(simcloud.Fault{ID: "one", Kind: simcloud.Failure}); err == nil {
		t.Error("two faults of the same name are accepted")
	}
}

func TestEventsTellWhatHappened(t *testing.T) {
	c := newCloud(t)
	if err := create(t.Context(), c, simcloud.Call{Account: "a"}, "1"); err != nil {
		t.Fatal(err)
	}
	r := wantMachines(t, c, 1)[0]
	if err := c.Delete(r); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(r); err == nil {
		t.Error("what is gone can be deleted again")
	}
	events, err := c.Events()
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		told = append(told, fmt.Sprint(e.What, " ", e.Account, " ", e.Type, " ", e.ID, " ", e.Behind))
	}
	want := []string{"created a aws_instance 1 false", "deleted a aws_instance 1 true"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if empty, err := c.Empty(); !empty || err != nil {
		t.Errorf("Empty = %v, %v, want true", empty, err)
	}
}

func TestOpenWantsACloud(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		if _, err := simcloud.Open(dir); err == nil || !strings.Contains(err.Error(), simcloud.Variable) {
			t.Errorf("Open(%q) = %v, want how to set %s", dir, err, simcloud.Variable)
		}
	}
}
