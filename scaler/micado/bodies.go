package micado

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// wrongBody is a mistake in a request's body.
type wrongBody struct{ message string }

func (e *wrongBody) Error() string { return e.message }

// initBody is the body of POST /init.
type initBody struct {
	Constants map[string]any `yaml:"constants" jsonschema:"required"`
}

// sampleBody is the body of POST /sample.
type sampleBody struct {
	Sample struct {
		Timestamp any      `yaml:"timestamp"`
		Nodes     any      `yaml:"vm_number"`
		Inputs    []metric `yaml:"input_metrics"`
		Targets   []metric `yaml:"target_metrics"`
	} `yaml:"sample" jsonschema:"required"`
}

type metric struct {
	Name  string `yaml:"name" jsonschema:"required"`
	Value any    `yaml:"value"`
}

// notNumbers are YAML's words for what is not a number or infinite, which are no
// values here. What is in quotes is not touched.
var notNumbers = regexp.MustCompile(`(?mi)([\s,\[:])[-+]?\.(?:nan|inf)(\s|[,}\]]|$)`)

// decode reads a body. The mistakes say where they are, as body:line:column.
func decode(text []byte, into any) error {
	_, err := strictyaml.Decode("body", notNumbers.ReplaceAll(text, []byte("${1}null$2")), into)
	return err
}

// parseInit reads the body of POST /init. All mistakes are joined.
func parseInit(text []byte) (optimizer.Config, error) {
	config := optimizer.Default()
	var b initBody
	if err := decode(text, &b); err != nil {
		return config, err
	}
	var errs []error
	inputs, targets := b.Constants["input_metrics"], b.Constants["target_metrics"]
	delete(b.Constants, "input_metrics")
	delete(b.Constants, "target_metrics")
	if err := config.ApplyConstants(b.Constants); err != nil {
		errs = append(errs, err)
	}
	for i, m := range listOf(inputs) {
		name, ok := mapOf(m)["name"].(string)
		if !ok {
			errs = append(errs, &wrongBody{fmt.Sprintf("input_metrics[%d] has no name", i)})
			continue
		}
		config.Inputs = append(config.Inputs, name)
	}
	for i, m := range listOf(targets) {
		t, err := target(mapOf(m))
		if err != nil {
			errs = append(errs, fmt.Errorf("target_metrics[%d]: %w", i, err))
			continue
		}
		config.Targets = append(config.Targets, t)
	}
	if len(errs) == 0 {
		errs = append(errs, config.Validate())
	}
	return config, errors.Join(errs...)
}

func target(m map[string]any) (optimizer.Target, error) {
	name, ok := m["name"].(string)
	if !ok {
		return optimizer.Target{}, &wrongBody{"has no name"}
	}
	t := optimizer.Target{Name: name}
	for key, limit := range map[string]**float64{"min_threshold": &t.Min, "max_threshold": &t.Max} {
		v, err := number(m[key])
		switch {
		case err != nil:
			return t, &wrongBody{fmt.Sprintf("%s of %s %v", key, name, err)}
		case !math.IsNaN(v):
			*limit = &v
		}
	}
	return t, nil
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// parseSample reads the body of POST /sample.
func parseSample(text []byte) (optimizer.Sample, error) {
	var b sampleBody
	if err := decode(text, &b); err != nil {
		return optimizer.Sample{}, err
	}
	s := optimizer.Sample{Values: map[string]float64{}}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, &wrongBody{fmt.Sprintf(format, args...)}) }
	at, err := instant(b.Sample.Timestamp)
	if err != nil {
		wrong("timestamp %v", err)
	}
	s.At = at
	nodes, err := number(b.Sample.Nodes)
	if err != nil || nodes != math.Trunc(nodes) || math.Abs(nodes) > 1e9 {
		wrong("vm_number is %v: send a whole number", b.Sample.Nodes)
	} else {
		s.Nodes = int(nodes)
	}
	for _, m := range append(b.Sample.Inputs, b.Sample.Targets...) {
		v, err := number(m.Value)
		if err != nil {
			wrong("value of %s %v", m.Name, err)
		}
		if _, twice := s.Values[m.Name]; twice {
			wrong("%s is there twice: send each metric once", m.Name)
		}
		s.Values[m.Name] = v
	}
	return s, errors.Join(errs...)
}

// number reads a number, which may be in quotes. What has no value, as the original's
// senders write it (null or an empty list), is NaN.
func number(v any) (float64, error) {
	switch v := v.(type) {
	case nil:
		return math.NaN(), nil
	case float64:
		return v, nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case []any:
		if len(v) == 0 {
			return math.NaN(), nil
		}
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f, nil
		}
	}
	return 0, fmt.Errorf("is %v: send a number, or null where there is none", v)
}

// instant reads seconds since 1970, as a number or in quotes, or an RFC 3339 time.
func instant(v any) (time.Time, error) {
	if text, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC(), nil
		}
	}
	seconds, err := number(v)
	if err != nil || !(seconds > 0 && seconds < 1e10) {
		return time.Time{}, fmt.Errorf("is %v: send seconds since 1970", v)
	}
	whole := math.Floor(seconds)
	return time.Unix(int64(whole), int64(math.Round((seconds-whole)*1e6))*1e3).UTC(), nil
}
