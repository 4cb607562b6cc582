package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"gonum.org/v1/gonum/stat"
)

// MiCADO's names for what a rule is given and what it gives back.
const (
	nameNodes     = "m_nodes"
	nameNodeCount = "m_node_count"
	nameToDrop    = "m_nodes_todrop"
	nameSince     = "m_time_since_node_count_changed"
	nameWhen      = "m_time_when_node_count_changed"
	nameUserData  = "m_userdata"
	nameTime      = "time"
	nameAdvice    = "m_opt_advice"
	// nameContainers is in the rules for containers, which are not scaled here.
	nameContainers = "m_container_count"
)

// builtIn is whether every rule has the name, besides Starlark's own.
func builtIn(name string) bool {
	switch name {
	case nameNodes, nameNodeCount, nameToDrop, nameSince, nameWhen, nameUserData, nameTime, nameContainers, nameAdvice,
		"ceil", "floor", "trunc", "round", "fabs", "sqrt", "exp", "log", "log2", "log10", "pow", "isnan", "mean", "median", "std", "sum":
		return true
	}
	return false
}

// functions are the built-in functions, and the guards.
func functions() starlark.StringDict {
	dict := guards()
	whole := func(name string, f func(float64) float64) {
		dict[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			x, err := oneNumber(b.Name(), args, kwargs)
			if err != nil {
				return nil, err
			}
			return starlark.NumberToInt(starlark.Float(f(x)))
		})
	}
	whole("ceil", math.Ceil)
	whole("floor", math.Floor)
	whole("trunc", math.Trunc)
	fraction := func(name string, f func(float64) float64) {
		dict[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			x, err := oneNumber(b.Name(), args, kwargs)
			if err != nil {
				return nil, err
			}
			return finite(b.Name(), f(x))
		})
	}
	fraction("sqrt", math.Sqrt)
	fraction("exp", math.Exp)
	fraction("fabs", math.Abs)
	fraction("log2", math.Log2)
	fraction("log10", math.Log10)
	dict["isnan"] = starlark.NewBuiltin("isnan", isNaN)
	dict["median"] = starlark.NewBuiltin("median", ofNumbers(median))
	dict["std"] = starlark.NewBuiltin("std", ofNumbers(deviation))
	dict["round"] = starlark.NewBuiltin("round", roundNumber)
	dict["log"] = starlark.NewBuiltin("log", logarithm)
	dict["pow"] = starlark.NewBuiltin("pow", power)
	dict["sum"] = starlark.NewBuiltin("sum", sumOf)
	dict["mean"] = starlark.NewBuiltin("mean", meanOf)
	return dict
}

func oneNumber(name string, args starlark.Tuple, kwargs []starlark.Tuple) (float64, error) {
	var v starlark.Value
	if err := starlark.UnpackPositionalArgs(name, args, kwargs, 1, &v); err != nil {
		return 0, err
	}
	return float(name, v)
}

func float(name string, v starlark.Value) (float64, error) {
	x, ok := starlark.AsFloat(v)
	if !ok {
		return 0, fmt.Errorf("%s: got %s, want a number", name, v.Type())
	}
	return x, nil
}

// finite refuses what is no number, so that it is found where it comes from.
func finite(name string, x float64) (starlark.Value, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, fmt.Errorf("%s: the result is not a finite number", name)
	}
	return starlark.Float(x), nil
}

// roundNumber rounds half to even, as Python 3 does, to an int or to decimals.
func roundNumber(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	decimals := 0
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &v, &decimals); err != nil {
		return nil, err
	}
	x, err := float(b.Name(), v)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return starlark.NumberToInt(starlark.Float(math.RoundToEven(x)))
	}
	if decimals < -300 || decimals > 300 {
		return nil, fmt.Errorf("round: %d decimals", decimals)
	}
	unit := math.Pow(10, float64(decimals))
	if math.IsInf(x*unit, 0) {
		return starlark.Float(x), nil
	}
	return starlark.Float(math.RoundToEven(x*unit) / unit), nil
}

// logarithm is natural, or to the base that is the second argument.
func logarithm(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v, base starlark.Value = nil, starlark.Float(math.E)
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &v, &base); err != nil {
		return nil, err
	}
	x, err := float(b.Name(), v)
	if err != nil {
		return nil, err
	}
	to, err := float(b.Name(), base)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return finite(b.Name(), math.Log(x))
	}
	return finite(b.Name(), math.Log(x)/math.Log(to))
}

func power(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v, exponent starlark.Value
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 2, &v, &exponent); err != nil {
		return nil, err
	}
	x, err := float(b.Name(), v)
	if err != nil {
		return nil, err
	}
	y, err := float(b.Name(), exponent)
	if err != nil {
		return nil, err
	}
	return finite(b.Name(), math.Pow(x, y))
}

// sumOf adds numbers; of ints it is an int.
func sumOf(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	total, _, err := addUp(b.Name(), args, kwargs)
	return total, err
}

func meanOf(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	total, n, err := addUp(b.Name(), args, kwargs)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("mean: of no numbers")
	}
	return starlark.Binary(syntax.SLASH, total, starlark.MakeInt(n))
}

func addUp(name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, int, error) {
	var list starlark.Iterable
	if err := starlark.UnpackPositionalArgs(name, args, kwargs, 1, &list); err != nil {
		return nil, 0, err
	}
	var total starlark.Value = starlark.MakeInt(0)
	n := 0
	for v := range starlark.Elements(list) {
		if _, err := float(name, v); err != nil {
			return nil, 0, fmt.Errorf("element %d: %w", n, err)
		}
		added, err := starlark.Binary(syntax.PLUS, total, v)
		if err != nil {
			return nil, 0, err
		}
		total, n = added, n+1
	}
	return total, n, nil
}

func isNaN(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	x, err := oneNumber(b.Name(), args, kwargs)
	return starlark.Bool(math.IsNaN(x)), err
}

// ofNumbers makes a function of a list of numbers, which is not empty.
func ofNumbers(f func([]float64) float64) func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var list starlark.Iterable
		if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &list); err != nil {
			return nil, err
		}
		var numbers []float64
		for v := range starlark.Elements(list) {
			x, err := float(b.Name(), v)
			if err != nil {
				return nil, fmt.Errorf("element %d: %w", len(numbers), err)
			}
			numbers = append(numbers, x)
		}
		if len(numbers) == 0 {
			return nil, fmt.Errorf("%s: of no numbers", b.Name())
		}
		return finite(b.Name(), f(numbers))
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// deviation is the standard deviation of a population, as numpy's std has it.
func deviation(x []float64) float64 { return math.Sqrt(stat.PopVariance(x, nil)) }

// printed collects what a rule prints, within bounds.
type printed struct {
	lines []string
	left  int // lines that were not kept
}

const (
	maxPrints    = 100
	maxPrintLine = 500
)

func (p *printed) print(_ *starlark.Thread, text string) {
	for line := range strings.Lines(text + "\n") {
		if len(p.lines) == maxPrints {
			p.left++
			continue
		}
		p.lines = append(p.lines, shorten(strings.TrimSuffix(line, "\n")))
	}
}

func (p *printed) all() []string {
	if p.left == 0 {
		return p.lines
	}
	return append(p.lines, fmt.Sprintf("(%s)", count(p.left, "more line")))
}

// shorten cuts a text that is too long for a line.
func shorten(text string) string {
	if len(text) <= maxPrintLine {
		return text
	}
	return strings.ToValidUTF8(text[:maxPrintLine], "") + "..."
}
