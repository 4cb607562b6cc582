// Package cloudinit joins cloud-config documents and checks them. It keeps every
// value as it was written: 0644 stays octal, yes stays yes.
package cloudinit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Header is the first line by which cloud-init knows a cloud-config.
const Header = "#cloud-config"

// maxNodes is the most YAML nodes of a document with its aliases written out.
const maxNodes = 100_000

// Append joins a group's document to the base's, with the group's items after the
// base's: lists are put one after the other, mappings are joined key by key, and of
// other values the group's wins.
func Append(base, group []byte) ([]byte, error) {
	return join(base, group, func(base, group []*yaml.Node) []*yaml.Node { return append(base, group...) })
}

// Insert is Append with the group's list items before the base's, so that a node
// does them first.
func Insert(base, group []byte) ([]byte, error) {
	return join(base, group, func(base, group []*yaml.Node) []*yaml.Node { return append(group, base...) })
}

// Alone is the group's document without a base.
func Alone(group []byte) ([]byte, error) {
	doc, err := parse(group)
	if err != nil {
		return nil, err
	}
	return encode(doc)
}

// Check reports all that is wrong with a document on its own, as joined errors that
// say the line.
func Check(document []byte) error {
	doc, err := parse(document)
	if err != nil {
		return err
	}
	return checkModules(doc)
}

func join(base, group []byte, lists func(base, group []*yaml.Node) []*yaml.Node) ([]byte, error) {
	into, err := parse(base)
	if err != nil {
		return nil, fmt.Errorf("base template: %w", err)
	}
	from, err := parse(group)
	if err != nil {
		return nil, err
	}
	merge(into, from, lists)
	return encode(into)
}

// merge joins the mapping from into the mapping into.
func merge(into, from *yaml.Node, lists func(base, group []*yaml.Node) []*yaml.Node) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		have := lookup(into, key.Value)
		switch {
		case have == nil:
			into.Content = append(into.Content, key, value)
		case have.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			merge(have, value, lists)
		case have.Kind == yaml.SequenceNode && value.Kind == yaml.SequenceNode:
			have.Content = lists(have.Content, value.Content)
		default:
			*have = *value
		}
	}
}

// lookup returns the value of a mapping's key, and nil where it has none.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// parse returns the mapping of a document, with aliases written out. A document of
// nothing but comments is an empty mapping.
func parse(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); err != nil {
		if len(doc.Content) == 0 && isBlank(text) {
			return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
		}
		return nil, fmt.Errorf("is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); err == nil {
		return nil, errors.New("holds several YAML documents; cloud-init reads one")
	}
	budget := maxNodes
	root, err := expand(doc.Content[0], &budget)
	if err != nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("is no mapping; a cloud-config has keys such as packages and runcmd")
	}
	return root, unique(root)
}

func isBlank(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// expand copies a node with its aliases replaced by what they stand for, because an
// alias may end up above its anchor when documents are joined.
func expand(n *yaml.Node, budget *int) (*yaml.Node, error) {
	if *budget--; *budget < 0 {
		return nil, fmt.Errorf("is too large: more than %d values with its aliases written out", maxNodes)
	}
	if n.Kind == yaml.AliasNode {
		return expand(n.Alias, budget)
	}
	c := *n
	c.Anchor = ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		var err error
		if c.Content[i], err = expand(child, budget); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// unique reports keys that a mapping has twice, of which YAML readers keep one or
// the other.
func unique(n *yaml.Node) error {
	var errs []error
	if n.Kind == yaml.MappingNode {
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if seen[key.Value] {
				errs = append(errs, fmt.Errorf("line %d: has %s twice", key.Line, key.Value))
			}
			seen[key.Value] = true
		}
	}
	for _, child := range n.Content {
		errs = append(errs, unique(child))
	}
	return errors.Join(errs...)
}

func encode(doc *yaml.Node) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString(Header + "\n")
	stripComments(doc)
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write cloud-config: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("write cloud-config: %w", err)
	}
	return buf.Bytes(), nil
}

// stripComments removes the comments of a document: they count against the size
// that clouds allow, and the ones at its top would stand twice.
func stripComments(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, child := range n.Content {
		stripComments(child)
	}
}
