package scaler_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

// TestMiCADOSemantics has a row for each variable and each rule of clamping that the
// rules of MiCADO's Policy Keeper rely on, through everything between a description
// and a decision. What differs on purpose says so.
func TestMiCADOSemantics(t *testing.T) {
	number := func(v float64) policy.Reading { return policy.Reading{Samples: []policy.Sample{{Value: v}}} }
	missing := func(why policy.Missing) policy.Reading { return policy.Reading{Missing: why} }
	// first is a rule before the one that is looked at, which keeps the size.
	const first = "policies:\n      - {name: first, rule: m_userdata = 40}"
	two := policy.Reading{Samples: []policy.Sample{{Labels: map[string]string{"worker": "a"}, Value: 7}, {Labels: map[string]string{"worker": "b"}, Value: 9}}}
	for _, test := range []struct {
		semantics string
		rule      string
		readings  map[string]policy.Reading
		ticks     int // of ten seconds; a group of two is stable from the second on
		want      int
		edits     []string // of the description
	}{
		// Variables.
		{"m_nodes are the ready nodes", "m_node_count = 3 + len(m_nodes)", nil, 1, 3, nil},
		{"m_nodes are dicts of ID and Addr", "if len(m_nodes) == 2 and m_nodes[0]['ID'] == 'id-web-0001' and m_nodes[0]['Addr'] == '10.0.0.1':\n  m_node_count = 5", nil, 3, 5, nil},
		{"m_node_count is the size decided last, not what exists", "m_node_count += 1", nil, 1, 3, nil},
		{"m_node_count is clamped when it is read again", "m_node_count += 5", nil, 3, 8, nil},
		{"m_nodes_todrop starts empty", "m_node_count = 5 + len(m_nodes_todrop)", nil, 1, 5, nil},
		{"m_container_count is 1 (nothing scales containers here)", "m_node_count = 4 + m_container_count", nil, 1, 5, nil},
		{"m_time_since_node_count_changed is 0 in a transient", "m_node_count = m_node_count if len(m_nodes) == 2 else 5 + m_time_since_node_count_changed", nil, 1, 5, nil},
		{"m_time_since_node_count_changed counts seconds once stable", "m_node_count = 5 if m_time_since_node_count_changed == 30 else 2", nil, 5, 5, nil},
		{"m_time_since_node_count_changed begins anew after a change", "if m_node_count == 2 and m_time_since_node_count_changed == 20:\n  m_node_count = 3\nif m_node_count == 3 and m_time_since_node_count_changed == 10:\n  m_node_count = 7", nil, 8, 7, nil},
		{"a set without nodes never becomes stable", "m_node_count = 5 if m_time_since_node_count_changed else 0", nil, 6, 0, []string{"min: 1", "min: 0", "initial: 2", "initial: 0"}},
		{"m_time_when_node_count_changed is an instant", "m_node_count = 5 if m_time_since_node_count_changed and int(time.time()) - m_time_when_node_count_changed == m_time_since_node_count_changed else 2", nil, 3, 5, nil},
		{"m_userdata is None at first", "m_node_count = 5 if m_userdata is None else 2", nil, 1, 5, nil},
		{"m_userdata is kept between sessions", "m_userdata = 1 if m_userdata is None else m_userdata + 1\nm_node_count = 3 + m_userdata", nil, 3, 6, nil},
		{"m_userdata survives a restart (MiCADO's is lost)", "m_userdata = 1 if m_userdata is None else m_userdata + 1\nm_node_count = min(m_userdata, 8)", nil, 3, 6, []string{"# restart", "# restart after half the time"}},
		{"m_userdata is each rule's own", "m_node_count = 5 if m_userdata is None else 2", nil, 3, 5, []string{"policies:", first}},
		{"m_userdata is one for all rules where shared_userdata says so, as MiCADO's is", "m_node_count = 5 if m_userdata == 40 else 2", nil, 3, 5, []string{"policies:", first, "alerts:", "shared_userdata: true\nalerts:"}},
		{"time.time() is now", "m_node_count = 5 if time.time() > 9e8 else 2", nil, 1, 5, nil},
		// Constants, queries and alerts.
		{"constants are there by name", "m_node_count = LIMIT", nil, 1, 4, nil},
		{"a query's value is its first element's, as a float", "m_node_count = 6 if str(cpu) == '7.0' else 2", map[string]policy.Reading{"cpu": two}, 1, 6, nil},
		{"a scalar query is its value", "m_node_count = cpu", map[string]policy.Reading{"cpu": number(5)}, 1, 5, nil},
		{"an empty vector is None", "m_node_count = 6 if cpu is None else 2", map[string]policy.Reading{"cpu": missing(policy.NoSeries)}, 1, 6, nil},
		{"an error is None", "m_node_count = 6 if not cpu else 2", map[string]policy.Reading{"cpu": missing(policy.QueryError)}, 1, 6, nil},
		{"a rule without its query does not shrink (MiCADO's may)", "m_node_count = 1 if not cpu else 5", map[string]policy.Reading{"cpu": missing(policy.Unreachable)}, 1, 2, nil},
		{"the list form is the list of a label's values", "m_node_count = 4 + len(workers) if workers == ['a', 'b'] else 2", map[string]policy.Reading{"workers": two}, 1, 6, nil},
		{"the list form without series is an empty list", "m_node_count = 5 if workers == [] else 2", map[string]policy.Reading{"workers": missing(policy.NoSeries)}, 1, 5, nil},
		{"an alert that fires is True", "m_node_count = 5 if hot else 2", map[string]policy.Reading{"hot": number(1)}, 1, 5, nil},
		{"an alert that does not is False", "m_node_count = 5 if hot == False else 2", map[string]policy.Reading{"hot": missing(policy.NoSeries)}, 1, 5, nil},
		{"an alert is a level: true at every session (MiCADO's is gone after one)", "m_node_count += 1 if hot else 0", map[string]policy.Reading{"hot": number(1)}, 3, 5, nil},
		{"only queries that the rule names are asked", "m_node_count = 5", map[string]policy.Reading{"cpu": missing(policy.Unreachable)}, 1, 5, nil},
		{"m_opt_advice() has its keys also without an advice", "a = m_opt_advice()\nm_node_count = 6 if not a['valid'] and sorted(a) == ['error_msg', 'phase', 'reliability', 'valid', 'vm_number'] else 2", nil, 1, 6, []string{"    policies:", "    optimizer: {inputs: [cpu], targets: [{query: latency, max: 9}]}\n    policies:", "{cpu: cpu,", "{cpu: cpu, latency: latency,"}},
		// What is read back.
		{"int() truncates", "m_node_count = 4.99", nil, 1, 4, nil},
		{"a rule that assigns nothing keeps the size", "x = 5", nil, 1, 2, nil},
		{"None keeps the size (MiCADO's goes to min)", "m_node_count = None", nil, 1, 2, nil},
		{"a rule that fails changes nothing (MiCADO's uses what it assigned)", "m_node_count = 5\nx = 1 // 0", nil, 1, 2, nil},
		{"a size that is no number changes nothing (MiCADO aborts the session)", "m_node_count = ''", nil, 1, 2, nil},
		// Clamping and dropping.
		{"the size is at most max_instances", "m_node_count = 50", nil, 1, 8, nil},
		{"the size is at least min_instances", "m_node_count = 0", nil, 1, 1, nil},
		{"dropping lowers the size by what is dropped", "if len(m_nodes) == 2:\n  m_nodes_todrop = [m_nodes[0]['ID']]", nil, 3, 1, nil},
		{"a drop wins over the size", "m_node_count = 2\nif len(m_nodes) == 2:\n  m_node_count = 5\n  m_nodes_todrop = ['id-web-0002']", nil, 2, 1, nil},
		{"drops stop at min_instances", "if len(m_nodes) == 2:\n  m_nodes_todrop = ['id-web-0001', 'id-web-0002']", nil, 3, 1, nil},
		{"drops of unknown nodes are ignored", "m_nodes_todrop = ['id-x']", nil, 3, 2, nil},
		{"min_instances may be 0", "m_node_count = 0", nil, 1, 0, []string{"min: 1", "min: 0"}},
		{"without a rule the set keeps its size", "", nil, 3, 2, []string{"policies:", "constants: {", "- rule: |", "NOTHING: 0}"}},
		// The language.
		{"loops, conditions and print work", "for i in range(3):\n  if i == 2:\n    print 'last', i\n    m_node_count = 3 + i", nil, 1, 5, nil},
		{"ceil, floor, sqrt and mean are there", "m_node_count = ceil(2.1) + floor(1.9) + sqrt(1) + mean([0, 0])", nil, 1, 5, nil},
	} {
		t.Run(test.semantics, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.meters.booting(15 * time.Second)
				for name, r := range test.readings {
					w.meters.values[name] = r
				}
				text := edited(`name: shop
interval: 10s
constants: {LIMIT: 4}
queries: {cpu: cpu, workers: [workers, worker]}
alerts: [{alert: hot, expr: hot}]
groups:
  - name: web
    cloud: local
    min: 1
    max: 8
    initial: 2
    scaling: {cooldown_in: 0s, stabilisation: 0s}
    policies:
      - rule: |
          `+edited(test.rule, "\n", "\n          ")+"\n# restart\n", test.edits...)
				w.submit(text)
				pass(time.Duration(test.ticks)*10*time.Second + time.Second)
				if strings.Contains(text, "# restart after") {
					w.restart()
					pass(time.Duration(test.ticks)*10*time.Second + time.Second)
				}
				if g := w.group("web"); g.Wanted != test.want {
					t.Errorf("%d wanted after %d ticks, want %d: %q", g.Wanted, test.ticks, test.want, g.Decision.Reasons)
				}
				w.stop()
			})
		})
	}
}
