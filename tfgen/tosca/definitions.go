package tosca

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// definitions are constants, queries and alerts by name, as they are written or
// rendered.
type definitions struct {
	constants, queries, alerts map[string]*strictyaml.Node
	// names are all names in the order in which they are defined.
	names []string
}

func newDefinitions() definitions {
	return definitions{constants: map[string]*strictyaml.Node{}, queries: map[string]*strictyaml.Node{}, alerts: map[string]*strictyaml.Node{}}
}

func (d *definitions) add(kind map[string]*strictyaml.Node, name string, value *strictyaml.Node) {
	if d.constants[name] == nil && d.queries[name] == nil && d.alerts[name] == nil {
		d.names = append(d.names, name)
	}
	kind[name] = value
}

// define gathers the definitions of a policy, as they are written.
func (t *translator) define(p *policy) definitions {
	d := newDefinitions()
	if constants := p.property("constants"); t.mapping(constants) {
		for _, e := range constants.Entries() {
			switch {
			case e.Is(strictyaml.KindNull) && !e.Bad():
			case e.Key() == "m_dryrun":
				t.note(e, "is left out: scalerd has a dry-run mode of its own")
			default:
				d.add(d.constants, e.Key(), spoken(e))
			}
		}
	}
	if queries := p.property("queries"); t.mapping(queries) {
		for _, e := range queries.Entries() {
			switch {
			case e.Is(strictyaml.KindNull) && !e.Bad():
			case strings.HasPrefix(e.Key(), "m_opt_target_minth_"), strings.HasPrefix(e.Key(), "m_opt_target_maxth_"):
				d.add(d.constants, e.Key(), e) // a threshold, not a query
			default:
				d.add(d.queries, e.Key(), words(e))
			}
		}
	}
	t.defineAlerts(p, &d)
	return d
}

func (t *translator) defineAlerts(p *policy, d *definitions) {
	alerts := p.property("alerts")
	if !t.list(alerts) {
		return
	}
	for i, item := range alerts.Items() {
		if !item.Is(strictyaml.KindMapping) || item.Bad() {
			t.mapping(item)
			continue
		}
		name := fmt.Sprintf("#%d of %s", i, p.label) // one without a name, which is a mistake
		if n := item.Get("alert"); n.Is(strictyaml.KindText) && !n.Bad() {
			name = n.Scalar()
		}
		if d.alerts[name] != nil {
			name = fmt.Sprintf("%s #%d", name, i)
		}
		d.add(d.alerts, name, item)
	}
}

// spoken is a constant in which the unquoted yes, no, on and off of YAML 1.1 are
// booleans.
func spoken(n *strictyaml.Node) *strictyaml.Node {
	if n.Is(strictyaml.KindText) && !n.Quoted() && truth(n) != unclear && len(n.Scalar()) > 1 {
		return boolean(n)
	}
	return n
}

// threshold is a number of a text that is one.
func threshold(n *strictyaml.Node) *strictyaml.Node {
	if f, err := strconv.ParseFloat(strings.TrimSpace(n.Scalar()), 64); err == nil && n.Is(strictyaml.KindText) {
		if i := number(n); i != n {
			return i
		}
		return strictyaml.NewValue(n, f)
	}
	return n
}

// alert is an alert as descriptions write it.
func alert(n *strictyaml.Node) *strictyaml.Node {
	if n.Bad() || !n.Is(strictyaml.KindMapping) {
		return n
	}
	made := strictyaml.NewMapping(n)
	for _, e := range n.Entries() {
		key := e.Key()
		switch key {
		case "for":
			e = duration(e)
		case "labels", "annotations":
			e = labels(e)
		case "expr":
			e = words(e)
		}
		made.Set(key, e)
	}
	return made
}

var prometheusDuration = regexp.MustCompile(`^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?((?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?)$`)

// duration is a Prometheus duration, such as 1d, as Go writes it.
func duration(n *strictyaml.Node) *strictyaml.Node {
	if n.Is(strictyaml.KindInt) && n.Int() == 0 {
		return strictyaml.NewText(n, "0s")
	}
	m := prometheusDuration.FindStringSubmatch(n.Scalar())
	if m == nil || n.Scalar() == "" {
		return n
	}
	rest, _ := time.ParseDuration(m[4])
	days := 0
	for i, perUnit := range []int{365, 7, 1} {
		if count, err := strconv.Atoi(m[i+1]); err == nil && count < 100_000 {
			days += count * perUnit
		}
	}
	if days == 0 {
		return n
	}
	return strictyaml.NewText(n, (time.Duration(days)*24*time.Hour + rest).String())
}

// set gives an application or a group these definitions.
func (d *definitions) set(into *strictyaml.Node) {
	constants, queries, alerts := strictyaml.NewMapping(into), strictyaml.NewMapping(into), strictyaml.NewList(into)
	for _, name := range d.names {
		if n := d.constants[name]; n != nil {
			constants.Set(name, n)
		}
		if n := d.queries[name]; n != nil {
			queries.Set(name, n)
		}
		if n := d.alerts[name]; n != nil {
			alerts.Append(n)
		}
	}
	if len(constants.Entries()) > 0 {
		into.Set("constants", constants)
	}
	if len(queries.Entries()) > 0 {
		into.Set("queries", queries)
	}
	if len(alerts.Items()) > 0 {
		into.Set("alerts", alerts)
	}
}
