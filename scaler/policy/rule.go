package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"go.starlark.net/starlark"
)

// rule is a Starlark program with MiCADO's names. It is compiled once.
//
// It differs from MiCADO's Python where that is safer: a rule that fails changes
// nothing (MiCADO uses what was assigned before the error), holds only its own
// group, and does not shrink a group on a query that has no value.
type rule struct {
	name      string
	source    spec.Rule
	compiled  compiled
	queries   []string
	constants map[string]any
	functions starlark.StringDict
}

func newRule(name string, source spec.Rule, constants map[string]any) (Policy, error) {
	c, err := compile(source, scope{names: set(slices.Collect(maps.Keys(constants))), open: true})
	if err != nil {
		return nil, err
	}
	r := &rule{name: name, source: source, compiled: c, constants: maps.Clone(constants), functions: functions()}
	for _, outside := range c.outside {
		value, constant := constants[outside]
		if _, err := toStarlark(value); err != nil {
			return nil, fmt.Errorf("constant %s: %w", outside, err)
		}
		if !constant && !builtIn(outside) {
			r.queries = append(r.queries, outside)
		}
	}
	return r, nil
}

func (r *rule) Name() string      { return r.name }
func (r *rule) Queries() []string { return slices.Clone(r.queries) }

func (r *rule) Propose(o Observation) Proposal {
	var out printed
	thread := &starlark.Thread{Name: r.name, Print: out.print}
	p, err := r.run(thread, o)
	if err != nil {
		failed := failure(r.source, r.compiled.edits, err)
		failed.Message = shorten(failed.Message)
		p = Proposal{Hold: true, Error: failed.Error(), Reason: "the rule failed at " + failed.Error()}
	}
	missing := r.missing(o)
	if len(missing) > 0 {
		p.Reason += "; " + strings.Join(missing, "; ")
		p = holdUnlessOut(p, o)
	}
	p.Policy, p.Prints = r.name, out.all()
	return p
}

// holdUnlessOut keeps a rule that did without a query from shrinking the group:
// a monitoring that is down would look like no load.
func holdUnlessOut(p Proposal, o Observation) Proposal {
	if p.Hold || len(p.Drop) == 0 && p.Nodes > o.Wanted {
		return p
	}
	return Proposal{Hold: true, Reason: p.Reason + ": without it the group is not shrunk", UserData: p.UserData}
}

// missing says which of the rule's queries have no value.
func (r *rule) missing(o Observation) []string {
	var found []string
	for _, query := range r.queries {
		if _, constant := o.Constants[query]; constant {
			continue
		}
		if r := o.Readings[query]; r.isText() {
			continue
		}
		if _, why := o.value(query); why != "" {
			found = append(found, why)
		}
	}
	return found
}

// run evaluates the rule once and reads back what it left.
func (r *rule) run(thread *starlark.Thread, o Observation) (Proposal, error) {
	defer bound(thread)()
	given, err := r.inputs(thread, o)
	if err != nil {
		return Proposal{}, err
	}
	globals, err := r.compiled.program.Init(thread, given)
	if err != nil {
		return Proposal{}, err
	}
	left := func(name string) starlark.Value {
		if v, ok := globals[name]; ok {
			return v
		}
		return given[name] // not assigned to, perhaps changed in place
	}
	p := Proposal{Nodes: o.Wanted}
	if v := left(nameUserData); v != nil && (v != starlark.None || len(o.UserData) > 0) {
		if p.UserData, err = encodeUserData(thread, v); err != nil {
			return Proposal{}, err
		}
	}
	if v := left(nameToDrop); v != nil {
		names, err := dropNames(v)
		if err != nil {
			return Proposal{}, err
		}
		if len(names) > 0 {
			return dropping(p, names, o), nil
		}
	}
	if v := left(nameNodeCount); v != nil {
		if p.Nodes, err = nodeCount(v, o.Wanted); err != nil {
			return Proposal{}, err
		}
	}
	p.Reason = fmt.Sprintf("the rule wants %s, %d are wanted", nodes(p.Nodes), o.Wanted)
	return p, nil
}

// inputs are the values of the names that the rule takes from outside.
func (r *rule) inputs(thread *starlark.Thread, o Observation) (starlark.StringDict, error) {
	given := make(starlark.StringDict, len(r.compiled.needs))
	for _, needed := range r.compiled.needs {
		name := strings.TrimPrefix(needed, inputPrefix)
		if value, ok := given[name]; ok {
			given[needed] = value
			continue
		}
		value, err := r.input(thread, name, o)
		if err != nil {
			return nil, err
		}
		given[needed], given[name] = value, value
	}
	return given, nil
}

