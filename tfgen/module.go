package tfgen

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// moduleAddress is where all that the user's module makes is found.
const moduleAddress = "module.nodes"

func moduleShard(app *spec.Application, group *spec.Group) (Module, error) {
	data, err := groupUserData(app, group)
	if err != nil {
		return Module{}, err
	}
	source, err := moduleSource(app, group.Module.Source)
	if err != nil {
		return Module{}, fmt.Errorf("group %s: %w", group.Name, err)
	}
	var providers []provider
	for _, name := range slices.Sorted(maps.Keys(group.Module.Providers)) {
		p := group.Module.Providers[name]
		providers = append(providers, provider{name, p.Source, p.Version})
	}
	m := Module{
		Within: moduleAddress,
		Files: []File{
			versions(app, group, providers...),
			variables(app, group, variable{
				name: "nodes", kind: "any",
				description: "The nodes of this shard and what each was created with, by name. scalerd keeps them in " + NodesFile + ".",
			}),
			moduleMain(app, group, source),
			moduleOutput(app, group),
			data.File,
		},
	}
	if f := moduleProviders(app, group); f != nil {
		m.Files = append(m.Files, *f)
	}
	return m, nil
}

// moduleSource is a module's source as Terraform reads it from a shard's folder.
func moduleSource(app *spec.Application, source string) (string, error) {
	if !strings.HasPrefix(source, "./") && !strings.HasPrefix(source, "../") {
		return source, nil
	}
	path, err := filepath.Abs(fromDescription(app, source))
	if err != nil {
		return "", fmt.Errorf("path of module %s: %w", source, err)
	}
	return filepath.ToSlash(path), nil
}

func moduleMain(app *spec.Application, group *spec.Group, source string) File {
	f := newFile(app, group)
	block := f.Body().AppendNewBlock("module", []string{"nodes"}).Body()
	block.SetAttributeValue("source", cty.StringVal(source))
	if group.Module.Version != "" {
		block.SetAttributeValue("version", cty.StringVal(group.Module.Version))
	}
	block.AppendNewline()
	comment(block, "What each node was created with, with its user data as text.")
	setExpr(block, "nodes", `{
		for name, node in var.nodes : name => merge(node, {
			user_data = replace(file("${path.module}/${node.user_data}"), %q, name)
		})
	}`, nodePlaceholder)
	for i, name := range slices.Sorted(maps.Keys(group.Module.Inputs)) {
		if i == 0 {
			block.AppendNewline()
		}
		block.SetAttributeValue(name, ctyValue(group.Module.Inputs[name]))
	}
	return finish("main.tf", f)
}

func moduleOutput(app *spec.Application, group *spec.Group) File {
	return nodesOutput(app, group, `{
		for name, node in module.nodes.nodes : name => {
			id = node.id
			private_ip = try(node.private_ip, null)
			public_ip = try(node.public_ip, null)
		}
	}`)
}

// moduleProviders configures the providers that have arguments.
func moduleProviders(app *spec.Application, group *spec.Group) *File {
	f := newFile(app, group)
	comment(f.Body(), "Credentials come from the environment, as each provider reads it.")
	configured := false
	for _, name := range slices.Sorted(maps.Keys(group.Module.Providers)) {
		arguments := group.Module.Providers[name].Arguments
		if len(arguments) == 0 {
			continue
		}
		if configured {
			f.Body().AppendNewline()
		}
		configured = true
		appendUnknown(f.Body().AppendNewBlock("provider", []string{name}).Body(), arguments)
	}
	if !configured {
		return nil
	}
	file := finish("providers.tf", f)
	return &file
}

// appendUnknown writes the arguments of a block whose schema is not known: a list
// of mappings is written as blocks, everything else as attributes.
func appendUnknown(body *hclwrite.Body, arguments map[string]any) {
	names := slices.Sorted(maps.Keys(arguments))
	for _, name := range names {
		if mappings(arguments[name]) == nil {
			body.SetAttributeValue(name, ctyValue(arguments[name]))
		}
	}
	for _, name := range names {
		for _, block := range mappings(arguments[name]) {
			if len(body.Attributes())+len(body.Blocks()) > 0 {
				body.AppendNewline()
			}
			appendUnknown(body.AppendNewBlock(name, nil).Body(), block)
		}
	}
}

// mappings is a value as a list of mappings, and nil where it is none.
func mappings(value any) []map[string]any {
	list, _ := value.([]any)
	var all []map[string]any
	for _, item := range list {
		m, is := item.(map[string]any)
		if !is {
			return nil
		}
		all = append(all, m)
	}
	return all
}

func moduleSettings(app *spec.Application, group *spec.Group) (func(number int) Settings, error) {
	data, err := groupUserData(app, group)
	if err != nil {
		return nil, err
	}
	return func(int) Settings {
		s := Settings(maps.Clone(group.Module.Node))
		if s == nil {
			s = Settings{}
		}
		s["user_data"] = data.Name
		return s
	}, nil
}
