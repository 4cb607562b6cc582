package spec

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("application.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("application.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON is a YAML text as the validator takes it.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	j, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaAcceptsWhatParseAccepts(t *testing.T) {
	schema := compiledSchema(t)
	for name, text := range map[string]string{"small": small, "full": full} {
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("the %s description: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatParseRefuses(t *testing.T) {
	schema := compiledSchema(t)
	for _, tt := range []struct{ name, text, where string }{
		{"an unknown key", withApplication("intervall: 15s"), "intervall"},
		{"an unknown key of a group", withGroup("mim: 1"), "mim"},
		{"a missing key", "name: shop\n", "groups"},
		{"no groups", "name: shop\ngroups: []\n", "groups"},
		{"an unknown cloud", strings.Replace(small, "local", "mars", 1), "cloud"},
		{"an unknown kind of target", withPolicy("target: {query: cpu, value: 1, kind: totl}"), "kind"},
		{"a target of 0", withPolicy("target: {query: cpu, value: 0}"), "value"},
		{"a number for a duration", withApplication("interval: 15"), "interval"},
		{"a duration of days", withApplication("interval: 1d"), "interval"},
		{"a negative duration", withApplication("interval: -1s"), "interval"},
		{"text for a number", withGroup("min: two"), "min"},
		{"a fraction for a whole number", withGroup("min: 1.5"), "min"},
		{"a number below its minimum", withGroup("shard_size: 0"), "shard_size"},
		{"a number for a rule", withPolicy("rule: 5"), "rule"},
		{"a policy of nothing", withPolicy("name: idle"), "policies"},
		{"a policy of two things", withPolicy("{rule: x, target: {query: cpu, value: 1}}"), "policies"},
		{"a band without bounds", withPolicy("steps: {query: cpu, bands: [{change: 1}]}"), "bands"},
		{"a band with two sizes", withPolicy("steps: {query: cpu, bands: [{above: 2, change: 0, nodes: 0}]}"), "bands"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if mistakes(t, tt.text) == "" {
				t.Errorf("Parse() accepts\n%s", tt.text)
			}
			if err := schema.Validate(asJSON(t, tt.text)); err == nil || !strings.Contains(err.Error(), tt.where) {
				t.Errorf("the schema says %v, want a mistake at %s, of\n%s", err, tt.where, tt.text)
			}
		})
	}
}

func TestSchemaIsStableAndDescribesEveryKey(t *testing.T) {
	first, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := Schema()
	if !bytes.Equal(first, second) {
		t.Error("Schema() differs the second time")
	}
	if bytes.Contains(first, []byte("$id")) {
		t.Errorf("Schema() has an $id, want none")
	}
	for _, part := range []string{`"description": "Where the nodes run."`, `"additionalProperties": false`, `"90s"`, `"average"`} {
		if !bytes.Contains(first, []byte(part)) {
			t.Errorf("Schema() has no %s", part)
		}
	}
}
