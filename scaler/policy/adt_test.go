package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// adtDir is the folder with MiCADO's own descriptions, which are not part of the
// repository.
func adtDir(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	dir = filepath.Join(dir, "..", "shared", "adts")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the descriptions of MiCADO are not there: ", err)
	}
	return dir
}

// adtRules are the texts of all rules in a description.
func adtRules(v any) []string {
	var found []string
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if nested, ok := value.(map[string]any); ok && key == "scaling_rule" {
				value = nested["default"]
			}
			if text, ok := value.(string); ok && key == "scaling_rule" {
				found = append(found, text)
				continue
			}
			found = append(found, adtRules(value)...)
		}
	case []any:
		for _, value := range v {
			found = append(found, adtRules(value)...)
		}
	}
	slices.Sort(found)
	return found
}

func readADT(t *testing.T, file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Logf("%s is not YAML: %v", filepath.Base(file), err)
		return nil
	}
	return adtRules(v)
}

// adtConstants are what the rules take for constants, and for values of queries.
func adtConstants() map[string]any {
	return map[string]any{
		"MAXCONTAINERS": 20, "MINNODES": 1, "MWID_prefix": "saker-", "CONTSPERNODE": 2, "COOLDOWNPERIOD": 60,
		"maxRPCth": 100, "minRPCth": 20, "minNodeScaleInterval": 60, "minContScaleInterval": 30, "ERD": 60,
		"spikes": []any{map[string]any{"bt": "14-11-2023 22:00:00", "et": "14-11-2023 23:00:00", "min": 1, "max": 10}},
	}
}

// TestEveryRuleOfMiCADORuns evaluates every rule of every description.
func TestEveryRuleOfMiCADORuns(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(adtDir(t), "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		for _, source := range readADT(t, file) {
			p, err := policy.New(spec.Policy{Rule: &spec.Rule{Source: source, File: filepath.Base(file)}}, adtConstants())
			if err != nil {
				t.Errorf("New() of the rule in %s: %v\n%s", filepath.Base(file), err, source)
				continue
			}
			if slices.Contains(p.Queries(), "m_opt_advice") {
				t.Logf("%s asks for the optimizer's advice", filepath.Base(file))
				continue
			}
			if strings.Contains(source, "adv['vmnumber']") {
				continue // has the keys that MiCADO's advice has in a dry run only
			}
			o := settled()
			for _, query := range p.Queries() {
				o.Readings[query] = policy.Reading{Samples: []policy.Sample{{Value: 5}}}
			}
			o.Readings["IDLEWORKERS"] = policy.Reading{Label: "worker", Missing: policy.NoSeries}
			ran++
			if got := p.Propose(o); got.Hold || got.Error != "" {
				t.Errorf("Propose() of the rule in %s = %+v, want no hold\n%s", filepath.Base(file), got, source)
			}
		}
	}
	if ran < 30 {
		t.Errorf("%d rules ran, want at least 30", ran)
	}
}

