package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func rule(source string) spec.Policy {
	return spec.Policy{Rule: &spec.Rule{Source: source, File: "app.yaml", Line: 40, Column: 9}}
}

// settled is a group of three ready nodes that has been so for 100 seconds.
func settled() policy.Observation {
	o := group(3, 0, 3, 70)
	o.Now = time.Unix(1700000000, 250e6)
	o.ChangedAt = o.Now.Add(-100 * time.Second)
	o.Min = 1
	return o
}

func seen(change func(*policy.Observation)) policy.Observation {
	o := settled()
	change(&o)
	return o
}

func booting(o *policy.Observation) { o.Nodes[2].Ready, o.ChangedAt = false, time.Time{} }

// TestMiCADO pins what MiCADO's rules rely on.
func TestMiCADO(t *testing.T) {
	constants := map[string]any{"LIMIT": 60, "RATE": 1.5, "NAME": "web", "ON": true, "LIST": []any{1, 2}, "MAP": map[string]any{"a": 1}}
	for _, test := range []struct {
		semantics string
		rule      string
		seen      policy.Observation
		want      int
	}{
		{"m_nodes lists the ready nodes", "m_node_count = 10 + len(m_nodes)", seen(booting), 12},
		{"a node has an ID", "if m_nodes[0]['ID'] == 'i-web-0001':\n  m_node_count = 9", settled(), 9},
		{"a node has an address", "if m_nodes[1]['Addr'] == '10.0.0.2':\n  m_node_count = 9", settled(), 9},
		{"a node has a name", "if m_nodes[2]['Name'] == 'web-0003':\n  m_node_count = 9", settled(), 9},
		{"m_node_count starts as the wanted number, not the existing one", "m_node_count += 1", seen(func(o *policy.Observation) { o.Wanted = 7 }), 8},
		{"a rule that sets nothing keeps the size", "x = 1", settled(), 3},
		{"an empty rule keeps the size", "", settled(), 3},
		{"a float is truncated", "m_node_count = 4.9", settled(), 4},
		{"None keeps the size", "m_node_count = None", settled(), 3},
		{"time since the last change is in whole seconds", "m_node_count = m_time_since_node_count_changed", settled(), 100},
		{"time since the last change is 0 while unstable", "m_node_count = m_time_since_node_count_changed", seen(booting), 0},
		{"time of the last change is in seconds", "m_node_count = m_time_when_node_count_changed - 1699999000", settled(), 900},
		{"time of the last change is 0 while unstable", "m_node_count = m_time_when_node_count_changed", seen(booting), 0},
		{"constants are there by name", "if ON and NAME == 'web' and RATE == 1.5 and LIST == [1, 2] and MAP['a'] == 1:\n  m_node_count = LIMIT", settled(), 60},
		{"a constant may be assigned to", "LIMIT += 1\nLIST.append(3)\nm_node_count = LIMIT + len(LIST)", settled(), 64},
		{"queries are there by name", "if q > LIMIT:\n  m_node_count += 1", settled(), 4},
		{"a query may be scaled in place", "q *= 2\nm_node_count = q", settled(), 140},
		{"a constant wins over a query", "m_node_count = LIMIT", seen(func(o *policy.Observation) {
			o.Readings["LIMIT"] = policy.Reading{Samples: []policy.Sample{{Value: 1}}}
		}), 60},
		{"a query gives its first series", "m_node_count = q", seen(func(o *policy.Observation) {
			o.Readings["q"] = policy.Reading{Samples: []policy.Sample{{Value: 5}, {Value: 9}}}
		}), 5},
		{"a query without a value is None, and a rule may still grow", "if q is None:\n  m_node_count = 8", seen(func(o *policy.Observation) {
			o.Readings["q"] = policy.Reading{Missing: policy.NoSeries}
		}), 8},
		{"an alert is true or false", "if hot and not cold:\n  m_node_count = 8", seen(func(o *policy.Observation) {
			yes, no := true, false
			o.Readings["hot"], o.Readings["cold"] = policy.Reading{Firing: &yes}, policy.Reading{Firing: &no}
		}), 8},
		{"a query with a label is the list of its values", "if idle == ['a', 'b']:\n  m_node_count = 2", seen(func(o *policy.Observation) {
			o.Readings["idle"] = policy.Reading{Label: "node", Samples: []policy.Sample{{Labels: map[string]string{"node": "a"}}, {Labels: map[string]string{"node": "b"}}}}
		}), 2},
		{"a query with a label and no series is an empty list, and the rule may shrink", "m_node_count = 1 + len(idle)", seen(func(o *policy.Observation) {
			o.Readings["idle"] = policy.Reading{Label: "node", Missing: policy.NoSeries}
		}), 1},
		{"m_userdata is None at first", "if m_userdata is None:\n  m_node_count = 8", settled(), 8},
		{"is not None works too", "if m_userdata is not None:\n  m_node_count = 8", settled(), 3},
		{"time.time() is the instant of the tick", "m_node_count = int((time.time() - 1700000000) * 100)", settled(), 25},
		{"ceil, floor and round are there", "m_node_count = ceil(2.1) + floor(2.9) + round(2.5) + round(3.5)", settled(), 11},
		{"round to decimals", "if round(1.26, 1) == 1.3:\n  m_node_count = 9", settled(), 9},
		{"sqrt, log, exp and pow are there", "m_node_count = round(sqrt(16) + log(exp(2)) + log(8, 2) + pow(2, 3))", settled(), 17},
		{"mean, sum, min, max and abs are there", "m_node_count = mean([1, 3]) + sum([1, 2]) + min([4, 5]) + max(1, 6) + abs(-1)", settled(), 16},
		{"a function may be shadowed", "max = max(1, 6)\nm_node_count = max", settled(), 6},
		{"a function may be shadowed on one branch only", "if False:\n  max = 2\nm_node_count = max(1, 6)", settled(), 6},
		{"division is of floats", "m_node_count = 7 / 2 * 2", settled(), 7},
		{"if, elif, else, for, while, break and continue work at the top", strings.Join([]string{
			"n = 0", "for i in range(10):", "  if i == 2:", "    continue", "  elif i > 5:", "    break", "  else:", "    n += 1",
			"while True:", "  n += 10", "  if n > 20:", "    break", "m_node_count = n"}, "\n"), settled(), 25},
		{"a conditional expression works", "m_node_count = 9 if q > 1 else 2", settled(), 9},
		{"functions see what is given", "def more():\n  return m_node_count + 2\nm_node_count = more()", settled(), 5},
		{"sets work", "m_node_count = len(set([1, 2, 2]))", settled(), 2},
		{"an element is added to in place", "m = {'a': [1]}\nm['a'] += [2, 3]\nm['b'] = 1\nm['b'] += 4\nm_node_count = len(m['a']) + m['b']", settled(), 8},
		{"a list grows in place", "a = [1]\nb = a\nb += [2]\nm_node_count = len(a)", settled(), 2},
		{"in and not in work", "if 'a' in {'a': 1} and 3 not in [1, 2] and 'ell' in 'hello':\n  m_node_count = 9", settled(), 9},
		{"strings are put together", "if '%s-%d' % ('a', 2) + '/'.join(['b', 'c']) == 'a-2b/c' and '{}'.format(1) == '1':\n  m_node_count = 9", settled(), 9},
		{"sorted takes a key", "if sorted(['bb', 'a'], key=len)[0] == 'a' and [1, 2, 3][1:] == [2, 3]:\n  m_node_count = 9", settled(), 9},
		{"comparisons chain", "if 0 < q < 100 and not 1 < 2 < 2 and [1 < 2 <= 2, 3][0] == True == (2 > 1 >= 0 > -1):\n  m_node_count = 9", settled(), 9},
		{"a chain of comparisons ends where its statement does", "a = 1 < 2\nb = 3 > 2\nif a and \\\n   1 < 2 < 3: m_node_count = 9", settled(), 9},
		{"print as in Python 2 works", "print 'a', [1,\n  2]; m_node_count = 9\nprint \"b: %d\" % 3 # c", settled(), 9},
		{"fabs, trunc, log2, log10, median, std and isnan are there", "m_node_count = fabs(-1) + trunc(-1.5) + log2(8) + log10(100) + median([3, 1]) + std([1, 3]) + int(isnan(1))", settled(), 8},
		{"a constant wins over a function", "m_node_count = mean", seen(func(o *policy.Observation) { o.Constants = map[string]any{"mean": 4} }), 4},
		{"times are read and written, in UTC", "t = time.strptime('14-11-2023 22:13:20', '%d-%m-%Y %H:%M:%S')\nif time.strftime('%H:%M', t) == '22:13' and time.localtime()[3] == 22 and t.tm_wday == 1:\n  m_node_count = int(time.mktime(t)) - 1699999991", settled(), 9},
		{"m_container_count is 1, and what is set is not used", "m_container_count += 1\nm_node_count = m_container_count + 3", settled(), 5},
		{"comprehensions work", "m_node_count = sum([n for n in range(4) if n > 1]) + len({k: 1 for k in 'ab'.elems()})", settled(), 7},
	} {
		t.Run(test.semantics, func(t *testing.T) {
			got := mustNew(t, rule(test.rule), constants).Propose(test.seen)
			if size(got) != test.want {
				t.Errorf("Propose() = %d (%s), want %d", size(got), got.Reason, test.want)
			}
		})
	}
}

