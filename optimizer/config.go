package optimizer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Method says how advice is found.
type Method string

const (
	// Auto learns capacity and load forecasts online and lets models compete (the default).
	Auto Method = "auto"
	// Published is the method of MiCADO deliverable D6.4, section 7.
	Published Method = "published"
)

// Knowledge says what becomes of the samples of an earlier run.
type Knowledge string

const (
	// UseExisting keeps them.
	UseExisting Knowledge = "use_existing"
	// BuildNew forgets them.
	BuildNew Knowledge = "build_new"
)

// Target is a metric to be held in a range. At least one limit is set.
type Target struct {
	Name string   `json:"name"`
	Min  *float64 `json:"min,omitempty"`
	Max  *float64 `json:"max,omitempty"`
}

// Retention bounds the knowledge: the newest Recent samples are all kept; of older
// ones at most Older, those that are unlike the rest.
type Retention struct {
	Recent int `json:"recent"`
	Older  int `json:"older"`
}

// Exploration allows a step of one node, upwards, where the models know little: at
// most once an Every, while the hour of the samples' UTC time is in [FromHour, ToHour),
// and costing at most NodeHours a day. The zero value forbids it.
type Exploration struct {
	Every     time.Duration `json:"every"`
	FromHour  int           `json:"from_hour"`
	ToHour    int           `json:"to_hour"`
	NodeHours float64       `json:"node_hours"`
}

// Config shapes an Optimizer. Start from Default; check with Validate.
type Config struct {
	Method        Method    `json:"method"`
	KnowledgeBase Knowledge `json:"knowledge_base"`
	MinNodes      int       `json:"min_nodes"`
	MaxNodes      int       `json:"max_nodes"`
	Inputs        []string  `json:"inputs"`
	Targets       []Target  `json:"targets"`

	// TrainingSamplesRequired is how many complete samples the published method's
	// first training, and the challengers of Auto, need.
	TrainingSamplesRequired int `json:"training_samples_required"`
	// MaxUpscaleDelta and MaxDownscaleDelta bound one advice: nodes more or fewer than exist.
	MaxUpscaleDelta   int `json:"max_upscale_delta"`
	MaxDownscaleDelta int `json:"max_downscale_delta"`
	// AdviceFreezeInterval keeps an advised change for so long before the next.
	AdviceFreezeInterval time.Duration `json:"advice_freeze_interval"`
	// ActionLag is how many samples after a scaling event the published method looks
	// for its effect.
	ActionLag int `json:"action_lag"`
	// HiddenUnits is the size of the published perceptron's hidden layer.
	HiddenUnits int `json:"hidden_units"`

	// Budget is the share of time, in (0.5, 1), for which every target must hold.
	Budget float64 `json:"budget"`
	// Interval is a hint of the time between samples; 0: found from the samples.
	Interval time.Duration `json:"interval"`
	// BootHint is a first guess of the time from creating a node to its being ready;
	// 0: two minutes. It is replaced by what is seen.
	BootHint time.Duration `json:"boot_hint"`
	// Retain bounds the samples kept.
	Retain Retention `json:"retain"`
	// Explore allows experiments; zero: none.
	Explore Exploration `json:"explore"`
	// Seed makes training repeatable.
	Seed uint64 `json:"seed"`
}

// Default returns the settings MiCADO's Optimizer starts from, with no metrics yet.
func Default() Config {
	return Config{
		Method:                  Auto,
		KnowledgeBase:           UseExisting,
		MinNodes:                1,
		MaxNodes:                10,
		TrainingSamplesRequired: 300,
		MaxUpscaleDelta:         6,
		MaxDownscaleDelta:       6,
		ActionLag:               1,
		HiddenUnits:             4,
		Budget:                  0.99,
		Retain:                  Retention{Recent: 50_000, Older: 50_000},
		Seed:                    1234,
	}
}

// Mistake is one unusable setting: its field, its value, and what to do.
type Mistake struct {
	Field  string
	Value  any
	Remedy string
}

// Error implements error.
func (m *Mistake) Error() string {
	return fmt.Sprintf("optimizer %s: %v: %s", m.Field, m.Value, m.Remedy)
}

