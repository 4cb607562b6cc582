package spec

import (
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema of a description (draft 2020-12), for editors. It
// accepts every description that Parse accepts, except that a key is left out
// there instead of being null, and it cannot express what Parse checks between
// keys. The bytes are the same each time.
func Schema() ([]byte, error) {
	reflector := &jsonschema.Reflector{
		Anonymous:                  true, // no $id: the schema has no address
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
	}
	schema := reflector.Reflect(new(Application))
	schema.Title = "scalerd application"
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return append(text, '\n'), nil
}

// JSONSchemaExtend adds that a policy does exactly one thing.
func (Policy) JSONSchemaExtend(s *jsonschema.Schema) {
	s.OneOf = requireOne(policyKinds...)
}

// JSONSchemaExtend adds that a target has one query or several.
func (Target) JSONSchemaExtend(s *jsonschema.Schema) { s.OneOf = requireOne("query", "queries") }

// JSONSchemaExtend adds that a window returns or happens once.
func (Window) JSONSchemaExtend(s *jsonschema.Schema) { s.OneOf = requireOne("cron", "from") }

// JSONSchemaExtend adds that a deadline has a time.
func (Deadline) JSONSchemaExtend(s *jsonschema.Schema) {
	s.OneOf = requireOne("by", "remaining")
	s.AnyOf = requireOne("job_time", "job_takes")
}

// JSONSchemaExtend adds that a target has a limit.
func (OptimizerTarget) JSONSchemaExtend(s *jsonschema.Schema) { s.AnyOf = requireOne("min", "max") }

// JSONSchemaExtend adds that a budget has a bound.
func (Budget) JSONSchemaExtend(s *jsonschema.Schema) {
	s.AnyOf = requireOne("max_per_hour", "max_per_month")
}

// JSONSchemaExtend adds that a band has a bound and exactly one size.
func (Band) JSONSchemaExtend(s *jsonschema.Schema) {
	s.AnyOf = requireOne("above", "below")
	s.OneOf = requireOne("change", "percent", "nodes")
}

func requireOne(keys ...string) []*jsonschema.Schema {
	options := make([]*jsonschema.Schema, len(keys))
	for i, key := range keys {
		options[i] = &jsonschema.Schema{Required: []string{key}}
	}
	return options
}
