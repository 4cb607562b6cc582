package spec_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/scalerd/scalerd/tfgen/spec"
)

var update = flag.Bool("update", false, "rewrite the reference of descriptions")

// TestTheReferenceListsEveryKey makes the reference from the JSON Schema and the doc
// comments of the types, and compares it with the page.
func TestTheReferenceListsEveryKey(t *testing.T) {
	const page = "../../templates/docs/description.md"
	want := reference(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not up to date; run go test ./tfgen/spec -run Reference -update", page)
	}
}

func reference(t *testing.T) string {
	t.Helper()
	text, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	about := comments(t)
	var b strings.Builder
	b.WriteString(`# Reference of descriptions

A description is one YAML file. An unknown key is a mistake, and so is a key that is
there twice. ` + "`scalerctl validate FILE`" + ` lists all mistakes of a file with their places;
` + "`scalerctl schema`" + ` prints the JSON Schema that this page is made of, for your editor.

A duration is written as ` + "`90s`, `5m` or `1h30m`" + `. A query is a PromQL expression, or, for
rules, ` + "`[expression, label]`" + `: the list of that label's values. Keys that are not marked
as required can be left out.

`)
	order := []string{"Application"}
	for i := 0; i < len(order); i++ { // grows with the types that are named
		name := order[i]
		s := &schema
		if i > 0 {
			s = schema.Definitions[name]
		}
		section(&b, name, about[name], s, func(other string) {
			if isSection(schema.Definitions[other]) && !slices.Contains(order, other) {
				order = append(order, other)
			}
		}, schema.Definitions)
	}
	for name, s := range schema.Definitions {
		if isSection(s) && !slices.Contains(order, name) {
			t.Errorf("type %s is in no other type", name)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// escape keeps a text from being markup in a cell of a table.
var escape = strings.NewReplacer("|", `\|`, "<", "&lt;")

// object is the schema of a type with keys, which may have a short form beside it.
func object(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Properties != nil && s.Properties.Len() > 0 {
		return s
	}
	for _, one := range s.OneOf {
		if one.Properties != nil && one.Properties.Len() > 0 {
			return one
		}
	}
	return nil
}

func isSection(s *jsonschema.Schema) bool { return s != nil && object(s) != nil }

func section(b *strings.Builder, name, about string, s *jsonschema.Schema, named func(string), all jsonschema.Definitions) {
	fmt.Fprintf(b, "## %s\n\n%s\n", name, about)
	o := object(s)
	if o != s {
		b.WriteString("May be written as a text alone.\n")
	}
	if keys := alternatives(s.OneOf); keys != "" {
		fmt.Fprintf(b, "It has exactly one of %s.\n", keys)
	}
	if keys := alternatives(s.AnyOf); keys != "" {
		fmt.Fprintf(b, "It has at least one of %s.\n", keys)
	}
	b.WriteString("\n| key | value | what it is |\n|---|---|---|\n")
	for pair := o.Properties.Oldest(); pair != nil; pair = pair.Next() {
		required := ""
		if slices.Contains(o.Required, pair.Key) {
			required = "**Required.** "
		}
		fmt.Fprintf(b, "| `%s` | %s | %s%s |\n", pair.Key, value(pair.Value, named, all), required, escape.Replace(pair.Value.Description))
	}
	b.WriteString("\n")
}

// alternatives are the keys of which a type needs one.
func alternatives(options []*jsonschema.Schema) string {
	var keys []string
	for _, o := range options {
		for _, key := range o.Required {
			keys = append(keys, "`"+key+"`")
		}
	}
	return strings.Join(keys, ", ")
}

// value says in words what a key may have.
func value(s *jsonschema.Schema, named func(string), all jsonschema.Definitions) string {
	if s.Ref != "" {
		name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		named(name)
		if !isSection(all[name]) {
			return strings.ToLower(name)
		}
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(values, ", ")
	}
	switch s.Type {
	case "array":
		return "list of " + value(s.Items, named, all)
	case "object":
		if s.AdditionalProperties == nil || s.AdditionalProperties.Type == "" && s.AdditionalProperties.Ref == "" {
			return "mapping"
		}
		return "mapping to " + value(s.AdditionalProperties, named, all)
	case "string":
		return "text"
	case "boolean":
		return "`true` or `false`"
	case "integer":
		return "whole number" + bounds(s)
	case "number":
		return "number" + bounds(s)
	case "":
		return "anything"
	default:
		return s.Type
	}
}

func bounds(s *jsonschema.Schema) string {
	switch {
	case s.ExclusiveMinimum != "":
		return " above " + s.ExclusiveMinimum.String() + upTo(s)
	case s.Minimum != "":
		return " from " + s.Minimum.String() + upTo(s)
	}
	return upTo(s)
}

func upTo(s *jsonschema.Schema) string {
	switch {
	case s.ExclusiveMaximum != "":
		return " below " + s.ExclusiveMaximum.String()
	case s.Maximum != "":
		return " up to " + s.Maximum.String()
	}
	return ""
}

// comments are the doc comments of the package's types, by name, with the keys of
// descriptions for the names of fields.
func comments(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/scalerd/scalerd/tfgen/spec")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, typ := range pkg.Types {
		found[typ.Name] = withKeys(strings.TrimSpace(typ.Doc), typ)
	}
	return found
}

var fieldName = regexp.MustCompile(`\b[A-Z][A-Za-z]+\b`)

func withKeys(text string, typ *doc.Type) string {
	keys := map[string]string{}
	for _, s := range typ.Decl.Specs {
		structure, ok := s.(*ast.TypeSpec).Type.(*ast.StructType)
		if !ok {
			return text
		}
		for _, field := range structure.Fields.List {
			if field.Tag == nil || len(field.Names) == 0 {
				continue
			}
			tag, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("yaml"), ",")
			keys[field.Names[0].Name] = "`" + tag + "`"
		}
	}
	first, rest, _ := strings.Cut(text, " ") // the type's own name
	return first + " " + fieldName.ReplaceAllStringFunc(rest, func(word string) string {
		if key, ok := keys[word]; ok && word != "Prometheus" && word != "URL" { // also words of their own
			return key
		}
		return word
	})
}
