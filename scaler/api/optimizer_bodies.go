package api

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
)

// OptimizerConfig shapes an optimizer. What is left out has the default.
type OptimizerConfig struct {
	Method   string            `json:"method,omitempty" enum:"auto,published" default:"auto" doc:"auto: models compete on held-out time. published: the method of MiCADO (COLA D6.4, section 7)."`
	Inputs   []string          `json:"inputs" minItems:"1" doc:"Names of the metrics that are learned from. Any names but timestamp and vm_number."`
	Targets  []OptimizerTarget `json:"targets" minItems:"1" doc:"What is to be held in a range; all must hold."`
	MinNodes *int              `json:"min_nodes,omitempty" minimum:"0" doc:"Fewest nodes advised. Default 1."`
	MaxNodes int               `json:"max_nodes,omitempty" minimum:"1" doc:"Most nodes advised. Default 10."`
	// KnowledgeBase is what becomes of the samples that an optimizer of this name has.
	KnowledgeBase           string       `json:"knowledge_base,omitempty" enum:"use_existing,build_new" default:"use_existing" doc:"What becomes of the samples of an optimizer of this name: they are learned again, or forgotten."`
	TrainingSamplesRequired int          `json:"training_samples_required,omitempty" minimum:"10" doc:"Complete samples that the first training needs. Default 300."`
	MaxUpscaleDelta         int          `json:"max_upscale_delta,omitempty" minimum:"1" maximum:"10000" doc:"Most nodes that one advice adds. Default 6."`
	MaxDownscaleDelta       int          `json:"max_downscale_delta,omitempty" minimum:"1" maximum:"10000" doc:"Most nodes that one advice removes. Default 6."`
	AdviceFreezeInterval    Span         `json:"advice_freeze_interval,omitempty" doc:"Least time between two changes of the advice. Default 0."`
	ActionLag               int          `json:"action_lag,omitempty" minimum:"1" maximum:"100" doc:"Samples after a change of the size at which the published method looks for its effect. Default 1."`
	HiddenUnits             int          `json:"hidden_units,omitempty" minimum:"1" maximum:"64" doc:"Hidden units of the published method's perceptron. Default 4."`
	Budget                  float64      `json:"budget,omitempty" exclusiveMinimum:"0.5" exclusiveMaximum:"1" doc:"Share of time for which every target must hold. Default 0.99."`
	Interval                Span         `json:"interval,omitempty" doc:"Time between two samples. Default: found from the samples."`
	BootHint                Span         `json:"boot_hint,omitempty" doc:"First guess of the time from a node's creation to its being ready; it is measured then. Default 2m."`
	Retain                  *Retention   `json:"retain,omitempty" doc:"How many samples are kept."`
	Exploration             *Exploration `json:"exploration,omitempty" doc:"Allows a step of one node, upwards, where little is known. Without it there is none."`
	Seed                    *uint64      `json:"seed,omitempty" doc:"Seed of all random draws of the training. Default 1234."`
}

// OptimizerTarget is a metric to be held in a range. At least one limit is set.
type OptimizerTarget struct {
	Name string   `json:"name" doc:"Name of the metric."`
	Min  *float64 `json:"min,omitempty" doc:"Least value, in the metric's unit. One of min and max is needed."`
	Max  *float64 `json:"max,omitempty" doc:"Greatest value, in the metric's unit."`
}

// Retention bounds the samples that are kept.
type Retention struct {
	Recent int `json:"recent" minimum:"100" doc:"The newest samples, all of which are kept. Default 50000."`
	Older  int `json:"older" minimum:"0" doc:"Samples before those that are kept, chosen by how unlike the others they are. Default 50000."`
}

// Exploration allows experiments.
type Exploration struct {
	Every     Span    `json:"every" doc:"Least time between two steps; 10m or more."`
	FromHour  int     `json:"from_hour,omitempty" minimum:"0" maximum:"23" doc:"First hour of the day (UTC) with steps."`
	ToHour    int     `json:"to_hour" minimum:"1" maximum:"24" doc:"Hour of the day (UTC) before which steps end."`
	NodeHours float64 `json:"node_hours" exclusiveMinimum:"0" doc:"Node-hours a day that the steps may cost."`
}

func (c OptimizerConfig) config() optimizer.Config {
	to := optimizer.Default()
	to.Inputs = c.Inputs
	for _, t := range c.Targets {
		to.Targets = append(to.Targets, optimizer.Target{Name: t.Name, Min: t.Min, Max: t.Max})
	}
	given(&to.Method, optimizer.Method(c.Method))
	given(&to.KnowledgeBase, optimizer.Knowledge(c.KnowledgeBase))
	if c.MinNodes != nil {
		to.MinNodes = *c.MinNodes
	}
	given(&to.MaxNodes, c.MaxNodes)
	given(&to.TrainingSamplesRequired, c.TrainingSamplesRequired)
	given(&to.MaxUpscaleDelta, c.MaxUpscaleDelta)
	given(&to.MaxDownscaleDelta, c.MaxDownscaleDelta)
	given(&to.AdviceFreezeInterval, time.Duration(c.AdviceFreezeInterval))
	given(&to.ActionLag, c.ActionLag)
	given(&to.HiddenUnits, c.HiddenUnits)
	given(&to.Budget, c.Budget)
	given(&to.Interval, time.Duration(c.Interval))
	given(&to.BootHint, time.Duration(c.BootHint))
	if c.Retain != nil {
		to.Retain = optimizer.Retention(*c.Retain)
	}
	if e := c.Exploration; e != nil {
		to.Explore = optimizer.Exploration{Every: time.Duration(e.Every), FromHour: e.FromHour, ToHour: e.ToHour, NodeHours: e.NodeHours}
	}
	if c.Seed != nil {
		to.Seed = *c.Seed
	}
	return to
}