// TestRuleHolds pins that a rule that fails changes nothing and says where.
func TestRuleHolds(t *testing.T) {
	for _, test := range []struct {
		name  string
		rule  string
		error string
	}{
		{"an error after an assignment uses none of it", "m_node_count = 9\nm_userdata = 1\nx = 1 // 0", "app.yaml:42:15: floored division by zero"},
		{"an error in a function is found there", "def f(x):\n  return x['a']\nf({})", "app.yaml:41:19: key \"a\" not in dict"},
		{"a string is no size", "m_node_count = '3'", "m_node_count is the string \"3\""},
		{"a bool is no size", "m_node_count = True", "m_node_count is a bool"},
		{"a list is no size", "m_node_count = [3]", "m_node_count is a list"},
		{"a size is not below zero", "m_node_count = -1", "m_node_count is -1, must be at least 0"},
		{"a float is not below zero either", "m_node_count = -1.5", "m_node_count is -1.5"},
		{"NaN is no size", "m_node_count = float('nan')", "m_node_count is nan"},
		{"infinity is no size", "m_node_count = float('inf')", "m_node_count is +inf"},
		{"an enormous size is refused", "m_node_count = 10000000000", "too large"},
		{"m_nodes_todrop must be a list", "m_nodes_todrop = 'web-0001'", "m_nodes_todrop is a string"},
		{"m_nodes_todrop must hold strings", "m_nodes_todrop = [1]", "m_nodes_todrop holds a int"},
		{"m_userdata must be JSON", "m_userdata = len", "cannot encode builtin_function_or_method as JSON"},
		{"m_userdata is bounded", "m_userdata = 'a' * 70000", "at most 65536 are kept"},
		{"ceil of None is explained", "ceil(None)", "app.yaml:40:13: ceil: got NoneType, want a number"},
		{"the logarithm of zero is explained", "log(0)", "log: the result is not a finite number"},
		{"fail says what the rule says", "fail('no idea')", "app.yaml:40:13: fail: no idea"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := settled()
			o.UserData = []byte(`{"kept":1}`)
			got := mustNew(t, rule(test.rule), nil).Propose(o)
			if !got.Hold || got.UserData != nil || got.Drop != nil {
				t.Errorf("Propose() = %+v, want a hold and no results", got)
			}
			if !strings.Contains(got.Error, test.error) || !strings.Contains(got.Reason, got.Error) {
				t.Errorf("Error = %q, want it to say %q; Reason = %q", got.Error, test.error, got.Reason)
			}
		})
	}
}