// input is the value of one name. As in MiCADO a constant wins over a query.
func (r *rule) input(thread *starlark.Thread, name string, o Observation) (starlark.Value, error) {
	switch name {
	case nameNodes:
		return readyNodes(o)
	case nameNodeCount:
		return starlark.MakeInt(o.Wanted), nil
	case nameToDrop:
		return starlark.NewList(nil), nil
	case nameWhen:
		when, _ := stability(o)
		return starlark.MakeInt64(when), nil
	case nameSince:
		_, since := stability(o)
		return starlark.MakeInt64(since), nil
	case nameUserData:
		return decodeUserData(thread, o.UserData)
	case nameContainers:
		return starlark.MakeInt(1), nil
	case nameTime:
		return timeAt(o.Now), nil
	case nameAdvice:
		return adviceFunction(o), nil
	}
	if v, ok := o.Constants[name]; ok {
		return toStarlark(v)
	}
	if v, ok := r.constants[name]; ok {
		return toStarlark(v)
	}
	if f, ok := r.functions[name]; ok {
		return f, nil
	}
	if f, ok := starlark.Universe[name]; ok {
		return f, nil // the rule has a variable such as max, after it used the function
	}
	switch reading := o.Readings[name]; {
	case reading.isText() && reading.Firing != nil:
		return starlark.Bool(*reading.Firing), nil
	case reading.isText():
		return labelValues(reading), nil
	}
	if v, missing := o.value(name); missing == "" {
		return starlark.Float(v), nil
	}
	return starlark.None, nil
}

// labelValues are the values of the reading's label, one for each series.
func labelValues(r Reading) starlark.Value {
	list := make([]starlark.Value, len(r.Samples))
	for i, sample := range r.Samples {
		list[i] = starlark.String(sample.Labels[r.Label])
	}
	return starlark.NewList(list)
}

func readyNodes(o Observation) (starlark.Value, error) {
	var list []starlark.Value
	for _, n := range o.Nodes {
		if !n.Ready {
			continue
		}
		node := starlark.NewDict(3)
		for _, field := range [][2]string{{"ID", n.ID}, {"Addr", n.Address}, {"Name", n.Name}} {
			if err := node.SetKey(starlark.String(field[0]), starlark.String(field[1])); err != nil {
				return nil, err
			}
		}
		list = append(list, node)
	}
	return starlark.NewList(list), nil
}

// stability is when the number of ready nodes became the wanted one and how long
// ago that is, in whole seconds; both are 0 while it is not.
func stability(o Observation) (when, since int64) {
	if o.ChangedAt.IsZero() {
		return 0, 0
	}
	return o.ChangedAt.Unix(), max(0, o.Now.Unix()-o.ChangedAt.Unix())
}

// dropping is the proposal of a rule that names nodes to drop. As in MiCADO the
// size that it set is ignored, and drops stop at the group's minimum.
func dropping(p Proposal, names []string, o Observation) Proposal {
	var unknown, surplus []string
	for _, name := range names {
		node, ok := findNode(o, name)
		switch {
		case !ok:
			unknown = append(unknown, name)
		case slices.Contains(p.Drop, node):
		case o.Wanted-len(p.Drop) <= o.Min:
			surplus = append(surplus, node)
		default:
			p.Drop = append(p.Drop, node)
		}
	}
	p.Nodes = o.Wanted - len(p.Drop)
	reasons := []string{"the rule drops no node"}
	if len(p.Drop) > 0 {
		reasons[0] = "the rule drops " + strings.Join(p.Drop, ", ")
	}
	if len(surplus) > 0 {
		reasons = append(reasons, fmt.Sprintf("%s stays, at least %s are kept", strings.Join(surplus, ", "), nodes(o.Min)))
	}
	if len(unknown) > 0 {
		reasons = append(reasons, shorten(fmt.Sprintf("m_nodes_todrop names %s, which is no node of the group", strings.Join(unknown, ", "))))
	}
	p.Reason = strings.Join(reasons, "; ")
	return p
}

// findNode finds a node by its ID, name or address, in this order.
func findNode(o Observation, text string) (string, bool) {
	for _, is := range []func(Node) bool{
		func(n Node) bool { return n.ID == text },
		func(n Node) bool { return n.Name == text },
		func(n Node) bool { return n.Address == text },
	} {
		if i := slices.IndexFunc(o.Nodes, is); text != "" && i >= 0 {
			return o.Nodes[i].Name, true
		}
	}
	return "", false
}
