package optimizer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ApplyConstants sets the settings that MiCADO names as constants: those of its
// Optimizer's POST /init (training_samples_required, max_upscale_delta, ...) and this
// one's own (method, budget, ...). Numbers may be numbers or quoted numbers; intervals
// are seconds or durations such as 5m. Constants without a use here (auto_trainer,
// nn_stop_error_rate) are accepted and ignored, as MiCADO's ADTs carry them. All
// mistakes are returned joined; c is changed where a constant was usable.
func (c *Config) ApplyConstants(constants map[string]any) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		set, ok := constantSetters[name]
		if !ok {
			errs = append(errs, &Mistake{"constants." + name, constants[name], "no such constant; known are " + strings.Join(slices.Sorted(maps.Keys(constantSetters)), ", ")})
			continue
		}
		if err := set(c, constants[name]); err != nil {
			errs = append(errs, &Mistake{"constants." + name, constants[name], err.Error()})
		}
	}
	return errors.Join(errs...)
}

var constantSetters = map[string]func(c *Config, v any) error{
	"min_vm_number":             func(c *Config, v any) error { return setInt(&c.MinNodes, v) },
	"max_vm_number":             func(c *Config, v any) error { return setInt(&c.MaxNodes, v) },
	"training_samples_required": func(c *Config, v any) error { return setInt(&c.TrainingSamplesRequired, v) },
	"max_upscale_delta":         func(c *Config, v any) error { return setInt(&c.MaxUpscaleDelta, v) },
	"max_downscale_delta":       func(c *Config, v any) error { return setInt(&c.MaxDownscaleDelta, v) },
	"advice_freeze_interval":    func(c *Config, v any) error { return setDuration(&c.AdviceFreezeInterval, v) },
	"action_lag":                func(c *Config, v any) error { return setInt(&c.ActionLag, v) },
	"knowledge_base":            func(c *Config, v any) error { c.KnowledgeBase = Knowledge(fmt.Sprint(v)); return nil },
	"method":                    func(c *Config, v any) error { c.Method = Method(fmt.Sprint(v)); return nil },
	"budget":                    func(c *Config, v any) error { return setFloat(&c.Budget, v) },
	"interval":                  func(c *Config, v any) error { return setDuration(&c.Interval, v) },
	"hidden_units":              func(c *Config, v any) error { return setInt(&c.HiddenUnits, v) },
	"auto_trainer":              func(*Config, any) error { return nil },
	"nn_stop_error_rate":        func(*Config, any) error { return nil },
}

func setInt(to *int, v any) error {
	var f float64
	if err := setFloat(&f, v); err != nil || f != math.Trunc(f) || math.Abs(f) > 1e9 {
		return errors.New("use a whole number")
	}
	*to = int(f)
	return nil
}

func setFloat(to *float64, v any) error {
	f, err := strconv.ParseFloat(strings.TrimSpace(fmt.Sprint(v)), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return errors.New("use a number")
	}
	*to = f
	return nil
}

func setDuration(to *time.Duration, v any) error {
	if d, err := time.ParseDuration(fmt.Sprint(v)); err == nil {
		*to = d
		return nil
	}
	var seconds float64
	if err := setFloat(&seconds, v); err != nil || math.Abs(seconds) > 1e9 {
		return errors.New("use seconds, or a duration such as 5m")
	}
	*to = time.Duration(seconds * float64(time.Second))
	return nil
}
