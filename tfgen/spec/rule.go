package spec

import (
	"github.com/invopop/jsonschema"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// UnmarshalTextAt takes the text of a rule with its place in the description.
func (r *Rule) UnmarshalTextAt(text strictyaml.Text) error {
	*r = Rule{Source: text.Value, File: text.File, Line: text.Line, Column: text.Column}
	return nil
}

// MarshalText is the rule's program, for YAML and JSON.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.Source), nil }

// UnmarshalText is the reverse of MarshalText; where the program stood is lost.
func (r *Rule) UnmarshalText(text []byte) error {
	*r = Rule{Source: string(text)}
	return nil
}

// JSONSchema describes a rule as it is written: a text.
func (Rule) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: `\S`} }
