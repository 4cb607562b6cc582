package tosca

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// inputTypes are the types of inputs: MiCADO's, and TOSCA's that are written as
// one value.
var inputTypes = []string{
	"string", "integer", "float", "boolean", "timestamp", "list", "map", "secret",
	"version", "range", "json", "xml", "scalar-unit.size", "scalar-unit.time", "scalar-unit.frequency", "scalar-unit.bitrate",
}

var inputKeys = []string{"type", "default", "description", "required", "constraints", "entry_schema", "key_schema", "status", "metadata", "value", "external-schema"}

// readInputs gives each declared input its value: a parameter, else the default.
func (t *translator) readInputs(declared *strictyaml.Node) {
	t.inputs = map[string]*strictyaml.Node{}
	if !t.mapping(declared) {
		return
	}
	for _, input := range declared.Entries() {
		if t.keys(input, inputKeys...) {
			t.inputs[input.Key()] = t.input(input)
		} else {
			t.inputs[input.Key()] = strictyaml.NewWrong(input)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.source.Params)) {
		if t.inputs[name] == nil {
			m := strictyaml.Mistake{File: t.source.File, Line: 1, Column: 1, Path: "topology_template.inputs",
				What: fmt.Sprintf("has no input %q, for which there is a parameter", name),
				Fix:  t.suggest(name, slices.Collect(maps.Keys(t.inputs)), "remove the parameter")}
			if declared != nil {
				_, m.Line, m.Column = declared.Place()
			}
			t.add(m)
		}
	}
}

// input is the value of one input.
func (t *translator) input(declared *strictyaml.Node) *strictyaml.Node {
	kind := "string"
	if n := declared.Get("type"); n != nil && !n.Is(strictyaml.KindNull) {
		kind = n.Scalar()
		if !slices.Contains(inputTypes, kind) {
			t.wrong(n, fmt.Sprintf("is %q, which is no type of an input", kind), t.suggest(kind, inputTypes, "use one that is"))
			return strictyaml.NewWrong(declared)
		}
	}
	value := declared.Get("default")
	given, isGiven := t.source.Params[declared.Key()]
	if isGiven {
		if value = t.parameter(declared, kind, given); value.Bad() {
			return value
		}
	}
	if value == nil || value.Is(strictyaml.KindNull) {
		if n := declared.Get("required"); n != nil && truth(n) == no {
			return strictyaml.NewText(declared, "")
		}
		t.wrong(declared, "has no default, and no parameter sets it", fmt.Sprintf("set it with --param %s=...", declared.Key()))
		return strictyaml.NewWrong(declared)
	}
	return t.typed(declared, kind, t.resolve(value, scope{index: -1}), isGiven)
}

// parameter is a value that is given for an input.
func (t *translator) parameter(declared *strictyaml.Node, kind string, given any) *strictyaml.Node {
	text, isText := given.(string)
	if isText && kind != "list" && kind != "map" {
		if kind == "integer" || kind == "float" || kind == "boolean" {
			return t.yaml(declared, text)
		}
		return strictyaml.NewText(declared, text)
	}
	if !isText {
		encoded, err := json.Marshal(given)
		if err != nil {
			t.wrong(declared, fmt.Sprintf("has a parameter that is no YAML value: %v", err), "write it as YAML")
			return strictyaml.NewWrong(declared)
		}
		text = string(encoded)
	}
	return t.yaml(declared, text)
}

// yaml is the value of a text, at the place of the input.
func (t *translator) yaml(declared *strictyaml.Node, text string) *strictyaml.Node {
	value, err := strictyaml.Read("parameter", []byte(text))
	if err != nil {
		t.wrong(declared, fmt.Sprintf("has a parameter that is no YAML value: %v", err), "write it as YAML or JSON")
		return strictyaml.NewWrong(declared)
	}
	return strictyaml.NewValue(declared, value.Value())
}

