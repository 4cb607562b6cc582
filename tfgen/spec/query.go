package spec

import (
	"encoding/json"
	"errors"

	"github.com/invopop/jsonschema"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Query is a PromQL expression. In YAML it is the expression alone, or a list of
// the expression and a label.
type Query struct {
	Expr string
	// Label, when set, makes the query's value in a rule the list of this label's
	// values, one for each series of the result, and not a number.
	Label string
}

// UnmarshalTextAt takes the short form.
func (q *Query) UnmarshalTextAt(text strictyaml.Text) error {
	*q = Query{Expr: text.Value}
	return nil
}

// UnmarshalTexts takes the list form.
func (q *Query) UnmarshalTexts(texts []string) error {
	if len(texts) != 2 {
		return errors.New("is a list of other than two texts; write [expression, label]")
	}
	*q = Query{Expr: texts[0], Label: texts[1]}
	return nil
}

// MarshalYAML is the form that the query was written in.
func (q Query) MarshalYAML() (any, error) {
	if q.Label == "" {
		return q.Expr, nil
	}
	return []string{q.Expr, q.Label}, nil
}

// MarshalJSON is the form that the query was written in.
func (q Query) MarshalJSON() ([]byte, error) {
	form, err := q.MarshalYAML()
	if err != nil {
		return nil, err
	}
	return json.Marshal(form)
}

// JSONSchema describes both forms.
func (Query) JSONSchema() *jsonschema.Schema {
	two := uint64(2)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Pattern: `\S`},
		{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &two, MaxItems: &two},
	}}
}
