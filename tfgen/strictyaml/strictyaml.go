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
// YAML, empty, or too large.
//
// Decode does not panic on any text, and its time and memory are bounded: texts
// over 4 MiB, deep nesting and aliases that expand to very much are mistakes.
func Decode(file string, text []byte, into any) (*Document, error) {
	v, err := target(file, into)
	if err != nil {
		return nil, err
	}
	root, found := read(file, text)
	var doc *Document
	if root != nil {
		doc = decode(root, v, found)
	}
	if err := found.sorted(); len(err) > 0 {
		return doc, err
	}
	return doc, nil
}

// Read reads the one document in text; file is only used in messages. The error is
// of type Mistakes where the document is at fault: an alias that stands for
// nothing, a key that is there twice. The Node is nil where nothing could be read:
// the text is not YAML, empty, or too large. Read is bounded as Decode is.
func Read(file string, text []byte) (*Node, error) {
	root, found := read(file, text)
	if err := found.sorted(); len(err) > 0 {
		return root, err
	}
	return root, nil
}

// Decode decodes the tree below n, which is its root, as the function Decode does
// with a text. Mistakes stand where the nodes do, or where what they were made
// from does. Values that are marked Wrong are passed over in silence. A tree can
// be decoded once.
func (n *Node) Decode(into any) (*Document, error) {
	v, err := target(n.file, into)
	if err != nil {
		return nil, err
	}
	found := new(collection)
	doc := decode(n, v, found)
	if err := found.sorted(); len(err) > 0 {
		return doc, err
	}
	return doc, nil
}

func target(file string, into any) (reflect.Value, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return v, fmt.Errorf("decode %s: into is %T, want a pointer to a struct", file, into)
	}
	return v.Elem(), nil
}

func decode(root *Node, into reflect.Value, found *collection) *Document {
	d := &decoder{collection: found, budget: maxVisits}
	d.value(root, into, rules{})
	return &Document{root: root}
}
