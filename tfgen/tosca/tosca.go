// Package tosca reads TOSCA templates as MiCADO's users write them (application
// description templates, ADTs, of the Simple Profile in YAML 1.0, 1.2 and 1.3, alone
// or in a CSAR archive) and makes node groups of them.
//
// MiCADO's node and policy types are built in, so that no file is fetched. What a
// template says about virtual machines of EC2, OpenStack and Azure and about their
// scaling becomes groups, with the same checks as those of a description of our
// own, and with mistakes at the lines of the template. What else it says, about
// containers above all, is kept and noted as not deployed.
//
// Where MiCADO's manuals and code disagree or are wrong, the choices are:
//
//   - A cloud is known by a node type's ancestors, never by parts of its name.
//   - {{NAME}} is the constant of that name, in every text of a scaling policy; a
//     name that is no constant is a mistake. What Prometheus expands itself, as
//     {{ $labels.node }} and {{ $value }}, is kept.
//   - The constants, queries and alerts of all policies are one set, as in MiCADO.
//     Where two policies define a name differently, each group has its own.
//   - occurrences without instance_count are the bounds of a group; instance_count
//     makes that many groups, <name>-1 to <name>-n.
package tosca

import (
	"errors"
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Source is a template with what its reader is told besides.
type Source struct {
	// File is only used in messages, and names an application that has no name.
	File string
	// Text is YAML, or a zip archive.
	Text []byte
	// Params are values of the template's inputs. A text is read as the input's type
	// says, so that "3" is a number where a number is wanted.
	Params map[string]any
	// Name, when set, is the application's name, in place of the template's.
	Name string
}

// Note tells of something in a template that is not deployed, changed or left out,
// and is no mistake.
type Note struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Path is the key in the template; empty for the template as a whole.
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
}

// String is the note on one line, as a strictyaml.Mistake is.
func (n Note) String() string {
	return strictyaml.Mistake{File: n.File, Line: n.Line, Column: n.Column, Path: n.Path, What: n.Text}.String()
}

// Parse makes an application of a template: with the defaults filled in, and
// checked as spec.Parse does, to which the checks are handed on. A template with
// mistakes is answered with all of them at once, as strictyaml.Mistakes. The notes
// are in the order of the template, and there beside mistakes too.
//
// Time and memory are bounded on any text.
func Parse(source Source, checks ...spec.Check) (*spec.Application, []Note, error) {
	if mistake := foreign(source); mistake != nil {
		return nil, nil, strictyaml.Mistakes{*mistake}
	}
	files, err := open(source)
	if err != nil {
		return nil, nil, err
	}
	t := &translator{source: source, log: newLog(), byName: map[string][]*node{}, active: map[*strictyaml.Node]bool{}, budget: maxNodes, bytes: maxText, archive: files.zip != nil}
	root := t.read(files)
	if root == nil {
		return nil, nil, t.sorted()
	}
	app, err := spec.Build(t.application(root), t.mistakes, checks...)
	var mistakes strictyaml.Mistakes
	if errors.As(err, &mistakes) {
		err = distinct(mistakes)
	}
	return app, t.sortedNotes(), err
}

// distinct leaves out mistakes that differ only in their path: those of a value that
// several nodes share through an alias.
func distinct(mistakes strictyaml.Mistakes) strictyaml.Mistakes {
	seen := map[strictyaml.Mistake]bool{}
	kept := mistakes[:0]
	for _, m := range mistakes {
		key := m
		key.Path = ""
		if !seen[key] {
			seen[key] = true
			kept = append(kept, m)
		}
	}
	return kept
}

// translator makes a description of a template.
type translator struct {
	source Source
	*log
	types  types
	inputs map[string]*strictyaml.Node // resolved
	nodes  []*node
	byName map[string][]*node // by their identifiers
	// active are the properties that are being resolved.
	active map[*strictyaml.Node]bool
	budget int // of nodes that may still be resolved
	spent  bool
	bytes  int // of text that may still be made
	// archive says that the template is part of one.
	archive bool
	// timed says that the note on when groups shrink was made.
	timed bool
}

