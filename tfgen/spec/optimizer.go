package spec

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Optimizer configures what learns how the group's size acts on its metrics. Its
// advice is used by the advice policy and by m_opt_advice() in rules.
type Optimizer struct {
	// Method says how advice is found.
	Method OptimizerMethod `yaml:"method" jsonschema:"enum=auto,enum=published" jsonschema_description:"auto: models compete on held-out time, a reactive one is in charge until another has earned it. published: the method of MiCADO. Default auto."`
	// Inputs name the queries that the targets depend on.
	Inputs []string `yaml:"inputs" jsonschema:"required,minItems=1" jsonschema_description:"Names of the queries that are learned from, such as requests and CPU."`
	// Targets are the queries to be held in a range.
	Targets []OptimizerTarget `yaml:"targets" jsonschema:"required,minItems=1" jsonschema_description:"What is to be held in a range; all must hold."`
	// KnowledgeBase says what becomes of the samples of an earlier run.
	KnowledgeBase KnowledgeBase `yaml:"knowledge_base" jsonschema:"enum=use_existing,enum=build_new" jsonschema_description:"use_existing: samples of an earlier run are used. build_new: they are forgotten when the group is first applied. Default use_existing."`
	// TrainingSamplesRequired is how many complete samples the first training needs.
	TrainingSamplesRequired int `yaml:"training_samples_required" jsonschema:"minimum=10" jsonschema_description:"Complete samples that the first training needs. Default 300."`
	// MaxUpscaleDelta and MaxDownscaleDelta bound one advice.
	MaxUpscaleDelta int `yaml:"max_upscale_delta" jsonschema:"minimum=1,maximum=10000" jsonschema_description:"Most nodes that one advice adds. Default 6."`
	// MaxDownscaleDelta is the most nodes that one advice removes.
	MaxDownscaleDelta int `yaml:"max_downscale_delta" jsonschema:"minimum=1,maximum=10000" jsonschema_description:"Most nodes that one advice removes. Default 6."`
	// AdviceFreezeInterval is how long an advised change stays before the next.
	AdviceFreezeInterval Duration `yaml:"advice_freeze_interval" jsonschema_description:"Least time between two changes of the advice. Default 0s."`
	// ActionLag is the published method's time from a change to its effect.
	ActionLag int `yaml:"action_lag" jsonschema:"minimum=1,maximum=100" jsonschema_description:"Samples after a change of the size at which the published method looks for its effect. Default 1."`
	// HiddenUnits is the size of the published perceptron's hidden layer.
	HiddenUnits int `yaml:"hidden_units" jsonschema:"minimum=1,maximum=64" jsonschema_description:"Hidden units of the published method's perceptron. Default 4."`
	// Budget is the share of time for which every target must hold.
	Budget float64 `yaml:"budget" jsonschema:"minimum=0.5,maximum=1" jsonschema_description:"Share of time for which every target must hold, above 0.5 and below 1. Default 0.99."`
	// BootHint is a first guess of the time from a node's creation to its being ready.
	BootHint Duration `yaml:"boot_hint" jsonschema_description:"First guess of the time from a node's creation to its being ready; it is measured then. Default 2m."`
	// Retain bounds the samples that are kept.
	Retain Retention `yaml:"retain" jsonschema_description:"How many samples are kept."`
	// Exploration allows experiments; without it there are none.
	Exploration *Exploration `yaml:"exploration" jsonschema_description:"Allows a step of one node, upwards, where little is known. Without it there is none."`
	// Seed makes training repeatable.
	Seed int `yaml:"seed" jsonschema:"minimum=0" jsonschema_description:"Seed of all random draws of the training. Default 1234."`
}

// OptimizerTarget is a query to be held in a range. At least one limit is set.
type OptimizerTarget struct {
	// Query names the query.
	Query string `yaml:"query" jsonschema:"required" jsonschema_description:"Name of the query."`
	// Min and Max bound the value, in the query's unit.
	Min *float64 `yaml:"min" jsonschema_description:"Least value, in the query's unit."`
	// Max is the upper limit.
	Max *float64 `yaml:"max" jsonschema_description:"Greatest value, in the query's unit."`
}

// OptimizerMethod says how advice is found.
type OptimizerMethod string

const (
	// MethodAuto lets models compete on time that they have not seen.
	MethodAuto OptimizerMethod = "auto"
	// MethodPublished is the method of MiCADO (COLA deliverable D6.4, section 7).
	MethodPublished OptimizerMethod = "published"
)

// KnowledgeBase says what becomes of the samples of an earlier run.
type KnowledgeBase string

const (
	// KnowledgeUseExisting keeps them.
	KnowledgeUseExisting KnowledgeBase = "use_existing"
	// KnowledgeBuildNew forgets them.
	KnowledgeBuildNew KnowledgeBase = "build_new"
)

// Retention bounds the samples that are kept.
type Retention struct {
	// Recent is how many of the newest samples are all kept.
	Recent int `yaml:"recent" jsonschema:"minimum=100" jsonschema_description:"The newest samples, all of which are kept. Default 50000."`
	// Older is how many of those before are kept, chosen by how unlike they are.
	Older int `yaml:"older" jsonschema:"minimum=0" jsonschema_description:"Samples before those that are kept, chosen by how unlike the others they are. Default 50000."`
}

