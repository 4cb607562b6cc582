package tosca

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// orchestrators are the names of interfaces that MiCADO has.
var orchestrators = []string{"Terraform", "Occopus", "Kubernetes", "Ansible", "Edge", "Standard"}

// stage is the create stage of a node's interface.
type stage struct {
	orchestrator string
	inputs       []entry // with their functions
	at           *strictyaml.Node
}

// createStage finds how a node is created: by the interface of the template, else
// by that of its types. Inputs of the template win over those of the types.
func (t *translator) createStage(n *node) stage {
	var s stage
	for _, name := range slices.Backward(n.ancestors) {
		own := t.types.nodes.own[name]
		if own == nil {
			if b := t.types.nodes.builtIn[name]; b.orchestrator != "" {
				s = stage{orchestrator: b.orchestrator, at: n.template.Get("type")}
				if endpoint := n.raw("endpoint"); b.endpoint && endpoint != nil {
					s.inputs = []entry{{"endpoint", endpoint}}
				}
			}
			continue
		}
		t.mergeStage(&s, own.Get("interfaces"), true)
	}
	t.mergeStage(&s, n.template.Get("interfaces"), false)
	return s
}

// mergeStage adds what an interfaces section says of the create stage.
func (t *translator) mergeStage(s *stage, interfaces *strictyaml.Node, inType bool) {
	if !t.mapping(interfaces) {
		return
	}
	terraform := slices.ContainsFunc(interfaces.Entries(), func(i *strictyaml.Node) bool { return orchestratorName(i) == "Terraform" })
	for _, i := range interfaces.Entries() {
		name := orchestratorName(i)
		switch {
		case name == "Occopus" && terraform && !inType:
			t.note(i, "is passed over: Terraform is named too")
		case name == "Terraform" || name == "Occopus":
			create, found := createOf(i)
			if !found && inType {
				continue
			}
			if s.orchestrator != name {
				s.orchestrator, s.at = name, i
			}
			t.mergeInputs(s, i.Get("inputs"))
			t.mergeInputs(s, create.Get("inputs"))
			t.otherStages(i)
		case inType:
		case slices.Contains(orchestrators, name):
			t.note(i, "is an interface that machines do not use; it is passed over")
		default:
			t.wrong(i, "is no known interface", t.suggest(i.Key(), orchestrators, "use Terraform"))
		}
	}
}

// orchestratorName is the interface's by its key, or by its type.
func orchestratorName(i *strictyaml.Node) string {
	for _, o := range orchestrators {
		if strings.EqualFold(i.Key(), o) || strings.HasSuffix(i.Key(), "."+o) {
			return o
		}
	}
	if kind := i.Get("type"); kind.Is(strictyaml.KindText) {
		for _, o := range orchestrators {
			if strings.HasSuffix(kind.Scalar(), "."+o) {
				return o
			}
		}
	}
	return i.Key()
}

// createOf is the create stage of an interface, also in the notation of TOSCA 1.3.
func createOf(i *strictyaml.Node) (create *strictyaml.Node, found bool) {
	if create = i.Get("create"); create == nil {
		create = i.Get("operations").Get("create")
	}
	return create, create != nil
}

func (t *translator) otherStages(i *strictyaml.Node) {
	for _, e := range i.Entries() {
		switch e.Key() {
		case "create", "inputs", "type", "operations", "description":
		case "configure", "start", "stop", "delete":
			t.note(e, "is a stage that machines do not use; it is passed over")
		default:
			t.wrong(e, "is no known stage", t.suggest(e.Key(), []string{"create", "inputs"}, "put it below create"))
		}
	}
}

func (t *translator) mergeInputs(s *stage, inputs *strictyaml.Node) {
	if !t.mapping(inputs) {
		return
	}
	for _, input := range inputs.Entries() {
		if input.Is(strictyaml.KindNull) && !input.Bad() {
			continue
		}
		if !t.spend(input, 1) {
			return
		}
		s.inputs = slices.DeleteFunc(s.inputs, func(e entry) bool { return e.name == input.Key() })
		s.inputs = append(s.inputs, entry{input.Key(), input})
	}
}

