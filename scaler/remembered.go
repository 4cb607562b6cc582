package scaler

import (
	"maps"
	"time"

	"github.com/scalerd/scalerd/scaler/failure"
)

// Remembered is what a group's row keeps over a restart besides its columns.
type Remembered struct {
	// Holding, Turns and Breaker are those of the group's History.
	Holding []Holding   `json:"holding,omitempty"`
	Turns   []time.Time `json:"turns,omitempty"`
	Breaker Breaker     `json:"breaker,omitzero"`
	// Pending is since when each alert's expression has had a result.
	Pending map[string]time.Time `json:"pending,omitempty"`
	// Spending is the group's account of this month.
	Spending Spending `json:"spending,omitzero"`
	// Shadows are the shadow policies by name.
	Shadows map[string]RememberedShadow `json:"shadows,omitempty"`
	// Penalties are those of the offerings that failed lately, by name.
	Penalties map[string]RememberedPenalty `json:"penalties,omitempty"`
	// Replaced are when a repair replaced nodes within the last hour, and FailedBoots how
	// many of them were never ready since one became so.
	Replaced    []time.Time `json:"replaced,omitempty"`
	FailedBoots int         `json:"failed_boots,omitempty"`
}

// RememberedPenalty is what an offering had from its failures at an instant; it halves
// in ten minutes.
type RememberedPenalty struct {
	Value float64      `json:"value"`
	At    time.Time    `json:"at"`
	Why   failure.Kind `json:"why"`
}

// RememberedShadow is where a shadow policy stands.
type RememberedShadow struct {
	// Description tells the policy from another of its name.
	Description string `json:"description"`
	Nodes       int    `json:"nodes"`
	// History is without the sizes that were asked for; see StoredGroup.
	History  History `json:"history,omitzero"`
	UserData []byte  `json:"user_data,omitempty"`
}

// history is what the row keeps of a History. The sizes asked for before a restart
// are not kept, so that a group shrinks only after a whole stabilisation window.
func (g StoredGroup) history() History {
	r := g.Remembered
	return History{
		LastOut: g.LastOut, LastIn: g.LastIn, Dropped: g.Dropping,
		Holding: r.Holding, Turns: r.Turns, Breaker: r.Breaker,
	}
}

// remembered is what the group's row is to keep after a tick.
func (g *group) remembered(h History) Remembered {
	r := Remembered{
		Holding: h.Holding, Turns: h.Turns, Breaker: h.Breaker, Spending: g.account,
		Penalties: g.actuator.Fleet().penalties, Replaced: g.replaced, FailedBoots: g.failedBoots,
	}
	if len(g.pending) > 0 {
		r.Pending = maps.Clone(g.pending)
	}
	for _, s := range g.shadows {
		if s.ticked.IsZero() {
			continue
		}
		if r.Shadows == nil {
			r.Shadows = map[string]RememberedShadow{}
		}
		r.Shadows[s.Name()] = s.remembered()
	}
	return r
}
