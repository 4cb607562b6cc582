package spec

import (
	"github.com/invopop/jsonschema"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// CloudInit is cloud-init configuration for new nodes, and how it joins the base
// template that scalerd brings along. In YAML it may be the content alone.
type CloudInit struct {
	// Mode says how Content joins the base.
	Mode CloudInitMode `yaml:"mode" jsonschema:"enum=append,enum=insert,enum=replace" jsonschema_description:"append: content comes after the base. insert: before it. replace: content is all there is. Default append."`
	// Content is a cloud-config document.
	Content string `yaml:"content" jsonschema_description:"A cloud-config document (YAML)."`
	// Base is the path of another base template, from the description's folder.
	Base string `yaml:"base" jsonschema_description:"Path of a base template in place of scalerd's own, from the description's folder."`
}

// CloudInitMode says how a group's cloud-init joins the base template.
type CloudInitMode string

const (
	// CloudInitAppend puts the group's items after the base's.
	CloudInitAppend CloudInitMode = "append"
	// CloudInitInsert puts the group's items before the base's.
	CloudInitInsert CloudInitMode = "insert"
	// CloudInitReplace leaves the base out.
	CloudInitReplace CloudInitMode = "replace"
)

// UnmarshalTextAt takes the short form, the content alone.
func (c *CloudInit) UnmarshalTextAt(text strictyaml.Text) error {
	*c = CloudInit{Content: text.Value}
	return nil
}

// JSONSchemaExtend adds the short form.
func (CloudInit) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, &full}, Description: s.Description}
}