// givenInput is an input of the template's create stage of that name.
func (t *translator) givenInput(n *node, name string) *strictyaml.Node {
	for _, i := range n.template.Get("interfaces").Entries() {
		if create, _ := createOf(i); create.Get("inputs").Get(name) != nil {
			return create.Get("inputs").Get(name)
		}
	}
	return nil
}

// settings are a machine's properties with the inputs of its create stage, which
// win. What is taken is used; the rest are arguments of Terraform's resource.
type settings struct {
	t      *translator
	n      *node
	values []entry
	taken  map[string]bool
	// occopus says that the node was written for Occopus, whose own settings mean
	// nothing to Terraform.
	occopus bool
}

func (t *translator) settings(n *node) *settings {
	s := &settings{t: t, n: n, taken: map[string]bool{}}
	stage := t.createStage(n)
	switch stage.orchestrator {
	case "Occopus":
		s.occopus = true
		t.note(stage.at, "is made with Terraform: Occopus is not used")
	case "":
		t.note(n.template, "names no interface; it is made with Terraform")
	}
	of := scope{self: n, index: n.index}
	for _, p := range n.properties {
		s.add(p.name, t.resolve(p.value, of))
	}
	for _, input := range stage.inputs {
		s.add(input.name, t.resolve(input.value, of))
	}
	return s
}

// add sets a value, unless it is a placeholder that may be left out.
func (s *settings) add(name string, value *strictyaml.Node) {
	value = s.t.filled(value)
	if value == nil {
		return
	}
	s.values = slices.DeleteFunc(s.values, func(e entry) bool { return e.name == name })
	s.values = append(s.values, entry{name, value})
}

// take returns a value and marks it used; nil where it is not set.
func (s *settings) take(name string) *strictyaml.Node {
	s.taken[name] = true
	for _, e := range s.values {
		if e.name == name {
			return e.value
		}
	}
	return nil
}

// first takes all the values and returns the first that is set.
func (s *settings) first(names ...string) *strictyaml.Node {
	var value *strictyaml.Node
	for _, name := range names {
		if v := s.take(name); value == nil {
			value = v
		}
	}
	return value
}

// require takes a value and reports it where it is missing.
func (s *settings) require(name string) *strictyaml.Node {
	value := s.take(name)
	if value == nil {
		for _, e := range s.values {
			if !s.taken[e.name] && strictyaml.Nearest(e.name, []string{name}) != "" {
				s.taken[e.name] = true
				s.t.wrong(e.value, "is no known property", fmt.Sprintf("did you mean %s?", name))
				return strictyaml.NewWrong(e.value)
			}
		}
		s.t.missing(s.n.template, name, s.n.typeName)
		return strictyaml.NewWrong(s.n.template)
	}
	return value
}

// ignore notes values that have no counterpart.
func (s *settings) ignore(why string, names ...string) {
	for _, name := range names {
		if v := s.take(name); v != nil {
			s.t.note(v, why)
		}
	}
}

// arguments are what was not taken, for Terraform's resource.
func (s *settings) arguments(into *strictyaml.Node, known ...string) {
	arguments := strictyaml.NewMapping(s.n.template)
	for _, e := range s.values {
		switch near := strictyaml.Nearest(e.name, known); {
		case s.taken[e.name]:
		case near != "" && s.lacks(near):
			s.t.wrong(e.value, "is no known property", fmt.Sprintf("did you mean %s?", near))
		case s.occopus && s.isInput(e.name):
			s.t.note(e.value, "is a setting of Occopus and has no counterpart; it is left out")
		default:
			arguments.Set(e.name, plain(e.value))
		}
	}
	if len(arguments.Entries()) > 0 {
		into.Set("arguments", arguments)
	}
}

func (s *settings) lacks(name string) bool {
	return !slices.ContainsFunc(s.values, func(e entry) bool { return e.name == name })
}

func (s *settings) isInput(name string) bool { return s.n.raw(name) == nil }

// plain is a value as it is, with nulls left out of it and odd numbers as texts.
func plain(n *strictyaml.Node) *strictyaml.Node {
	if n.Bad() {
		return n
	}
	return strictyaml.NewValue(n, n.Value())
}
