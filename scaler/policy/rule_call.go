package policy

import (
	"fmt"

	"go.starlark.net/starlark"
)

// call calls f after charging for what it will make. Functions of the rule are
// charged as they go.
func call(thread *starlark.Thread, f starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	builtin, ok := f.(*starlark.Builtin)
	if !ok {
		return starlark.Call(thread, f, args, kwargs)
	}
	if err := chargeCall(thread, builtin, args, kwargs); err != nil {
		return nil, err
	}
	for i, pair := range kwargs {
		if pair[0] == starlark.String("key") {
			kwargs[i] = starlark.Tuple{pair[0], guarded(pair[1])}
		}
	}
	result, err := starlark.Call(thread, builtin, args, kwargs)
	if s, ok := result.(starlark.Sequence); ok && builtin.Name() == "range" && s.Len() > maxRange {
		return nil, fmt.Errorf("range of %d elements, at most %d are allowed", s.Len(), maxRange)
	}
	return result, err
}

// guarded wraps a function that a built-in one such as sorted will call itself.
func guarded(f starlark.Value) starlark.Value {
	if _, ok := f.(starlark.Callable); !ok {
		return f
	}
	return starlark.NewBuiltin("key", func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return call(thread, f, args, kwargs)
	})
}

func chargeCall(thread *starlark.Thread, f *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) error {
	switch f.Name() {
	case "append", "add", "get", "setdefault", "pop", "insert", "remove", "discard", "popitem", "clear",
		"len", "type", "bool", "startswith", "endswith", "range":
		return nil // makes nothing that grows with its arguments
	case "join":
		return charge(thread, joined(f.Receiver(), args))
	case "replace":
		return charge(thread, replaced(f.Receiver(), args))
	case "format":
		text, err := textSizes(args, kwargs)
		if err != nil {
			return err
		}
		return charge(thread, times(width(f.Receiver())/2+1, text))
	case "str", "repr", "print", "fail", "bytes":
		text, err := textSizes(args, kwargs)
		if err != nil {
			return err
		}
		return charge(thread, text)
	}
	size := 0
	if f.Receiver() != nil {
		// Splitting a string makes an element of each character at worst.
		size = times(width(f.Receiver()), bytesPerStep)
	}
	for _, arg := range args {
		size = sum(size, width(arg))
	}
	return charge(thread, size)
}

func joined(separator starlark.Value, args starlark.Tuple) int {
	if len(args) != 1 {
		return 0
	}
	list, ok := args[0].(starlark.Iterable)
	if !ok {
		return 0
	}
	size := 0
	for element := range starlark.Elements(list) {
		size = sum(size, width(separator)+width(element))
	}
	return size
}

func replaced(in starlark.Value, args starlark.Tuple) int {
	if len(args) < 2 {
		return 0
	}
	return times(width(in)+1, width(args[1])+1)
}

func textSizes(args starlark.Tuple, kwargs []starlark.Tuple) (int, error) {
	total := 0
	for _, arg := range args {
		size, err := textSize(arg)
		if err != nil {
			return 0, err
		}
		total = sum(total, size)
	}
	for _, pair := range kwargs {
		size, err := textSize(pair[1])
		if err != nil {
			return 0, err
		}
		total = sum(total, size)
	}
	return total, nil
}

// textSize is about how many bytes v is as text. A value that holds the same
// list many times over is longer as text than in memory, by any factor.
func textSize(v starlark.Value) (int, error) {
	w := walker{left: maxSteps * bytesPerStep}
	err := w.walk(v, 0)
	return maxSteps*bytesPerStep - w.left, err
}

// walker adds up the text of a nested value until it is clear that it is too long.
type walker struct{ left int }

func (w *walker) walk(v starlark.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("a %s that nests more than %d deep", v.Type(), maxDepth)
	}
	w.left -= 8
	switch v := v.(type) {
	case starlark.String, starlark.Bytes:
		w.left -= 4 * width(v)
	case starlark.Int:
		w.left -= bitLen(v) / 3
	case *starlark.Dict:
		for key, value := range v.Entries() {
			if err := w.walkBoth(key, value, depth+1); err != nil {
				return err
			}
		}
	case starlark.Iterable:
		for element := range starlark.Elements(v) {
			if err := w.walk(element, depth+1); err != nil {
				return err
			}
		}
	}
	if w.left <= 0 {
		return errTooMuch
	}
	return nil
}

func (w *walker) walkBoth(key, value starlark.Value, depth int) error {
	if err := w.walk(key, depth); err != nil {
		return err
	}
	return w.walk(value, depth)
}
