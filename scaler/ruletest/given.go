// Package ruletest evaluates rules on metrics that a person makes up: one set of
// them from a command line, or the cases of a test file.
package ruletest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Rule is a rule with what its description says about it.
type Rule struct {
	Rule      spec.Rule
	Constants map[string]any
	Min, Max  int
}

// Given is what a rule sees, by name. m_node_count is the wanted number of nodes,
// m_nodes the ready ones (a number, or their names), now an instant in RFC 3339;
// min and max bound the group. Any other name is a constant where the description
// has such a constant, and a query or an alert otherwise: a number, true or false,
// a list of a label's values, or the word for why it has no value (no series, not
// a number, stale, query error, unreachable). Queries that are not given have no
// series.
type Given map[string]any

// ParseSetting reads NAME=VALUE, where VALUE is JSON, or else a text.
func ParseSetting(text string) (name string, value any, err error) {
	name, written, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return "", nil, fmt.Errorf("%q is not NAME=VALUE", text)
	}
	if json.Unmarshal([]byte(written), &value) != nil {
		value = written
	}
	return name, value, nil
}

// Evaluate is the proposal of a rule for what is given.
func Evaluate(r Rule, given Given) (policy.Proposal, error) {
	made, err := policy.New(spec.Policy{Name: "rule", Rule: &r.Rule}, r.Constants)
	if err != nil {
		return policy.Proposal{}, err
	}
	obs, err := observe(r, given)
	if err != nil {
		return policy.Proposal{}, err
	}
	for _, query := range made.Queries() {
		if _, ok := obs.Readings[query]; !ok {
			obs.Readings[query] = policy.Reading{Missing: policy.NoSeries}
		}
	}
	return made.Propose(obs), nil
}

// start is the instant of an evaluation where none is given.
var start = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func observe(r Rule, given Given) (policy.Observation, error) {
	obs := policy.Observation{
		Now: start, Group: "group", Wanted: 1, Min: r.Min, Max: r.Max,
		Readings: map[string]policy.Reading{}, Constants: map[string]any{},
	}
	numbers := map[string]*int{"m_node_count": &obs.Wanted, "min": &obs.Min, "max": &obs.Max}
	since := 0
	numbers["m_time_since_node_count_changed"] = &since
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := given[name]
		var err error
		switch into, isNumber := numbers[name]; {
		case isNumber:
			*into, err = whole(value)
		case name == "m_nodes":
			obs.Nodes, err = nodes(value)
		case name == "m_userdata":
			obs.UserData, err = json.Marshal(value)
		case name == "now":
			obs.Now, err = time.Parse(time.RFC3339, fmt.Sprint(value))
		case strings.HasPrefix(name, "m_") && !strings.HasPrefix(name, "m_opt_"):
			err = fmt.Errorf("is nothing that can be given")
		default:
			if _, constant := r.Constants[name]; constant {
				obs.Constants[name] = value
				continue
			}
			obs.Readings[name], err = policy.ParseReading(value)
		}
		if err != nil {
			return obs, fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, ok := given["m_nodes"]; !ok {
		obs.Nodes, _ = nodes(obs.Wanted)
	}
	if since > 0 {
		obs.ChangedAt = obs.Now.Add(-time.Duration(since) * time.Second)
	}
	return obs, nil
}

func whole(v any) (int, error) {
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("is %v, write a whole number", v)
	}
	return n, nil
}

// nodes makes ready nodes: so many, or of these names.
func nodes(v any) ([]policy.Node, error) {
	if list, ok := v.([]any); ok {
		made := make([]policy.Node, len(list))
		for i, name := range list {
			made[i] = node(fmt.Sprint(name), i)
		}
		return made, nil
	}
	n, err := whole(v)
	if err != nil || n > 10000 {
		return nil, fmt.Errorf("is %v, write how many nodes are ready, or a list of their names", v)
	}
	made := make([]policy.Node, n)
	for i := range made {
		made[i] = node(fmt.Sprintf("node-%04d", i+1), i)
	}
	return made, nil
}

func node(name string, i int) policy.Node {
	return policy.Node{Name: name, ID: name, Address: fmt.Sprintf("10.0.%d.%d", (i+1)/256, (i+1)%256), Ready: true}
}
