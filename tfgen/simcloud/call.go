package simcloud

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Call is one API call to the cloud, as the faults see it.
type Call struct {
	Account   string
	Type      string // resource type or data source
	Operation Operation
	Size      string // of a machine that is created
	Zone      string
}

// Refusal is the error of a call that a fault hit. The provider says it in the
// words of its cloud.
type Refusal struct {
	Kind Kind
	// Fault is what hit the call.
	Fault Fault
	// Done is true where the cloud has acted all the same.
	Done bool
}

// Error says which fault hit.
func (r *Refusal) Error() string { return fmt.Sprintf("simulated fault %s (%s)", r.Fault.ID, r.Kind) }

// Do makes one API call: act sees and changes the account under the cloud's lock.
// Faults refuse the call before act runs or spoil the answer afterwards, with a
// *[Refusal]. An interrupted wait answers with ctx's error; act has run then, as
// it has where a Refusal is Done.
func (c *Cloud) Do(ctx context.Context, call Call, act func(*Tx) error) error {
	faults, err := c.faults()
	if err != nil {
		return err
	}
	faults = slices.DeleteFunc(faults, func(f Fault) bool { return !f.selects(call) })
	changes := call.Operation != Read && call.Operation != Lookup
	hits, err := c.act(call, faults, changes || len(faults) > 0, act)
	if err != nil {
		return err
	}
	return c.answer(ctx, hits)
}

// act is the part of a call under the lock. It returns the faults that hit the
// answer.
func (c *Cloud) act(call Call, faults []Fault, exclusive bool, act func(*Tx) error) ([]Fault, error) {
	tx, err := c.begin(exclusive)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	tx.account = call.Account
	hits, err := tx.strike(call, faults)
	if err != nil {
		return nil, err
	}
	for _, f := range hits {
		switch f.Kind {
		case NoCapacity:
			if !strings.HasPrefix(call.Account, "openstack/") {
				return nil, &Refusal{Kind: f.Kind, Fault: f}
			}
			tx.failed = true
		case Quota, Throttle, Failure:
			return nil, &Refusal{Kind: f.Kind, Fault: f}
		case Delay, Timeout:
			tx.ready += f.For
		case Invisible:
			tx.visible = max(tx.visible, f.For)
		}
	}
	return hits, act(tx)
}

// answer delays or spoils the answer of a call that the cloud has carried out.
func (c *Cloud) answer(ctx context.Context, hits []Fault) error {
	for _, f := range hits {
		var err error
		switch f.Kind {
		case Crash:
			die()
		case Delay:
			err = wait(ctx, f.For)
		case Hang:
			<-ctx.Done()
			err = ctx.Err()
		case Timeout:
			if err = wait(ctx, f.For); err == nil {
				err = &Refusal{Kind: Timeout, Fault: f, Done: true}
			}
		case NoCapacity: // OpenStack accepts the machine and looks for a host later
			err = &Refusal{Kind: NoCapacity, Fault: f, Done: true}
		case Lost:
			err = &Refusal{Kind: Lost, Fault: f, Done: true}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// selects says whether the fault is about calls of this kind.
func (f Fault) selects(call Call) bool {
	operations := f.Operations
	if len(operations) == 0 {
		switch f.Kind {
		case Quota, NoCapacity, Invisible, Crash, Lost, Timeout:
			operations = []Operation{Create}
		}
	}
	if f.Kind == Quota || f.Kind == NoCapacity {
		if !slices.Contains(machineTypes, call.Type) {
			return false
		}
	}
	return (len(operations) == 0 || slices.Contains(operations, call.Operation)) &&
		(f.Account == "" || f.Account == call.Account) &&
		(f.Type == "" || f.Type == call.Type) &&
		(f.Size == "" || f.Size == call.Size) &&
		(f.Zone == "" || f.Zone == call.Zone)
}

// hit is what is remembered of a fault between calls.
type hit struct {
	Seen   int       `json:"seen"`             // calls it was about
	Hit    int       `json:"hit"`              // calls it hit
	Tokens float64   `json:"tokens,omitempty"` // Throttle's bucket
	Filled time.Time `json:"filled,omitzero"`  // when the bucket was looked at
}

// strike counts the call for each fault and returns those that hit it.
func (t *Tx) strike(call Call, faults []Fault) ([]Fault, error) {
	if len(faults) == 0 {
		return nil, nil
	}
	path := filepath.Join(t.cloud.dir, hitsFile)
	seen := map[string]hit{}
	if err := readJSON(path, &seen); err != nil {
		return nil, err
	}
	var hits []Fault
	for _, f := range faults {
		h := seen[f.ID]
		h.Seen++
		strikes, err := t.strikes(f, &h)
		if err != nil {
			return nil, err
		}
		if strikes {
			h.Hit++
			hits = append(hits, f)
		}
		seen[f.ID] = h
	}
	return hits, writeJSON(path, seen)
}

// strikes decides for one fault, of whose calls h.Seen is this one's number.
func (t *Tx) strikes(f Fault, h *hit) (bool, error) {
	if h.Seen <= f.Skip || f.Count > 0 && h.Hit >= f.Count {
		return false, nil
	}
	if f.Share > 0 && rand.New(rand.NewPCG(f.Seed, uint64(h.Seen))).Float64() >= f.Share {
		return false, nil
	}
	switch f.Kind {
	case Quota:
		n, err := t.machines()
		return n >= f.Limit, err
	case Throttle:
		return !h.take(f.Rate, t.now), nil
	}
	return true, nil
}

// take fills the bucket for the time since it was looked at and takes a token.
func (h *hit) take(rate float64, now time.Time) bool {
	size := max(rate, 1)
	if h.Filled.IsZero() {
		h.Tokens = size
	} else {
		h.Tokens = min(size, h.Tokens+rate*now.Sub(h.Filled).Seconds())
	}
	h.Filled = now
	if h.Tokens < 1 {
		return false
	}
	h.Tokens--
	return true
}
