package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ncruces/go-strftime"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// timeAt is Python's module time as of an instant: the clock stands still while a
// rule runs. Local time is UTC, as it is in MiCADO's containers.
func timeAt(now time.Time) starlark.Value {
	members := starlark.StringDict{}
	for name, f := range map[string]func(args starlark.Tuple) (starlark.Value, error){
		"time":      func(args starlark.Tuple) (starlark.Value, error) { return seconds(now), noArguments(args) },
		"gmtime":    func(args starlark.Tuple) (starlark.Value, error) { return calendar(now, args) },
		"localtime": func(args starlark.Tuple) (starlark.Value, error) { return calendar(now, args) },
		"mktime":    mktime,
		"strptime":  strptime,
		"strftime":  func(args starlark.Tuple) (starlark.Value, error) { return formatTime(now, args) },
	} {
		members[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(kwargs) > 0 {
				return nil, fmt.Errorf("time.%s takes no named arguments", b.Name())
			}
			v, err := f(args)
			if err != nil {
				return nil, fmt.Errorf("time.%s: %w", b.Name(), err)
			}
			return v, nil
		})
	}
	return starlarkstruct.FromStringDict(starlark.String(nameTime), members)
}

func seconds(t time.Time) starlark.Float { return starlark.Float(float64(t.UnixMicro()) / 1e6) }

func noArguments(args starlark.Tuple) error {
	if len(args) > 0 {
		return errors.New("takes no arguments")
	}
	return nil
}

// calendarFields are the elements of Python's struct_time in their order.
var calendarFields = []string{"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"}

// structTime is Python's struct_time: a tuple whose elements have names too.
type structTime struct{ starlark.Tuple }

func (s structTime) Type() string        { return "struct_time" }
func (s structTime) AttrNames() []string { return calendarFields }

// Attr implements starlark.HasAttrs.
func (s structTime) Attr(name string) (starlark.Value, error) {
	if i := slices.Index(calendarFields, name); i >= 0 {
		return s.Tuple[i], nil
	}
	return nil, nil
}

func calendarOf(t time.Time) structTime {
	weekday := (int(t.Weekday()) + 6) % 7 // Python's week begins on Monday
	var tuple starlark.Tuple
	for _, n := range []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), weekday, t.YearDay(), 0} {
		tuple = append(tuple, starlark.MakeInt(n))
	}
	return structTime{tuple}
}

// calendar is the calendar of the seconds given, or of now.
func calendar(now time.Time, args starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return calendarOf(now.UTC()), nil
	}
	x, ok := starlark.AsFloat(args[0])
	if !ok || len(args) > 1 || x < -1e11 || x > 1e11 {
		return nil, errors.New("takes a number of seconds since 1970")
	}
	return calendarOf(time.UnixMicro(int64(x * 1e6)).UTC()), nil
}

// instantOf is the instant of a struct_time, or of a tuple like it.
func instantOf(v starlark.Value) (time.Time, error) {
	list, ok := v.(starlark.Indexable)
	if !ok || list.Len() < 6 {
		return time.Time{}, errors.New("takes what time.strptime, time.gmtime or time.localtime return")
	}
	var n [6]int
	for i := range n {
		if err := starlark.AsInt(list.Index(i), &n[i]); err != nil {
			return time.Time{}, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC), nil
}

func mktime(args starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, errors.New("takes one argument")
	}
	t, err := instantOf(args[0])
	if err != nil {
		return nil, err
	}
	return seconds(t), nil
}

func strptime(args starlark.Tuple) (starlark.Value, error) {
	if len(args) != 2 {
		return nil, errors.New("takes a text and its format")
	}
	text, ok := starlark.AsString(args[0])
	layout, isText := starlark.AsString(args[1])
	if !ok || !isText {
		return nil, errors.New("takes a text and its format")
	}
	t, err := strftime.Parse(layout, text)
	if err != nil {
		return nil, fmt.Errorf("%.60q is not written as %.60q: %w", text, layout, err)
	}
	return calendarOf(t.UTC()), nil
}

func formatTime(now time.Time, args starlark.Tuple) (starlark.Value, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, errors.New("takes a format and, if it is not the present time, the time")
	}
	layout, ok := starlark.AsString(args[0])
	if !ok {
		return nil, errors.New("takes a format first")
	}
	t := now.UTC()
	if len(args) == 2 {
		var err error
		if t, err = instantOf(args[1]); err != nil {
			return nil, err
		}
	}
	return starlark.String(strftime.Format(layout, t)), nil
}
