package policy

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const (
	// maxSteps bounds one evaluation. A step is one operation, or bytesPerStep
	// bytes of a value that is made, so it also bounds the memory, to some 16 MB for
	// large values and 100 MB for very many small ones.
	maxSteps = 1_000_000
	// bytesPerStep is the size of an element of a list.
	bytesPerStep = 16
	// maxTime is the second line of defence; maxSteps is reached long before.
	maxTime = time.Second
	// maxIntBits bounds whole numbers, which are otherwise as long as one likes.
	maxIntBits = 4096
	// maxRange bounds range(), which takes no memory until something unpacks it.
	maxRange = 100_000
	// maxDepth bounds how deep a value that is written as text may nest.
	maxDepth = 100
)

// The names under which a rewritten program calls the guards. A rule can't write
// them. Operators go by their own signs.
const (
	callName = "call a function"
	cutName  = "cut a slice"
)

var errTooMuch = fmt.Errorf("the rule does too much: more than %d steps (one operation, or %d bytes of a value, each)", maxSteps, bytesPerStep)

const cancelled = "Starlark computation cancelled: "

// plainCancel leaves out that it was Starlark that stopped.
func plainCancel(message string) string { return strings.TrimPrefix(message, cancelled) }

// bound limits what a thread may do, and returns a function to call when it has
// ended.
func bound(thread *starlark.Thread) (done func()) {
	thread.SetMaxExecutionSteps(maxSteps)
	thread.OnMaxSteps = func(t *starlark.Thread) { t.Cancel(errTooMuch.Error()) }
	timer := time.AfterFunc(maxTime, func() {
		thread.Cancel(fmt.Sprintf("the rule took longer than %v", maxTime))
	})
	return func() { timer.Stop() }
}

// charge counts the bytes of a value that is about to be made.
func charge(thread *starlark.Thread, bytes int) error {
	cost := uint64(max(bytes, 0) / bytesPerStep)
	if cost >= maxSteps-min(thread.Steps, maxSteps) {
		return errTooMuch
	}
	thread.Steps += cost
	return nil
}

// guards are what a rewritten program calls in place of operators, calls and
// slices.
func guards() starlark.StringDict {
	dict := starlark.StringDict{
		callName: starlark.NewBuiltin(callName, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return call(thread, args[0], args[1:], kwargs)
		}),
		cutName: starlark.NewBuiltin(cutName, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return args[0], charge(thread, width(args[0]))
		}),
	}
	for op := syntax.PLUS; op <= syntax.GTGT_EQ; op++ {
		dict[op.String()] = operator(op)
	}
	for _, op := range []syntax.Token{syntax.IN, syntax.NOT_IN} {
		dict[op.String()] = operator(op)
	}
	return dict
}

// operator is the guard of an operator, +, or of an assignment, +=.
func operator(op syntax.Token) *starlark.Builtin {
	sign, inPlace := op.String(), false
	if op >= syntax.PLUS_EQ && op <= syntax.GTGT_EQ {
		op, inPlace = op-syntax.PLUS_EQ+syntax.PLUS, true
	}
	return starlark.NewBuiltin(sign, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return operate(thread, op, inPlace, args[0], args[1])
	})
}

// operate is x op y.
func operate(thread *starlark.Thread, op syntax.Token, inPlace bool, x, y starlark.Value) (starlark.Value, error) {
	if err := chargeOperator(thread, op, x, y); err != nil {
		return nil, err
	}
	switch op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.GT, syntax.LE, syntax.GE:
		is, err := starlark.Compare(op, x, y)
		return starlark.Bool(is), err
	}
	if inPlace {
		if same, ok, err := extend(thread, op, x, y); ok {
			return same, err
		}
	}
	return starlark.Binary(op, x, y)
}