func TestRuleWithoutMetricNeverShrinks(t *testing.T) {
	o := settled()
	o.Readings["q"] = policy.Reading{Missing: policy.Stale}
	for _, source := range []string{
		"if not q:\n  m_node_count = 1",
		"m_nodes_todrop = ['web-0001'] if q == None else []",
		"x = q",
		"if q > 3:\n  m_node_count = 1",
	} {
		got := mustNew(t, rule(source), nil).Propose(o)
		if !got.Hold || len(got.Drop) > 0 || !strings.Contains(got.Reason, "q has no value: stale") {
			t.Errorf("Propose() of %q = %+v, want a hold that names the query", source, got)
		}
	}
}

func TestRuleQueries(t *testing.T) {
	constants := map[string]any{"LIMIT": 3}
	for _, test := range []struct {
		name string
		rule string
		want []string
	}{
		{"names in strings and comments are none", "x = 'CPU' # LOAD\ny = CPU_LOAD", []string{"CPU_LOAD"}},
		{"variables of the rule are none", "busy = 1\nbusy += 1\nfor i in range(busy):\n  pass", nil},
		{"constants and given names are none", "x = LIMIT + m_node_count + ceil(2) + len(m_nodes)", nil},
		{"a query in a function counts", "def f(a):\n  return a + LOAD\nf(1)", []string{"LOAD"}},
		{"a query that is assigned to after use counts", "if CPU == None:\n  CPU = 0", []string{"CPU"}},
		{"a query that is added to counts", "CPU += 1", []string{"CPU"}},
		{"an attribute or a named argument is none", "sorted([], key=len)\ntime.time()", nil},
		{"queries come in order", "x = [B, A, C, A]", []string{"A", "B", "C"}},
	} {
		got := mustNew(t, rule(test.rule), constants).Queries()
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: Queries() (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestRuleDrops(t *testing.T) {
	three := []string{"web-0001", "web-0002", "web-0003"}
	for _, test := range []struct {
		name   string
		rule   string
		min    int
		drop   []string
		nodes  int
		reason string
	}{
		{"by ID, name and address", "m_nodes_todrop = ['i-web-0001', 'web-0002', '10.0.0.3']", 0, three, 0, "drops web-0001, web-0002, web-0003"},
		{"appended in place", "m_nodes_todrop.append(m_nodes[1]['ID'])", 0, three[1:2], 2, "drops web-0002"},
		{"a node counts once", "m_nodes_todrop = ['i-web-0001', 'web-0001']", 0, three[:1], 2, "drops web-0001"},
		{"the size that the rule sets is ignored", "m_node_count = 9\nm_nodes_todrop = ['web-0001']", 0, three[:1], 2, "drops web-0001"},
		{"drops stop at min", "m_nodes_todrop = [n['ID'] for n in m_nodes]", 2, three[:1], 2, "web-0002, web-0003 stays, at least 2 nodes are kept"},
		{"unknown nodes are told and ignored", "m_nodes_todrop = ['web-0003', 'i-7', '']", 0, three[2:], 2, "m_nodes_todrop names i-7, , which is no node"},
		{"an empty list goes by the size", "m_nodes_todrop = []\nm_node_count = 5", 0, nil, 5, "the rule wants 5 nodes"},
		{"None goes by the size", "m_nodes_todrop = None\nm_node_count = 5", 0, nil, 5, "the rule wants 5 nodes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mustNew(t, rule(test.rule), nil).Propose(seen(func(o *policy.Observation) { o.Min = test.min }))
			if diff := cmp.Diff(test.drop, got.Drop); diff != "" {
				t.Errorf("Drop (-want +got):\n%s", diff)
			}
			if size(got) != test.nodes || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("Propose() = %d %q, want %d and %q", size(got), got.Reason, test.nodes, test.reason)
			}
		})
	}
}

func TestRuleRemembers(t *testing.T) {
	p := mustNew(t, rule(`
if m_userdata is None:
  m_userdata = {"ticks": 0, "seen": [], "rate": 1.0}
m_userdata["ticks"] += 1
m_userdata["seen"].append("é")
m_node_count = m_userdata["ticks"] + len(m_userdata["seen"])
`), nil)
	o := settled()
	for tick := range 3 {
		got := p.Propose(o)
		if want := 2 * (tick + 1); size(got) != want {
			t.Fatalf("Propose() at tick %d = %d (%s), want %d", tick, size(got), got.Reason, want)
		}
		o.UserData = got.UserData
	}
	if want := `{"rate":1.0,"seen":["é","é","é"],"ticks":3}`; string(o.UserData) != want {
		t.Errorf("UserData = %s, want %s", o.UserData, want)
	}
	o.UserData = []byte("{")
	if got := p.Propose(o); !got.Hold || !strings.Contains(got.Error, "read m_userdata") {
		t.Errorf("Propose() with broken user data = %+v, want a hold", got)
	}
}

func TestRuleForgets(t *testing.T) {
	p := mustNew(t, rule("m_userdata = None"), nil)
	o := settled()
	if got := p.Propose(o); got.UserData != nil {
		t.Errorf("UserData = %s, want nil where there was none", got.UserData)
	}
	o.UserData = []byte("1")
	if got := p.Propose(o); string(got.UserData) != "null" {
		t.Errorf("UserData = %s, want null in place of 1", got.UserData)
	}
}

func TestRulePrints(t *testing.T) {
	p := mustNew(t, rule("print('a', 1)\nprint('b\\nc')\nfor i in range(200):\n  print('x' * 1000)\nm_node_count = 1 // 0"), nil)
	got := p.Propose(settled()).Prints
	if diff := cmp.Diff([]string{"a 1", "b", "c"}, got[:3]); diff != "" {
		t.Errorf("Prints (-want +got):\n%s", diff)
	}
	if n, last := len(got), got[len(got)-1]; n != 101 || last != "(103 more lines)" {
		t.Errorf("Prints = %d lines that end in %q, want 101 that end in (103 more lines)", n, last)
	}
	if n := len(got[50]); n > 510 {
		t.Errorf("a printed line is %d bytes long, want it cut", n)
	}
}

func TestCheckRule(t *testing.T) {
	for _, test := range []struct {
		name string
		rule string
		want []string
	}{
		{"a rule that is right", "if CPU > LIMIT:\n  m_node_count += 1\n  LIMIT *= 2", nil},
		{"all unknown names at once", "x = CPUU\nif x > LIMITS:\n  m_node_count = ceil(y)\nz += 1", []string{
			"app.yaml:40:13: undefined: CPUU: neither", "app.yaml:41:16: undefined: LIMITS: neither",
			"app.yaml:42:31: undefined: y: neither", "app.yaml:43:9: undefined: z: neither"}},
		{"wrong syntax", "if CPU > 3\n  x = 1", []string{"app.yaml:41:9: got newline, want ':'"}},
		{"all of Python's habits at once", "print 'a'\nx = 1\ny = 2 ** 3\nz = f'{y}'\nimport math\nx is y\ntry:\n  pass", []string{
			"app.yaml:42:15: ** is not an operator in rules: write pow(x, y)", "app.yaml:43:13: f-strings are not offered",
			"app.yaml:44:9: import is not offered", "app.yaml:45:11: is can only be used with None", "app.yaml:46:9: try is not offered"}},
		{"places are those of the rule as it is written", "if 0 < CPU < 3 and nope > 1:\n  x = 1\nprint 'é', nada", []string{"app.yaml:40:28: undefined: nope", "app.yaml:42:20: undefined: nada"}},
		{"Python's habits in strings and comments are none", "x = 'print y' # print z\ny = '''\nprint a ** b\nimport c\n''' + \"f'\\\"'\"\nz = r'is ** f\"'", nil},
		{"columns count letters, not bytes", "x = 'ééé' + nope", []string{"app.yaml:40:21: undefined: nope"}},
		{"two stars may unpack and declare", "def f(a, **kw):\n  return g(**kw)\ng = lambda **kw: 1\nf(1, **{'b': 2})", nil},
		{"load is reserved", "load = 3\nx = time.load\nload('a', 'b')", []string{"app.yaml:40:9: load is a reserved word", "app.yaml:42:9: load is not offered"}},
		{"break outside of a loop", "break", []string{"app.yaml:40:9: break not in a loop"}},
		{"assigning to a call", "len(m_nodes) = 3", []string{"app.yaml:40:9: can't assign to callexpr"}},
		{"a rule that is too long", strings.Repeat("#", 70000), []string{"app.yaml:40:9: the rule is 70000 bytes long"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := policy.CheckRule(*rule(test.rule).Rule, []string{"CPU", "LIMIT"})
			if len(test.want) == 0 {
				if err != nil {
					t.Errorf("CheckRule() = %v, want nil", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("CheckRule() = nil, want %q", test.want)
			}
			var first *policy.RuleError
			if !errors.As(err, &first) || first.File != "app.yaml" || first.Line < 40 {
				t.Errorf("CheckRule() = %#v, want a RuleError of app.yaml", err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("CheckRule() = %d mistakes, want %d:\n%v", len(lines), len(test.want), err)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, test.want[i]) {
					t.Errorf("mistake %d = %q, want %q", i, line, test.want[i])
				}
			}
		})
	}
}

func TestRuleIsSafeForConcurrentUse(t *testing.T) {
	p := mustNew(t, rule("LIST.append(1)\nm_userdata = LIST\nm_node_count = len(LIST)"), map[string]any{"LIST": []any{1}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if got := p.Propose(settled()); size(got) != 2 {
					t.Errorf("Propose() = %d (%s), want 2", size(got), got.Reason)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestRuleTakesConstantsOfTheObservation(t *testing.T) {
	o := settled()
	o.Constants = map[string]any{"LIMIT": 8}
	got := mustNew(t, rule("m_node_count = LIMIT"), map[string]any{"LIMIT": 7}).Propose(o)
	if size(got) != 8 {
		t.Errorf("Propose() = %d, want 8", size(got))
	}
	if _, err := policy.New(rule("x = LIMIT"), map[string]any{"LIMIT": struct{}{}}); err == nil {
		t.Error("New() with a constant of an odd type = nil, want an error")
	}
}

func ExampleRuleError() {
	err := policy.CheckRule(spec.Rule{File: "shop.yaml", Line: 12, Column: 7, Source: "m_node_count = LOAD / 3"}, nil)
	fmt.Println(err)
	// Output: shop.yaml:12:22: undefined: LOAD: neither a constant, a query nor built in
}
