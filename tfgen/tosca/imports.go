package tosca

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var versions = []string{"tosca_simple_yaml_1_0", "tosca_simple_yaml_1_2", "tosca_simple_yaml_1_3"}

var topLevelKeys = []string{
	"tosca_definitions_version", "namespace", "metadata", "description", "dsl_definitions", "repositories", "imports",
	"artifact_types", "data_types", "capability_types", "interface_types", "relationship_types", "node_types",
	"group_types", "policy_types", "topology_template", "template_name", "template_author", "template_version",
}

// read reads the template with its imports and gathers their types. It returns nil
// where there is no template, after reporting why.
func (t *translator) read(f *files) *strictyaml.Node {
	text, err := f.main()
	if err != nil {
		t.add(strictyaml.Mistake{File: f.label(f.entry), Line: 1, Column: 1, What: "cannot be unpacked: " + err.Error(), Fix: "pack it again"})
		return nil
	}
	root := t.document(f.label(f.entry), text)
	if root == nil || !t.keys(root, topLevelKeys...) {
		return nil
	}
	switch version := root.Get("tosca_definitions_version"); {
	case version == nil:
		t.mistake(root, "tosca_definitions_version", "is missing", "add tosca_definitions_version: tosca_simple_yaml_1_2")
	case !slices.Contains(versions, version.Scalar()) && version.Scalar() != "tosca_simple_yaml_1_1":
		t.wrong(version, fmt.Sprintf("is %s, which is not known", version), t.suggest(version.Scalar(), versions, "use one that is"))
	}
	t.types = newTypes()
	seen := map[string]bool{f.entry: true}
	t.imports(f, f.entry, root, seen)
	t.types.add(t.log, root)
	t.types.check(t.log)
	return root
}

func (t *translator) document(file string, text []byte) *strictyaml.Node {
	root, err := strictyaml.Read(file, text)
	var mistakes strictyaml.Mistakes
	if errors.As(err, &mistakes) {
		for _, m := range mistakes {
			t.add(m)
		}
	}
	return root
}

// imports reads what a document at a path of the archive imports.
func (t *translator) imports(f *files, at string, root *strictyaml.Node, seen map[string]bool) {
	list := root.Get("imports")
	if !t.list(list) {
		return
	}
	for _, item := range list.Items() {
		where := item
		if item.Is(strictyaml.KindMapping) {
			where = importedFile(item)
		}
		if !where.Is(strictyaml.KindText) {
			t.wrong(item, "is no import", "write the path or address of a file")
			continue
		}
		t.importFile(f, at, where, seen)
	}
}

// importedFile is what the long forms of an import name: {file: x} and {name: {file: x}}.
func importedFile(n *strictyaml.Node) *strictyaml.Node {
	if file := n.Get("file"); file != nil {
		return file
	}
	if entries := n.Entries(); len(entries) == 1 {
		if entries[0].Is(strictyaml.KindMapping) {
			return entries[0].Get("file")
		}
		return entries[0]
	}
	return nil
}

func (t *translator) importFile(f *files, at string, where *strictyaml.Node, seen map[string]bool) {
	address := strings.TrimSpace(where.Scalar())
	name := path.Join(path.Dir(at), address)
	switch {
	case builtIn(address):
	case strings.Contains(address, "://"):
		t.wrong(where, "is an address, and nothing is fetched", "put the file into a CSAR archive with the template, or its types into the template")
	case f.zip == nil:
		t.wrong(where, "is another file, and a template alone has none", "put both into a CSAR archive, or the types into the template")
	case f.zip[name] == nil || strings.HasPrefix(address, "/"):
		t.wrong(where, "is not in the archive", t.suggest(name, f.yamlFiles(), "add it"))
	case seen[name]:
	case len(seen) > maxImports:
		t.wrong(where, fmt.Sprintf("is one of more than %d imports", maxImports), "import fewer files")
	default:
		seen[name] = true
		text, err := f.unpack(name)
		if err != nil {
			t.wrong(where, "cannot be unpacked: "+err.Error(), "pack it again")
			return
		}
		if root := t.document(f.label(name), text); root != nil && t.keys(root, topLevelKeys...) {
			t.imports(f, name, root, seen)
			t.types.add(t.log, root)
		}
	}
}

// builtIn reports whether an import is of MiCADO's types, of any version, which
// are built in.
func builtIn(address string) bool {
	if address[strings.LastIndex(address, "/")+1:] == "micado_types.yaml" {
		return true
	}
	return strings.HasPrefix(address, "https://raw.githubusercontent.com/micado-scale/tosca/") ||
		strings.HasPrefix(address, "https://github.com/micado-scale/tosca/")
}

func (f *files) yamlFiles() []string {
	var names []string
	for name := range f.zip {
		if isYAML(name) {
			names = append(names, name)
		}
	}
	return names
}