// application makes the tree of a description of the template's root.
func (t *translator) application(root *strictyaml.Node) *strictyaml.Node {
	app := strictyaml.NewMapping(root)
	app.Set("name", t.name(root))
	topology := root.Get("topology_template")
	if topology == nil {
		t.mistake(root, "topology_template", "is missing", "add the node templates below it")
		app.Set("groups", strictyaml.NewWrong(root))
		return app
	}
	t.keys(topology, "description", "inputs", "node_templates", "relationship_templates", "groups", "policies", "outputs", "substitution_mappings", "workflows")
	for _, key := range []string{"groups", "outputs", "substitution_mappings", "workflows"} {
		if n := topology.Get(key); n != nil && !n.Is(strictyaml.KindNull) {
			t.note(n, "is not used by this version")
		}
	}
	t.readInputs(topology.Get("inputs"))
	t.readNodes(topology.Get("node_templates"))
	policies := t.readPolicies(topology.Get("policies"))
	shared := t.share(policies)
	groups, rest := strictyaml.NewList(topology), strictyaml.NewList(topology)
	deployed := 0
	for _, n := range t.nodes {
		switch {
		case t.spent: // the mistake was reported; the rest is not looked at
			deployed++
		case n.cloud != "":
			groups.Append(t.group(n, policies, shared))
			deployed++
		case n.refused:
			groups.Append(strictyaml.NewWrong(n.template))
			deployed++
		default:
			rest.Append(t.notDeployed(n.name, n.typeName, n.resolved(t)))
			t.note(n.template, fmt.Sprintf("is a %s, which is not deployed by this version", n.kind()))
		}
	}
	if deployed == 0 || t.spent {
		groups = strictyaml.NewWrong(topology)
	}
	if deployed == 0 && len(t.mistakes) == 0 {
		t.mistake(topology, "node_templates", "has no virtual machine of a cloud, so there is nothing to scale", "add a node of type tosca.nodes.MiCADO.EC2.Compute, tosca.nodes.MiCADO.Nova.Compute or tosca.nodes.MiCADO.Azure.Compute")
	}
	app.Set("groups", groups)
	shared.set(t, app)
	for _, p := range policies {
		if !p.deployed {
			rest.Append(t.notDeployed(p.label, p.typeName, p.resolved))
		}
	}
	if len(rest.Items()) > 0 {
		app.Set("not_deployed", rest)
	}
	return app
}

// notDeployed keeps a part of the template as it is.
func (t *translator) notDeployed(name, typeName string, definition *strictyaml.Node) *strictyaml.Node {
	part := strictyaml.NewMapping(definition)
	part.Set("name", strictyaml.NewText(definition, name))
	part.Set("type", strictyaml.NewText(definition, typeName))
	kept := strictyaml.NewMapping(definition)
	for _, e := range definition.Entries() {
		if e.Key() != "type" && !e.Bad() && !e.Is(strictyaml.KindNull) {
			kept.Set(e.Key(), strictyaml.NewValue(e, withoutSecrets(e.Value())))
		}
	}
	if len(kept.Entries()) > 0 {
		part.Set("definition", kept)
	}
	return part
}

// withoutSecrets leaves the private keys and secrets of security policies where
// they are: what is kept is stored and shown.
func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if key == "encryption_key" || key == "text_secrets" || key == "file_secrets" {
				v[key] = "not kept: a secret"
				continue
			}
			v[key] = withoutSecrets(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	}
	return v
}

// name is the application's: given, the template's own, or the file's.
func (t *translator) name(root *strictyaml.Node) *strictyaml.Node {
	if t.source.Name != "" {
		return strictyaml.NewText(root, t.source.Name)
	}
	if own := root.Get("metadata").Get("template_name"); own.Is(strictyaml.KindText) {
		name := shortened(identifier(own.Scalar()))
		if name != own.Scalar() {
			t.note(own, fmt.Sprintf("the application is called %s: names are of lower-case letters, digits and dashes", name))
		}
		return strictyaml.NewText(own, name)
	}
	base := t.source.File[strings.LastIndexAny(t.source.File, `/\`)+1:]
	if dot := strings.LastIndex(base, "."); dot > 0 {
		base = base[:dot]
	}
	return strictyaml.NewText(root, shortened(identifier(base)))
}

// maxName is the most characters that spec allows in a name.
const maxName = 40

func shortened(name string) string {
	if len(name) > maxName {
		name = name[:maxName]
	}
	if name = strings.Trim(name, "-"); name == "" {
		return "application"
	}
	if name[0] < 'a' || name[0] > 'z' {
		return shortened("app-" + name)
	}
	return name
}

// identifier is a TOSCA name as MiCADO writes it, in lower case: with dashes for
// underscores, dots and blanks.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		default:
			return '-'
		}
	}, name)
}
