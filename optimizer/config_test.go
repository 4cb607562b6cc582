package optimizer

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesFieldValueAndRemedy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"the test's own configuration", func(*Config) {}, ""},
		{"an unknown method", func(c *Config) { c.Method = "magic" }, "optimizer method: magic: use auto or published"},
		{"max below min", func(c *Config) { c.MinNodes, c.MaxNodes = 5, 4 }, "optimizer max_nodes: 4: use at least 1 and at least min_nodes (5)"},
		{"no inputs", func(c *Config) { c.Inputs = nil }, "inputs"},
		{"no targets", func(c *Config) { c.Targets = nil }, "targets"},
		{"a metric twice", func(c *Config) { c.Inputs = []string{"load", "load"} }, "optimizer inputs[1]: load: name each metric once"},
		{"an input that is a target too", func(c *Config) { c.Inputs = []string{"latency"} }, "name each metric once"},
		{"a reserved name", func(c *Config) { c.Inputs = []string{"vm_number"} }, "column of the knowledge file"},
		{"a target without a limit", func(c *Config) { c.Targets[0].Min, c.Targets[0].Max = nil, nil }, "give min, max or both"},
		{"min above max", func(c *Config) { c.Targets[0].Min = limit(300) }, "targets[0].min: 300: use less than max (250)"},
		{"NaN as a limit", func(c *Config) { c.Targets[0].Max = limit(math.NaN()) }, "use a finite number"},
		{"a budget of all time", func(c *Config) { c.Budget = 1 }, "budget: 1"},
		{"NaN as a budget", func(c *Config) { c.Budget = math.NaN() }, "budget: NaN"},
		{"a negative freeze", func(c *Config) { c.AdviceFreezeInterval = -time.Second }, "advice_freeze_interval: -1s"},
		{"too few training samples", func(c *Config) { c.TrainingSamplesRequired = 1 }, "training_samples_required: 1"},
		{"an exploration without a price", func(c *Config) { c.Explore = Exploration{Every: time.Hour, ToHour: 3} }, "explore.node_hours: 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			tt.change(&c)
			err := c.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Validate() = %v, want %q", err, tt.want)
			}
			var m *Mistake
			if err != nil && !errors.As(err, &m) {
				t.Errorf("%v holds no *Mistake", err)
			}
		})
	}
}

func TestApplyConstantsTakesMiCADOsNames(t *testing.T) {
	c := testConfig()
	err := c.ApplyConstants(map[string]any{
		"min_vm_number": "2", "max_vm_number": 9, "training_samples_required": uint64(100), "max_upscale_delta": 5.0,
		"max_downscale_delta": 4, "advice_freeze_interval": "90", "knowledge_base": "build_new", "action_lag": 3,
		"nn_stop_error_rate": 10.0, "auto_trainer": false, "budget": 0.95, "method": "published", "interval": "30s",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.MinNodes != 2 || c.MaxNodes != 9 || c.TrainingSamplesRequired != 100 || c.MaxUpscaleDelta != 5 || c.MaxDownscaleDelta != 4 ||
		c.AdviceFreezeInterval != 90*time.Second || c.KnowledgeBase != BuildNew || c.ActionLag != 3 || c.Budget != 0.95 ||
		c.Method != Published || c.Interval != 30*time.Second {
		t.Errorf("constants gave %+v", c)
	}
	err = c.ApplyConstants(map[string]any{"max_vm_numbre": 3, "min_vm_number": "two", "max_upscale_delta": 1.5, "interval": "soon"})
	for _, want := range []string{"constants.max_vm_numbre: 3: no such constant", "constants.min_vm_number: two: use a whole number", "constants.max_upscale_delta: 1.5", "constants.interval: soon: use seconds"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %q", err, want)
		}
	}
}