// extend is += of lists and |= of dicts, which change their left side.
func extend(thread *starlark.Thread, op syntax.Token, x, y starlark.Value) (starlark.Value, bool, error) {
	method := ""
	switch x.(type) {
	case *starlark.List:
		if _, ok := y.(starlark.Iterable); ok && op == syntax.PLUS {
			method = "extend"
		}
	case *starlark.Dict:
		if _, ok := y.(*starlark.Dict); ok && op == syntax.PIPE {
			method = "update"
		}
	}
	if method == "" {
		return nil, false, nil
	}
	change, err := x.(starlark.HasAttrs).Attr(method)
	if err != nil {
		return nil, true, err
	}
	_, err = starlark.Call(thread, change, starlark.Tuple{y}, nil)
	return x, true, err
}

// chargeOperator counts what x op y makes or walks through.
func chargeOperator(thread *starlark.Thread, op syntax.Token, x, y starlark.Value) error {
	xInt, xIsInt := x.(starlark.Int)
	yInt, yIsInt := y.(starlark.Int)
	if xIsInt && yIsInt {
		return checkBits(op, xInt, yInt)
	}
	if scalar(x) && scalar(y) {
		return nil
	}
	switch op {
	case syntax.STAR:
		switch {
		case yIsInt:
			return charge(thread, repeated(x, yInt))
		case xIsInt:
			return charge(thread, repeated(y, xInt))
		}
		return nil // no such product
	case syntax.PERCENT:
		text, err := textSize(y)
		if err != nil {
			return err
		}
		// A format such as "%(x)s%(x)s" may use a value every four characters.
		return charge(thread, times(width(x)/2+1, text))
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.GT, syntax.LE, syntax.GE, syntax.IN, syntax.NOT_IN:
		return chargeComparison(thread, x, y)
	}
	return charge(thread, sum(width(x), width(y)))
}

// chargeComparison counts what x == y or x in y looks at: all of a nested value,
// though nothing is made.
func chargeComparison(thread *starlark.Thread, x, y starlark.Value) error {
	switch y.(type) {
	case starlark.String:
		return nil // is compared with another string, at no cost
	case *starlark.Dict, *starlark.Set:
		if _, text := x.(starlark.String); text || scalar(x) {
			return nil // is looked up
		}
	}
	size, err := textSize(y)
	if err != nil {
		return err
	}
	return charge(thread, size)
}

func checkBits(op syntax.Token, x, y starlark.Int) error {
	size := 0
	switch op {
	case syntax.STAR:
		size = bitLen(x) + bitLen(y)
	case syntax.LTLT:
		shift, _ := starlark.AsInt32(y) // Starlark itself refuses above 512
		size = bitLen(x) + shift
	default:
		size = max(bitLen(x), bitLen(y))
	}
	if size > maxIntBits {
		return fmt.Errorf("a number of more than %d bits", maxIntBits)
	}
	return nil
}

func bitLen(i starlark.Int) int {
	if small, ok := i.Int64(); ok {
		return bits.Len64(uint64(max(small, -small)))
	}
	return i.BigInt().BitLen()
}

func scalar(v starlark.Value) bool {
	switch v.(type) {
	case starlark.Int, starlark.Float, starlark.Bool, starlark.NoneType:
		return true
	}
	return false
}

// width is about how many bytes a copy of v takes, without what it refers to.
func width(v starlark.Value) int {
	switch v := v.(type) {
	case starlark.String:
		return len(v)
	case starlark.Bytes:
		return len(v)
	case *starlark.Dict:
		return v.Len() * 64
	case *starlark.Set:
		return v.Len() * 64
	case starlark.Sequence:
		return times(v.Len(), bytesPerStep)
	case starlark.Iterable: // "abc".elems()
		return width(starlark.String(v.String())) * bytesPerStep
	}
	return 0
}

func repeated(v starlark.Value, n starlark.Int) int {
	count, ok := n.Int64()
	if !ok {
		return math.MaxInt
	}
	return times(width(v), int(max(count, 0)))
}

// times and sum stop at the largest int.
func times(a, b int) int {
	high, low := bits.Mul(uint(a), uint(b))
	if high != 0 || low > math.MaxInt {
		return math.MaxInt
	}
	return int(low)
}

func sum(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}