func given[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}

func configOf(c optimizer.Config) OptimizerConfig {
	to := OptimizerConfig{
		Method: string(c.Method), Inputs: c.Inputs, MinNodes: &c.MinNodes, MaxNodes: c.MaxNodes,
		KnowledgeBase: string(c.KnowledgeBase), TrainingSamplesRequired: c.TrainingSamplesRequired,
		MaxUpscaleDelta: c.MaxUpscaleDelta, MaxDownscaleDelta: c.MaxDownscaleDelta,
		AdviceFreezeInterval: Span(c.AdviceFreezeInterval), ActionLag: c.ActionLag, HiddenUnits: c.HiddenUnits,
		Budget: c.Budget, Interval: Span(c.Interval), BootHint: Span(c.BootHint),
		Retain: &Retention{c.Retain.Recent, c.Retain.Older}, Seed: &c.Seed,
	}
	for _, t := range c.Targets {
		to.Targets = append(to.Targets, OptimizerTarget{Name: t.Name, Min: t.Min, Max: t.Max})
	}
	if e := c.Explore; e != (optimizer.Exploration{}) {
		to.Exploration = &Exploration{Span(e.Every), e.FromHour, e.ToHour, e.NodeHours}
	}
	return to
}

// OptimizerSample is what was measured at one instant.
type OptimizerSample struct {
	At    Instant `json:"at" doc:"When: seconds since 1970, or RFC 3339. Later than every sample before."`
	Nodes int     `json:"nodes" minimum:"0" doc:"Nodes that are ready and take load."`
	Total int     `json:"total,omitempty" minimum:"0" doc:"Nodes that exist or are being made: nodes and those booting. Left out: unknown, what was advised is taken to be coming."`
	// Values has an entry for every input and target.
	Values map[string]*float64 `json:"values" doc:"A value for every input and target by name; null where there is none. A name that is left out, or too many, is an error."`
	Boots  []Span              `json:"boots,omitempty" doc:"For each node that became ready since the sample before, the time from the request for it. Left out: inferred from nodes and total."`
}

// Samples are the body of a batch.
type Samples struct {
	Samples []OptimizerSample `json:"samples" minItems:"1" doc:"Oldest first. All are learned from, or none."`
}

func (s OptimizerSample) sample() scaler.Sample {
	to := scaler.Sample{Sample: optimizer.Sample{At: time.Time(s.At), Nodes: s.Nodes, Total: s.Total, Values: make(map[string]float64, len(s.Values))}}
	for name, v := range s.Values {
		to.Values[name] = math.NaN()
		if v != nil {
			to.Values[name] = *v
		}
	}
	for _, b := range s.Boots {
		to.Boots = append(to.Boots, time.Duration(b))
	}
	return to
}

// Span is a length of time: in JSON a text such as "90s" or "5m", or a number of
// seconds.
type Span time.Duration

// MarshalJSON writes the text form.
func (s Span) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).String()) }

// UnmarshalJSON reads both forms.
func (s *Span) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		if math.Abs(v) > 1e9 {
			return fmt.Errorf("%v seconds are too many", v)
		}
		*s = Span(math.Round(v * float64(time.Second)))
		return nil
	case string:
		d, err := time.ParseDuration(v)
		*s = Span(d)
		return err
	}
	return fmt.Errorf("%s is no length of time: write \"90s\" or 90", text)
}

// Schema implements huma.SchemaProvider.
func (Span) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: "string", Examples: []any{"90s"}}, {Type: "number"}}, Description: "A text such as 90s or 5m, or seconds."}
}

// Instant is an instant: in JSON seconds since 1970, or an RFC 3339 text.
type Instant time.Time

// MarshalJSON writes RFC 3339.
func (i Instant) MarshalJSON() ([]byte, error) { return time.Time(i).MarshalJSON() }

// UnmarshalJSON reads both forms.
func (i *Instant) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		t, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(text))
		*i = Instant(t.UTC())
		return err
	}
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return err
	}
	t, err := instant(seconds)
	*i = Instant(t)
	return err
}

// instant is an instant in seconds since 1970, to the microsecond.
func instant(seconds float64) (time.Time, error) {
	if !(seconds > 0 && seconds < 9e9) {
		return time.Time{}, fmt.Errorf("%v is no instant: write seconds since 1970, between 0 and 9e9", seconds)
	}
	whole := math.Floor(seconds)
	return time.Unix(int64(whole), int64(math.Round((seconds-whole)*1e6))*1e3).UTC(), nil
}

// Schema implements huma.SchemaProvider.
func (Instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: "number", Examples: []any{1600000000}}, {Type: "string", Format: "date-time"}}, Description: "Seconds since 1970, or RFC 3339."}
}