// typed checks a value against the input's type.
func (t *translator) typed(declared *strictyaml.Node, kind string, value *strictyaml.Node, given bool) *strictyaml.Node {
	if value.Bad() {
		return value
	}
	ok, wanted := true, "a "+kind
	switch kind {
	case "integer":
		value, wanted = number(value), "a whole number"
		ok = value.Is(strictyaml.KindInt)
	case "float":
		ok, wanted = value.Is(strictyaml.KindFloat) || value.Is(strictyaml.KindInt), "a number"
	case "boolean":
		value, wanted = boolean(value), "true or false"
		ok = value.Is(strictyaml.KindBool)
	case "list", "range":
		ok = value.Is(strictyaml.KindList)
	case "map":
		ok = value.Is(strictyaml.KindMapping)
	case "json", "xml":
	default:
		ok, wanted = !value.Is(strictyaml.KindList) && !value.Is(strictyaml.KindMapping), "one value"
	}
	if !ok {
		at, what := value, "its default"
		if given {
			at, what = declared, "its parameter"
		}
		t.wrong(at, fmt.Sprintf("is of type %s, and %s is %s, not %s", kind, what, described(value), wanted), "write "+wanted)
		return strictyaml.NewWrong(declared)
	}
	return t.constrained(declared, value)
}

// constrained checks a value against the input's constraints that MiCADO checks
// too: valid_values and bounds.
func (t *translator) constrained(declared, value *strictyaml.Node) *strictyaml.Node {
	for _, item := range declared.Get("constraints").Items() {
		for _, c := range item.Entries() {
			if !satisfies(value, c) {
				t.wrong(declared, fmt.Sprintf("is %s, which breaks the constraint %s", described(value), c.Key()), "give another value")
				return strictyaml.NewWrong(declared)
			}
		}
	}
	return value
}

func satisfies(value, c *strictyaml.Node) bool {
	compare := func(ok func(v, bound float64) bool) bool {
		v, err := strconv.ParseFloat(value.Scalar(), 64)
		bound, err2 := strconv.ParseFloat(c.Scalar(), 64)
		return err != nil || err2 != nil || ok(v, bound)
	}
	switch c.Key() {
	case "valid_values":
		return slices.ContainsFunc(c.Items(), func(n *strictyaml.Node) bool { return n.Scalar() == value.Scalar() })
	case "equal":
		return c.Scalar() == value.Scalar()
	case "greater_than":
		return compare(func(v, bound float64) bool { return v > bound })
	case "greater_or_equal":
		return compare(func(v, bound float64) bool { return v >= bound })
	case "less_than":
		return compare(func(v, bound float64) bool { return v < bound })
	case "less_or_equal":
		return compare(func(v, bound float64) bool { return v <= bound })
	default:
		return true
	}
}

// answer is what a value says where true or false is wanted.
type answer int

const (
	unclear answer = iota
	yes
	no
)

// truth reads a boolean as YAML 1.1 does, in quotes too.
func truth(n *strictyaml.Node) answer {
	switch strings.ToLower(n.Scalar()) {
	case "true", "yes", "on", "y":
		return yes
	case "false", "no", "off", "n":
		return no
	default:
		return unclear
	}
}

// boolean is a boolean of what reads as one, and other values unchanged.
func boolean(n *strictyaml.Node) *strictyaml.Node {
	if n == nil || n.Bad() || truth(n) == unclear {
		return n
	}
	return strictyaml.NewValue(n, truth(n) == yes)
}

// number is a whole number of a text that is one, and other values unchanged.
func number(n *strictyaml.Node) *strictyaml.Node {
	if n != nil && n.Is(strictyaml.KindText) {
		if i, err := strconv.Atoi(strings.TrimSpace(n.Scalar())); err == nil {
			return strictyaml.NewValue(n, i)
		}
	}
	return n
}

// words is a text of a number that is an identifier, such as 36e84500, and other
// values unchanged.
func words(n *strictyaml.Node) *strictyaml.Node {
	if n != nil && (n.Is(strictyaml.KindInt) || n.Is(strictyaml.KindFloat) || n.Is(strictyaml.KindOther)) {
		return strictyaml.NewText(n, n.Scalar())
	}
	return n
}
