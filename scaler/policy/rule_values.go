package policy

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// maxUserData bounds what a rule remembers, in bytes of JSON.
const maxUserData = 64 << 10

// toStarlark makes a rule's value of a constant, new at each call, as the rule
// may change it.
func toStarlark(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case int64:
		return starlark.MakeInt64(v), nil
	case uint64:
		return starlark.MakeUint64(v), nil
	case float64:
		return starlark.Float(v), nil
	case string:
		return starlark.String(v), nil
	case []any:
		return listToStarlark(v)
	case map[string]any:
		return mapToStarlark(v)
	}
	return nil, fmt.Errorf("a constant of type %T can't be used in a rule", v)
}

func listToStarlark(list []any) (starlark.Value, error) {
	elements := make([]starlark.Value, len(list))
	for i, v := range list {
		element, err := toStarlark(v)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		elements[i] = element
	}
	return starlark.NewList(elements), nil
}

func mapToStarlark(m map[string]any) (starlark.Value, error) {
	dict := starlark.NewDict(len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		value, err := toStarlark(m[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if err := dict.SetKey(starlark.String(key), value); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

// decodeUserData is what a rule remembered, and None at first.
func decodeUserData(thread *starlark.Thread, data []byte) (starlark.Value, error) {
	if len(data) == 0 {
		return starlark.None, nil
	}
	v, err := starlark.Call(thread, json.Module.Members["decode"], starlark.Tuple{starlark.String(data)}, nil)
	if err != nil {
		return nil, fmt.Errorf("read m_userdata: %w", err)
	}
	return v, nil
}

func encodeUserData(thread *starlark.Thread, v starlark.Value) ([]byte, error) {
	if size, err := textSize(v); err != nil {
		return nil, fmt.Errorf("m_userdata: %w", err)
	} else if size > 16*maxUserData {
		return nil, fmt.Errorf("m_userdata is longer than %d bytes as JSON", maxUserData)
	}
	text, err := starlark.Call(thread, json.Module.Members["encode"], starlark.Tuple{v}, nil)
	if err != nil {
		return nil, fmt.Errorf("m_userdata must be None, a bool, a number, a string, a list or a dict with strings as keys, to be kept: %w", err)
	}
	data := []byte(text.(starlark.String))
	if len(data) > maxUserData {
		return nil, fmt.Errorf("m_userdata is %d bytes long as JSON, at most %d are kept", len(data), maxUserData)
	}
	return data, nil
}

// nodeCount is the size that a rule left in m_node_count; None keeps wanted.
func nodeCount(v starlark.Value, wanted int) (int, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return wanted, nil
	case starlark.Int:
		if v.Sign() < 0 {
			return 0, fmt.Errorf("m_node_count is %v, must be at least 0", v)
		}
		n, ok := v.Int64()
		if !ok || n > mostNodes {
			return 0, fmt.Errorf("m_node_count is too large")
		}
		return int(n), nil
	case starlark.Float:
		n := math.Trunc(float64(v))
		if math.IsNaN(n) || n < 0 || n > mostNodes {
			return 0, fmt.Errorf("m_node_count is %v, must be a number of nodes, at least 0", v)
		}
		return int(n), nil
	case starlark.String:
		return 0, fmt.Errorf("m_node_count is the string %.40q, must be a number", string(v))
	}
	return 0, fmt.Errorf("m_node_count is a %s, must be a number", v.Type())
}

// dropNames are the strings that a rule left in m_nodes_todrop.
func dropNames(v starlark.Value) ([]string, error) {
	list, ok := v.(starlark.Iterable)
	if _, dict := v.(*starlark.Dict); !ok || dict {
		if v == starlark.None {
			return nil, nil
		}
		return nil, fmt.Errorf("m_nodes_todrop is a %s, must be a list of IDs, names or addresses", v.Type())
	}
	var found []string
	for element := range starlark.Elements(list) {
		name, ok := starlark.AsString(element)
		if !ok {
			return nil, fmt.Errorf("m_nodes_todrop holds a %s, must hold IDs, names or addresses", element.Type())
		}
		found = append(found, name)
	}
	return found, nil
}
