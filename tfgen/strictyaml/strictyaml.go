// Package strictyaml decodes one YAML document into Go structs and answers a
// person's mistakes with where each is, what it is and what to do about it: all
// mistakes of a document at once, unknown keys with a suggestion.
//
// Fields are named by `yaml:"..."` tags; a field without one is not read. Of a
// `jsonschema:"..."` tag these parts are enforced: required, enum, minimum,
// maximum and minItems. Text is never turned into a number nor a number into
// text, a null counts as an absent key, and NaN and infinities are refused.
// Anchors, aliases and merge keys work; tags, directives and keys that are not
// text are refused.
package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Text is a text of a document with the place where it begins.
type Text struct {
	Value string
	File  string
	// Line and Column are where the first character of Value stands, counted from
	// 1 as editors do. The text of a block scalar begins on the line below its key.
	Line, Column int
}

// TextUnmarshaler is implemented by types that decode themselves from a text and
// want to know where it stands. The error's message is shown to the user.
type TextUnmarshaler interface {
	UnmarshalTextAt(Text) error
}

// TextsUnmarshaler is implemented by types that decode themselves from a list of
// texts too. The error's message is shown to the user.
type TextsUnmarshaler interface {
	UnmarshalTexts([]string) error
}

// Decode decodes the one document in text into the struct that into points to,
// over the values that it holds already; file is only used in messages. The error
// is of type Mistakes where the document is at fault, and then what could be
// decoded has been. The Document is nil where nothing could be: the text is not
// YAML, or empty.
//
// Decode does not panic on any text, and its time and memory are bounded: texts
// over 4 MiB, deep nesting and aliases that expand to very much are mistakes.
func Decode(file string, text []byte, into any) (*Document, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("decode %s: into is %T, want a pointer to a struct", file, into)
	}
	d := &decoder{file: file, budget: maxVisits}
	doc := d.decode(text, v.Elem())
	if err := d.sorted(); len(err) > 0 {
		return doc, err
	}
	return doc, nil
}

// decode turns a panic over an odd syntax tree into a mistake of the document.
func (d *decoder) decode(text []byte, into reflect.Value) (doc *Document) {
	defer func() {
		if r := recover(); r != nil {
			doc = nil
			d.report(Mistake{Line: 1, Column: 1, What: fmt.Sprintf("cannot be decoded: %v", r), Fix: "simplify the file"})
		}
	}()
	body := d.parse(text)
	if body == nil {
		return nil
	}
	root := &place{line: 1, column: 1, found: true}
	if line, column := position(body); line > 0 {
		root.line, root.column = line, column
	}
	d.value(body, into, root, rules{})
	return &Document{file: d.file, root: root}
}

// parse returns the body of the document, or nil after reporting why there is
// none.
func (d *decoder) parse(text []byte) ast.Node {
	source, mistake := clean(text)
	if mistake != nil {
		d.report(*mistake)
		return nil
	}
	body, mistakes := syntaxTree(source)
	for _, m := range mistakes {
		d.report(m)
	}
	if body == nil && len(mistakes) > 0 {
		return nil
	}
	if body == nil || isNull(body) {
		d.report(Mistake{Line: 1, Column: 1, What: "is empty", Fix: "write a description"})
		return nil
	}
	d.lines = strings.Split(source, "\n")
	d.resolveAliases(body)
	return body
}