// TestRulesOfMiCADO pins what the rules of MiCADO's descriptions come to.
func TestRulesOfMiCADO(t *testing.T) {
	number := func(v float64) policy.Reading { return policy.Reading{Samples: []policy.Sample{{Value: v}}} }
	alert := func(firing bool) policy.Reading { return policy.Reading{Firing: &firing} }
	with := func(more map[string]policy.Reading) policy.Observation {
		return seen(func(o *policy.Observation) { o.Readings = more })
	}
	queue := func(items, remaining, each float64) policy.Observation {
		return with(map[string]policy.Reading{"ITEMS": number(items), "REMAININGTIME": number(remaining), "AET": number(each)})
	}
	hot := map[string]policy.Reading{"node_overloaded": alert(true), "node_underloaded": alert(false), "m_overloaded": alert(true), "m_underloaded": alert(false)}
	cold := map[string]policy.Reading{"node_overloaded": alert(false), "node_underloaded": alert(true), "m_overloaded": alert(false), "m_underloaded": alert(true)}
	changed := func(o policy.Observation, ago time.Duration) policy.Observation {
		o.ChangedAt = o.Now.Add(-ago)
		return o
	}
	remembering := func(o policy.Observation, data string) policy.Observation {
		o.UserData = []byte(data)
		return o
	}
	rate := func(perContainer float64) policy.Observation {
		return remembering(with(map[string]policy.Reading{"REQUESTSPERCONT": number(perContainer), "TIME": number(1000)}), `{"container_count": 6, "time": 900}`)
	}
	idle := func(written, running float64, workers ...string) policy.Observation {
		list := policy.Reading{Label: "saker_tag", Missing: policy.NoSeries}
		for _, w := range workers {
			list.Missing = policy.Present
			list.Samples = append(list.Samples, policy.Sample{Labels: map[string]string{"saker_tag": w}})
		}
		return with(map[string]policy.Reading{"ITEMS_W": number(written), "ITEMS_R": number(running), "REMAININGTIME": number(600), "IDLEWORKERS": list})
	}
	for _, test := range []struct {
		name string
		file string
		has  string // a text that only this rule of the file has
		seen policy.Observation
		want int
		drop []string
	}{
		{"an overloaded group grows by one", "stressng_ec2.yaml", "node_overloaded", with(hot), 4, nil},
		{"an underloaded group shrinks by one", "stressng_ec2.yaml", "node_overloaded", with(cold), 2, nil},
		{"nothing happens within a minute of a change", "stressng_ec2.yaml", "node_overloaded", changed(with(hot), 60*time.Second), 3, nil},
		{"a chained comparison holds after three minutes", "wordpress_ec2_two_node_sets.yaml", "m_node_count", changed(with(hot), 181*time.Second), 4, nil},
		{"a chained comparison does not before", "wordpress_ec2_two_node_sets.yaml", "m_node_count", changed(with(hot), 180*time.Second), 3, nil},
		{"a deadline that needs more grows by one", "cqueue_ec2_deadline.yaml", "reqnodes", queue(100, 60, 60), 4, nil},
		{"a deadline that is past wants what all containers need", "cqueue_ec2_deadline.yaml", "reqnodes", queue(100, 0, 60), 4, nil},
		{"a deadline that needs little shrinks by one", "cqueue_ec2_deadline.yaml", "reqnodes", queue(5, 6000, 60), 2, nil},
		{"an empty queue needs no node", "cqueue_ec2_deadline.yaml", "reqnodes", queue(0, 6000, 60), 0, nil},
		{"full containers on all nodes need another node", "nginx_nova.yaml", "m_node_count+=1", rate(150), 4, nil},
		{"few requests, and containers on all nodes, keep the nodes", "nginx_nova.yaml", "m_node_count+=1", rate(10), 3, nil},
		{"a spike clamps the size within its time", "pk_native_policy-known-spikes.yaml", "spikes", settled(), 10, nil},
		{"no spike leaves it", "pk_native_policy-known-spikes.yaml", "spikes", seen(func(o *policy.Observation) { o.Now = o.Now.Add(time.Hour) }), 40, nil},
		{"items that wait grow the group", "saker_nodes_todrop.yaml", "ITEMS_W", idle(100, 0), 10, nil},
		{"idle workers are dropped once the last items run", "saker_nodes_todrop.yaml", "ITEMS_W", idle(0, 2, "saker-i-web-0002", "other"), 2, []string{"web-0002"}},
		{"nothing to do needs the least nodes", "saker_nodes_todrop.yaml", "ITEMS_W", idle(0, 0), 1, nil},
		{"a worker that was dropped before is not dropped again", "saker_nodes_todrop.yaml", "ITEMS_W", remembering(idle(0, 2, "saker-i-web-0002"), `["i-web-0002"]`), 3, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules := slices.DeleteFunc(readADT(t, filepath.Join(adtDir(t), test.file)), func(r string) bool { return !strings.Contains(r, test.has) })
			if len(rules) == 0 {
				t.Fatalf("%s has no rule with %s", test.file, test.has)
			}
			got := mustNew(t, rule(rules[0]), adtConstants()).Propose(test.seen)
			if got.Hold || got.Nodes != test.want {
				t.Errorf("Propose() = %+v, want %d nodes", got, test.want)
			}
			if diff := cmp.Diff(test.drop, got.Drop); diff != "" {
				t.Errorf("Drop (-want +got):\n%s", diff)
			}
		})
	}
}
