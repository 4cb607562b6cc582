package scaler

import (
	"fmt"
	"time"
)

// LockedError says that somebody else holds the lock of a root module's state.
// Nothing was changed, and nothing has to be done: the step is tried again until
// the lock is free.
type LockedError struct {
	// ID, Who and Operation are the holder's own words, as far as the backend tells
	// them; ID is what `terraform force-unlock` takes. Without one there is nothing to
	// force: the backend frees the lock when its holder is gone.
	ID, Who, Operation string
	// Created is when the lock was taken; zero where that is not known.
	Created time.Time
	// Dir is the root module.
	Dir string
	// Doubt says why a lock that was taken on this machine is not released.
	Doubt string
}

func (e *LockedError) Error() string {
	text := "the state is locked by somebody whom its backend does not name"
	if e.Who != "" {
		text = "the state is locked by " + e.Who
	}
	if !e.Created.IsZero() {
		text += " since " + e.Created.UTC().Format(time.RFC3339)
	}
	if e.Operation != "" {
		text += " (" + e.Operation + ")"
	}
	if e.Doubt != "" {
		text += ", " + e.Doubt
	}
	if e.ID == "" {
		return text + "; nothing is changed until it is free, which its backend sees to when the holder's connection ends"
	}
	return text + fmt.Sprintf("; nothing is changed until it is free. If its holder is gone for good, run `terraform force-unlock %s` in %s", e.ID, e.Dir)
}