// Exploration allows a step of at most one node, upwards, where the models know
// little: within hours of the day, in UTC, and under a price.
type Exploration struct {
	// Every is the least time between two steps.
	Every Duration `yaml:"every" jsonschema:"required" jsonschema_description:"Least time between two steps; 10m or more."`
	// FromHour and ToHour are the window, the second excluded.
	FromHour int `yaml:"from_hour" jsonschema:"minimum=0,maximum=23" jsonschema_description:"First hour of the day (UTC) with steps. Default 0."`
	// ToHour is the hour at which the window ends.
	ToHour int `yaml:"to_hour" jsonschema:"minimum=1,maximum=24" jsonschema_description:"Hour of the day (UTC) before which steps end. Default 24."`
	// NodeHours is the price that the steps may have.
	NodeHours float64 `yaml:"node_hours" jsonschema:"required,exclusiveMinimum=0" jsonschema_description:"Node-hours a day that the steps may cost."`
}

// Advice is the policy that follows the group's optimizer.
type Advice struct {
	// MinReliability is the reliability below which an advice is not followed.
	MinReliability float64 `yaml:"min_reliability" jsonschema:"minimum=0,maximum=100" jsonschema_description:"Reliability, 0..100, below which an advice is not followed. Default 0."`
}

func setOptimizerDefaults(o *Optimizer, path string, has func(path string) bool) {
	set(&o.Method, MethodAuto, has(path+".method"))
	set(&o.KnowledgeBase, KnowledgeUseExisting, has(path+".knowledge_base"))
	set(&o.TrainingSamplesRequired, 300, has(path+".training_samples_required"))
	set(&o.MaxUpscaleDelta, 6, has(path+".max_upscale_delta"))
	set(&o.MaxDownscaleDelta, 6, has(path+".max_downscale_delta"))
	set(&o.ActionLag, 1, has(path+".action_lag"))
	set(&o.HiddenUnits, 4, has(path+".hidden_units"))
	set(&o.Budget, 0.99, has(path+".budget"))
	set(&o.BootHint, Duration(2*time.Minute), has(path+".boot_hint"))
	set(&o.Retain.Recent, 50_000, has(path+".retain.recent"))
	set(&o.Retain.Older, 50_000, has(path+".retain.older"))
	set(&o.Seed, 1234, has(path+".seed"))
	if o.Exploration != nil {
		set(&o.Exploration.ToHour, 24, has(path+".exploration.to_hour"))
	}
}

// optimizer checks what the tags can't say; queries are those of the group.
func (c *checker) optimizer(o *Optimizer, path string, queries map[string]Query, known []string) {
	seen := map[string]string{}
	metric := func(path, name string) {
		c.query(path, name, known)
		if q, ok := queries[name]; ok && q.Label != "" {
			c.mistake(path, fmt.Sprintf("is %q, which is a list of labels", name), "name a query whose value is a number")
		}
		c.unique(seen, path, name, "metric")
	}
	for i, name := range o.Inputs {
		metric(strictyaml.JoinIndex(path+".inputs", i), name)
	}
	for i, t := range o.Targets {
		at := strictyaml.JoinIndex(path+".targets", i)
		metric(at+".query", t.Query)
		c.limits(at, t)
	}
	if c.fine(path+".budget") && (o.Budget <= 0.5 || o.Budget >= 1) {
		c.mistake(path+".budget", fmt.Sprintf("is %v", o.Budget), "write a share of time above 0.5 and below 1, such as 0.99")
	}
	if e := o.Exploration; e != nil {
		c.exploration(e, path+".exploration")
	}
}

func (c *checker) limits(path string, t OptimizerTarget) {
	switch {
	case c.doc.Wrong(path):
	case t.Min == nil && t.Max == nil:
		c.mistake(path, "has neither min nor max", "add one of them, or both")
	case t.Min != nil && t.Max != nil && *t.Min >= *t.Max:
		c.mistake(path+".min", fmt.Sprintf("is %v, not less than max %v", *t.Min, *t.Max), "lower min or raise max")
	}
}

func (c *checker) exploration(e *Exploration, path string) {
	if c.fine(path+".every") && e.Every.AsDuration() < 10*time.Minute {
		c.mistake(path+".every", fmt.Sprintf("is %s, less than 10m", e.Every), "write 10m or more")
	}
	if !c.doc.Wrong(path) && e.ToHour <= e.FromHour {
		c.mistake(path, fmt.Sprintf("goes from hour %d to hour %d", e.FromHour, e.ToHour), "make to_hour later than from_hour")
	}
	if c.fine(path+".node_hours") && !(e.NodeHours > 0 && !math.IsInf(e.NodeHours, 0)) {
		c.mistake(path+".node_hours", fmt.Sprintf("is %v", e.NodeHours), "write a number above 0")
	}
}

// Queries are the names of the queries that the optimizer uses: inputs, then
// targets.
func (o *Optimizer) Queries() []string {
	names := slices.Clone(o.Inputs)
	for _, t := range o.Targets {
		names = append(names, t.Query)
	}
	return names
}
