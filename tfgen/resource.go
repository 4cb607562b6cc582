package tfgen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// fixed is the key of a node's settings with the further arguments that only a new
// machine can take on. It tells an old node from a new one, and no file reads it.
const fixed = "arguments"

// machine is the resource of a group's machines, into which the description's
// further arguments are written beside our own.
type machine struct {
	body  *hclwrite.Body
	block *tfjson.SchemaBlock
	args  map[string]any
	// kind is the resource type.
	kind string
	// seen are arguments that are written in place of our own.
	seen map[string]bool
}

// newMachine starts the resource <kind>.node, one for each node of the shard.
func newMachine(body *hclwrite.Body, kind string, args map[string]any) (*machine, error) {
	block, err := schemaBlock(kind)
	if err != nil {
		return nil, err
	}
	m := &machine{
		body: body.AppendNewBlock("resource", []string{kind, "node"}).Body(),
		kind: kind, block: block, args: args, seen: map[string]bool{},
	}
	setExpr(m.body, "for_each", "var.nodes")
	m.body.AppendNewline()
	return m, nil
}

// has reports whether the description gives the argument itself.
func (m *machine) has(name string) bool {
	_, has := m.args[name]
	return has
}

// expr sets an argument of our own, unless the description gives it itself.
func (m *machine) expr(name, format string, args ...any) {
	if m.has(name) {
		m.given(name)
		return
	}
	setExpr(m.body, name, format, args...)
}

// given writes an argument of the description.
func (m *machine) given(name string) {
	if !m.seen[name] {
		m.seen[name] = true
		appendArgument(m.body, m.block, name, m.args[name])
	}
}

// attributes writes what is left of the description's arguments that are attributes,
// in the order of their names, after our own.
func (m *machine) attributes() {
	for _, name := range slices.Sorted(maps.Keys(m.args)) {
		if m.block.Attributes[name] != nil {
			m.given(name)
		}
	}
}

// blocks writes what is left of the description's arguments.
func (m *machine) blocks() {
	for _, name := range slices.Sorted(maps.Keys(m.args)) {
		if !m.seen[name] {
			m.body.AppendNewline()
			m.given(name)
		}
	}
}

// dynamic starts a block of our own that a node has where the setting of that name
// is not null. It returns nil where the description gives the block itself.
func (m *machine) dynamic(name, forEach string) *hclwrite.Body {
	if m.has(name) {
		return nil
	}
	m.body.AppendNewline()
	block := m.body.AppendNewBlock("dynamic", []string{name}).Body()
	setExpr(block, "for_each", "%s", forEach)
	block.AppendNewline()
	return block.AppendNewBlock("content", nil).Body()
}

// lifecycle keeps what only a new machine can take on from replacing old ones:
// ours, the description's, and what an earlier description may have given.
func (m *machine) lifecycle(ours ...string) {
	ignored := slices.Clone(ours)
	for name, sticks := range replacing[m.kind] {
		if sticks || m.has(name) {
			ignored = append(ignored, name)
		}
	}
	slices.Sort(ignored)
	ignoreChanges(m.body, slices.Compact(ignored),
		"Only a new machine can have another of these. scalerd replaces nodes in",
		"batches; Terraform never does.")
}

// ignoreChanges appends the lifecycle block with its reason; without names, all
// changes are ignored.
func ignoreChanges(body *hclwrite.Body, names []string, reason ...string) {
	body.AppendNewline()
	block := body.AppendNewBlock("lifecycle", nil).Body()
	comment(block, reason...)
	if names == nil {
		setExpr(block, "ignore_changes", "all")
		return
	}
	setExpr(block, "ignore_changes", "%s", hclList(names))
}

// hclList writes expressions as a list, one a line where they are many.
func hclList(items []string) string {
	if line := strings.Join(items, ", "); len(line) <= 70 {
		return "[" + line + "]"
	}
	return "[\n" + strings.Join(items, ",\n") + ",\n]"
}

// putFixed adds the description's arguments that only a new machine can take on.
func putFixed(settings Settings, kind string, args map[string]any) {
	only := map[string]any{}
	for name, value := range args {
		if _, is := replacing[kind][name]; is {
			only[name] = value
		}
	}
	if len(only) > 0 {
		settings[fixed] = only
	}
}

// appendArgument writes a value as the schema wants it: as an attribute, or as one
// block or several.
func appendArgument(body *hclwrite.Body, block *tfjson.SchemaBlock, name string, value any) {
	nested := block.NestedBlocks[name]
	if nested == nil {
		body.SetAttributeValue(name, ctyValue(value))
		return
	}
	for i, one := range listOf(value) {
		if i > 0 {
			body.AppendNewline()
		}
		keys, _ := one.(map[string]any)
		appendBlock(body, name, func(inner *hclwrite.Body) { appendArguments(inner, nested.Block, keys) })
	}
}

// appendArguments writes the values of a block, attributes first.
func appendArguments(body *hclwrite.Body, block *tfjson.SchemaBlock, values map[string]any) {
	names := slices.Sorted(maps.Keys(values))
	for _, name := range names {
		if block.NestedBlocks[name] == nil {
			appendArgument(body, block, name, values[name])
		}
	}
	for _, name := range names {
		if block.NestedBlocks[name] == nil {
			continue
		}
		if len(body.Attributes())+len(body.Blocks()) > 0 {
			body.AppendNewline()
		}
		appendArgument(body, block, name, values[name])
	}
}

// appendBlock appends a block without labels, on one line where it is empty.
func appendBlock(body *hclwrite.Body, name string, fill func(*hclwrite.Body)) {
	block := hclwrite.NewBlock(name, nil)
	fill(block.Body())
	if len(block.Body().Attributes())+len(block.Body().Blocks()) > 0 {
		body.AppendBlock(block)
		return
	}
	body.AppendUnstructuredTokens(hclwrite.Tokens{
		{Type: hclsyntax.TokenIdent, Bytes: []byte(name)},
		{Type: hclsyntax.TokenOBrace, Bytes: []byte("{")},
		{Type: hclsyntax.TokenCBrace, Bytes: []byte("}")},
		{Type: hclsyntax.TokenNewline, Bytes: []byte("\n")},
	})
}

// listOf is a value as the list of blocks that it stands for.
func listOf(value any) []any {
	if list, is := value.([]any); is {
		return list
	}
	return []any{value}
}

// tags is the map that says whose a machine is, in HCL: the description's own tags
// and then ours, after the first lines. key and value are what stands for the node's
// name and settings there.
func tags(app *spec.Application, group *spec.Group, own map[string]string, key, value string, first ...string) string {
	lines := slices.Clone(first)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		lines = append(lines, fmt.Sprintf("%s = %s", mapKey(name), quote(own[name])))
	}
	lines = append(lines,
		"application = "+quote(app.Name),
		"group = "+quote(group.Name),
		"node = "+key,
		"decision = "+value+"."+decided,
		"installation = "+value+"."+installed)
	return "{\n" + strings.Join(lines, "\n") + "\n}"
}

// mapKey writes a key of an HCL object.
func mapKey(key string) string {
	if identifier.MatchString(key) {
		return key
	}
	return quote(key)
}

// stringList writes texts as an HCL list.
func stringList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return hclList(quoted)
}

// inTurn spreads nodes over places by their numbers, which count from 1. It is ""
// where there are none.
func inTurn(places []string, number int) string {
	if len(places) == 0 {
		return ""
	}
	return places[(number-1)%len(places)]
}

// put sets a setting that is not the zero value of its type.
func put[T comparable](settings map[string]any, key string, value T) {
	var zero T
	if value != zero {
		settings[key] = value
	}
}