// Validate returns all mistakes of the configuration, each a *Mistake, joined.
func (c Config) Validate() error {
	var errs []error
	wrong := func(bad bool, field string, value any, remedy string) {
		if bad {
			errs = append(errs, &Mistake{field, value, remedy})
		}
	}
	wrong(c.Method != Auto && c.Method != Published, "method", c.Method, "use auto or published")
	wrong(c.KnowledgeBase != UseExisting && c.KnowledgeBase != BuildNew, "knowledge_base", c.KnowledgeBase, "use use_existing or build_new")
	wrong(c.MinNodes < 0, "min_nodes", c.MinNodes, "use 0 or more")
	wrong(c.MaxNodes < max(c.MinNodes, 1), "max_nodes", c.MaxNodes, fmt.Sprintf("use at least 1 and at least min_nodes (%d)", c.MinNodes))
	wrong(c.MaxNodes > maxNodes, "max_nodes", c.MaxNodes, fmt.Sprintf("use at most %d", maxNodes))
	wrong(len(c.Inputs) == 0, "inputs", c.Inputs, "name at least one input metric")
	wrong(len(c.Targets) == 0, "targets", "none", "name at least one target metric")
	wrong(c.TrainingSamplesRequired < 10, "training_samples_required", c.TrainingSamplesRequired, "use 10 or more")
	wrong(c.MaxUpscaleDelta < 1 || c.MaxUpscaleDelta > maxDelta, "max_upscale_delta", c.MaxUpscaleDelta, fmt.Sprintf("use 1 to %d", maxDelta))
	wrong(c.MaxDownscaleDelta < 1 || c.MaxDownscaleDelta > maxDelta, "max_downscale_delta", c.MaxDownscaleDelta, fmt.Sprintf("use 1 to %d", maxDelta))
	wrong(c.AdviceFreezeInterval < 0, "advice_freeze_interval", c.AdviceFreezeInterval, "use 0 or more")
	wrong(c.ActionLag < 1 || c.ActionLag > 100, "action_lag", c.ActionLag, "use 1 to 100 samples")
	wrong(c.HiddenUnits < 1 || c.HiddenUnits > 64, "hidden_units", c.HiddenUnits, "use 1 to 64")
	wrong(!(c.Budget > 0.5 && c.Budget < 1), "budget", c.Budget, "use a share of time between 0.5 and 1, such as 0.99")
	wrong(c.Interval < 0, "interval", c.Interval, "use 0 (found from the samples) or more")
	wrong(c.BootHint < 0, "boot_hint", c.BootHint, "use 0 (found from the samples) or more")
	wrong(c.Retain.Recent < 100, "retain.recent", c.Retain.Recent, "keep at least 100 samples")
	wrong(c.Retain.Older < 0, "retain.older", c.Retain.Older, "use 0 or more")
	c.checkExploration(wrong)
	c.checkNames(wrong)
	return errors.Join(errs...)
}

const (
	// maxNodes bounds the candidates worth a number.
	maxNodes = 1_000_000
	// maxDelta bounds the candidates of one advice.
	maxDelta = 10_000
)

func (c Config) checkExploration(wrong func(bool, string, any, string)) {
	e := c.Explore
	if e == (Exploration{}) {
		return
	}
	wrong(e.Every < 10*time.Minute, "explore.every", e.Every, "use 10m or more")
	wrong(e.FromHour < 0 || e.FromHour > 23, "explore.from_hour", e.FromHour, "use 0 to 23")
	wrong(e.ToHour <= e.FromHour || e.ToHour > 24, "explore.to_hour", e.ToHour, "use an hour after from_hour, at most 24")
	wrong(!(e.NodeHours > 0) || math.IsInf(e.NodeHours, 0), "explore.node_hours", e.NodeHours, "use a positive number of node-hours a day")
}

func (c Config) checkNames(wrong func(bool, string, any, string)) {
	var seen []string
	name := func(field, n string) {
		wrong(n == "", field, `""`, "give the metric a name")
		wrong(n != "" && slices.Contains(seen, n), field, n, "name each metric once, as an input or as a target")
		wrong(slices.Contains(reservedColumns, n), field, n, "choose another name: it is a column of the knowledge file")
		seen = append(seen, n)
	}
	for i, n := range c.Inputs {
		name(fmt.Sprintf("inputs[%d]", i), n)
	}
	finite := func(v *float64) bool { return v == nil || !math.IsNaN(*v) && !math.IsInf(*v, 0) }
	for i, t := range c.Targets {
		field := fmt.Sprintf("targets[%d]", i)
		name(field+".name", t.Name)
		wrong(!finite(t.Min), field+".min", t.Min, "use a finite number")
		wrong(!finite(t.Max), field+".max", t.Max, "use a finite number")
		wrong(t.Min == nil && t.Max == nil, field, t.Name, "give min, max or both")
		if finite(t.Min) && finite(t.Max) && t.Min != nil && t.Max != nil {
			wrong(*t.Min >= *t.Max, field+".min", *t.Min, fmt.Sprintf("use less than max (%v)", *t.Max))
		}
	}
}
