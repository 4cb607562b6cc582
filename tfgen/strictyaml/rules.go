package strictyaml

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// rules are what a jsonschema tag asks of a value.
type rules struct {
	required         bool
	enum             []string
	minimum, maximum *float64
	minItems         int
}

// rulesOf reads a jsonschema tag. Parts that this package does not enforce are
// passed over.
func rulesOf(field reflect.StructField) rules {
	var r rules
	for _, part := range strings.Split(field.Tag.Get("jsonschema"), ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "required":
			r.required = true
		case "enum":
			r.enum = append(r.enum, value)
		case "minimum":
			r.minimum = bound(field, value)
		case "maximum":
			r.maximum = bound(field, value)
		case "minItems":
			r.minItems = int(*bound(field, value))
		}
	}
	return r
}

func bound(field reflect.StructField, value string) *float64 {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		panic(fmt.Sprintf("strictyaml: jsonschema tag of %s: %v", field.Name, err))
	}
	return &n
}

// checkNumber returns what is wrong with a number that is out of bounds.
func (r rules) checkNumber(v scalar) (what, fix string) {
	switch {
	case r.minimum != nil && v.float < *r.minimum:
		what = fmt.Sprintf("is %s, less than %v", shorten(v.written), *r.minimum)
	case r.maximum != nil && v.float > *r.maximum:
		what = fmt.Sprintf("is %s, more than %v", shorten(v.written), *r.maximum)
	default:
		return "", ""
	}
	switch {
	case r.maximum == nil:
		return what, fmt.Sprintf("write %v or more", *r.minimum)
	case r.minimum == nil:
		return what, fmt.Sprintf("write %v or less", *r.maximum)
	default:
		return what, fmt.Sprintf("write a number from %v to %v", *r.minimum, *r.maximum)
	}
}

// checkEnum returns what is wrong with a text that is none of the allowed ones.
func (r rules) checkEnum(text string) (what, fix string) {
	if len(r.enum) == 0 {
		return "", ""
	}
	for _, e := range r.enum {
		if e == text {
			return "", ""
		}
	}
	fix = "use " + strings.Join(r.enum, " or ")
	if near := Nearest(text, r.enum); near != "" {
		fix = fmt.Sprintf("did you mean %s? Known: %s", near, strings.Join(r.enum, ", "))
	}
	return fmt.Sprintf("is %q, which is not known", shorten(text)), fix
}
