package policy_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestRuleIsBounded runs rules that would take the machine down: each must end
// soon, with an error, and without much memory.
func TestRuleIsBounded(t *testing.T) {
	for name, source := range map[string]string{
		"an endless loop":                 "while True:\n  pass",
		"a loop that is too long":         "for i in range(100000):\n  for j in range(100000):\n    pass",
		"a long string":                   "x = 'a' * 1000000000",
		"a long string the other way":     "x = 1000000000 * 'a'",
		"a long list":                     "x = [0] * 100000000",
		"a long list in place":            "x = [0]\nx *= 100000000",
		"a list in a dict":                "x = {'a': [0]}\nx['a'] *= 100000000",
		"a string that doubles":           "x = 'a'\nwhile True:\n  x += x",
		"a list that doubles":             "x = [1]\nwhile True:\n  x += x",
		"a list that extends itself":      "x = [1]\nwhile True:\n  x.extend(x)",
		"a list that is copied":           "x = [0] * 10000\ny = []\nwhile True:\n  y.append(x[:])",
		"a list that is sorted":           "x = [0] * 10000\ny = []\nwhile True:\n  y.append(sorted(x))",
		"a number that squares":           "x = 3\nwhile True:\n  x *= x",
		"a number that shifts":            "x = 3\nwhile True:\n  x = x << 500",
		"a long range":                    "x = list(range(1000000000))",
		"a long range as arguments":       "max(*range(1000000000))",
		"a join of shared strings":        "x = ['a' * 10000] * 10000\ny = ','.join(x)",
		"a join without a call":           "j = ','.join\nx = j(['a' * 10000] * 10000)",
		"a join by another name":          "x = getattr(',', 'join')(['a' * 10000] * 10000)",
		"a join as a key":                 "x = ['a' * 10000] * 10000\ny = sorted([x], key=','.join)",
		"a replacement of every letter":   "x = ('a' * 100000).replace('a', 'b' * 100000)",
		"a format of a long value":        "x = ('{0}' * 10000).format('a' * 100000)",
		"a % format of a long value":      "x = ('%(a)s' * 10000) % {'a': 'a' * 100000}",
		"a list that prints enormously":   "x = [0]\nfor i in range(40):\n  x = [x, x, x]\nprint(x)",
		"a list that compares enormously": "x = [0]\ny = [0]\nfor i in range(9):\n  x = [x] * 30\n  y = [y] * 30\nz = x == y",
		"a list that encodes enormously":  "x = [0]\nfor i in range(40):\n  x = [x, x, x]\nm_userdata = x",
		"a list in itself":                "x = []\nx.append(x)\nm_userdata = x",
		"a list that nests deeply":        "x = []\nfor i in range(90000):\n  x = [x]\ny = str(x)",
		"recursion":                       "def f():\n  return f()\nf()",
		"a string that is split":          "x = 'a ' * 100000\ny = []\nwhile True:\n  y.append(x.split(' '))",
		"text that is turned into a list": "x = 'a' * 1000000\ny = []\nwhile True:\n  y.append(list(x.elems()))",
	} {
		t.Run(name, func(t *testing.T) {
			p := mustNew(t, rule(source), nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			got := p.Propose(settled())
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if !got.Hold || !strings.HasPrefix(got.Error, "app.yaml:") {
				t.Errorf("Propose() = %+v, want a hold with an error", got)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 400 {
				t.Errorf("the rule allocated %d MB in all, want at most 400", mb)
			}
			if took > 30*time.Second { // a second at most, and the machine's other work
				t.Errorf("the rule took %v, want an end in about a second", took)
			}
		})
	}
}

func TestRuleTellsWhichLimit(t *testing.T) {
	for source, want := range map[string]string{
		"while True:\n  pass":          "app.yaml:4",
		"x = 'a' * 999999999":          "app.yaml:40:17: the rule does too much: more than 1000000 steps",
		"range(1000000)":               "app.yaml:40:14: range of 1000000 elements, at most 100000 are allowed",
		"x = 7\nwhile True:\n  x *= x": "app.yaml:42:13: a number of more than 4096 bits",
		"def f():\n  f()\nf()":         "function f called recursively",
	} {
		if got := mustNew(t, rule(source), nil).Propose(settled()).Error; !strings.Contains(got, want) {
			t.Errorf("Error of %q = %q, want it to say %q", source, got, want)
		}
	}
}

// FuzzRule looks for rules that crash, hang or answer differently the second
// time.
func FuzzRule(f *testing.F) {
	for _, source := range []string{
		"", "m_node_count += 1", "if m_userdata is None:\n  m_userdata = {'a': [1]}\nm_userdata['a'] += [2]",
		"m_nodes_todrop = [n['ID'] for n in m_nodes]", "print 'a'", "x = f'{a}' ** 2", "x = 'a' * 9999999999",
		"def f(a, *b, **c):\n  return a\nf(1, *[2], **{'x': 3})", "max = max(q, 3)\nLIMIT //= 2", "while True:\n  pass",
		"x, (y, z) = 1, [2, 3]\n(x) += 1", "'''", "x = lambda a=1 << 3: a\nx()", "load('a', 'b')", "x = {1: 2, **{}}", "x = [1][::-1]\nx[0] |= 2",
	} {
		f.Add(source)
	}
	constants := map[string]any{"LIMIT": 6, "LIST": []any{1.5, "a"}}
	f.Fuzz(func(t *testing.T, source string) {
		made, err := policy.New(spec.Policy{Rule: &spec.Rule{Source: source}}, constants)
		checked := policy.CheckRule(spec.Rule{Source: source}, append(queries(made), "LIMIT", "LIST"))
		if (err == nil) != (checked == nil) {
			t.Fatalf("New() = %v, CheckRule() = %v, want both or neither to fail", err, checked)
		}
		if err != nil {
			return
		}
		start := time.Now()
		first, second := made.Propose(settled()), made.Propose(settled())
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("Propose() twice took %v, want the limits to end it", took)
		}
		if strings.Contains(first.Error+second.Error, "longer than") {
			t.Skip("the machine is too busy")
		}
		if a, b := fmt.Sprintf("%+v", first), fmt.Sprintf("%+v", second); a != b {
			t.Fatalf("Propose() = %s\nthen %s", a, b)
		}
		if first.Nodes < 0 || first.Hold != (first.Hold || first.Error != "") || first.Reason == "" {
			t.Fatalf("Propose() = %+v", first)
		}
	})
}

func queries(p policy.Policy) []string {
	if p == nil {
		return nil
	}
	return p.Queries()
}

func BenchmarkRule(b *testing.B) {
	source := `
if m_userdata is None:
  m_userdata = {"low": 0, "high": 0, "last": 0}
cpu = mean([q, q])
need = ceil(cpu * len(m_nodes) / LIMIT)
if need > m_node_count:
  m_userdata["high"] += 1
  m_userdata["low"] = 0
elif need < m_node_count:
  m_userdata["low"] += 1
  m_userdata["high"] = 0
else:
  m_userdata["low"] = 0
if m_time_since_node_count_changed > 60:
  if m_userdata["high"] >= 2:
    m_node_count = min([need, m_node_count + 4])
    m_userdata["high"] = 0
  elif m_userdata["low"] >= 4:
    m_node_count -= 1
    m_userdata["low"] = 0
m_userdata["last"] = time.time()
`
	p := mustNew(b, rule(source), map[string]any{"LIMIT": 60})
	o := settled()
	o.UserData = p.Propose(o).UserData
	b.ReportAllocs()
	for b.Loop() {
		if got := p.Propose(o); got.Hold {
			b.Fatal(got.Reason)
		}
	}
}
