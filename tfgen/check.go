package tfgen

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/scalerd/scalerd/tfgen/cloudinit"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Check finds the mistakes of a description that only generation can: arguments
// that a provider's schema does not have or that we set ourselves, and user data
// that is no cloud-config or too large. It is a spec.Check.
func Check(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
	c := &checker{doc: doc}
	for i := range app.Groups {
		group, path := &app.Groups[i], strictyaml.JoinIndex("groups", i)
		settings := path + "." + string(group.Cloud)
		switch {
		case group.Cloud == spec.CloudLocal:
			continue
		case group.Cloud == spec.CloudEC2 && group.EC2 != nil:
			c.machine(settings, ec2Machine, group.EC2.Arguments, anyGiven(group, func(g *spec.Group) given { return ec2Given(g.EC2) }))
		case group.Cloud == spec.CloudOpenStack && group.OpenStack != nil:
			c.machine(settings, openstackMachine, group.OpenStack.Arguments, anyGiven(group, func(g *spec.Group) given { return openstackGiven(g.OpenStack) }))
			c.provider(settings+".provider", "openstack", group.OpenStack.Provider)
		case group.Cloud == spec.CloudAzure && group.Azure != nil:
			c.machine(settings, azureMachine(group.Azure), group.Azure.Arguments, anyGiven(group, func(g *spec.Group) given { return azureGiven(g.Azure) }))
		case group.Cloud == spec.CloudModule && group.Module != nil:
		default:
			continue // other checks report it
		}
		c.cloudInit(path+".cloud_init", app, group)
	}
	return c.mistakes
}

type checker struct {
	doc      *strictyaml.Document
	mistakes strictyaml.Mistakes
}

func (c *checker) mistake(path, what, fix string) {
	c.mistakes = append(c.mistakes, c.doc.Mistake(path, what, fix))
}

// cloudInit checks a group's user data as new nodes will get it.
func (c *checker) cloudInit(path string, app *spec.Application, group *spec.Group) {
	at := path
	if c.doc.Has(path + ".content") {
		at += ".content"
	}
	if c.doc.Wrong(path) {
		return
	}
	content := group.CloudInit.Content
	windows := group.Azure != nil && group.Azure.OS == spec.AzureWindows
	if !windows || !isScript(content) {
		if err := cloudinit.Check([]byte(content)); err != nil {
			for line := range strings.Lines(err.Error()) {
				c.mistake(at, strings.TrimSpace(line), "mend the cloud-config; lines count from its own first one")
			}
			return
		}
	}
	if _, err := groupUserData(app, group); err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
		c.mistake(at, err.Error(), "")
	}
}

// machine checks further arguments of a machine's resource. given are the arguments
// that have keys of their own, by name; ours are those that only scalerd sets.
func (c *checker) machine(settings, kind string, arguments map[string]any, given map[string]string) {
	path := settings + ".arguments"
	block, err := schemaBlock(kind)
	if err != nil {
		c.mistake(path, err.Error(), "")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		at := strictyaml.JoinKey(path, name)
		if c.doc.Wrong(at) {
			continue
		}
		if instead, own := given[name]; own {
			c.mistake(at, "is set by scalerd", instead)
			continue
		}
		if slices.Contains([]string{"count", "for_each", "depends_on", "lifecycle", "provider", "provisioner", "connection"}, name) {
			c.mistake(at, "is an argument of Terraform's own", "remove it; scalerd decides it")
			continue
		}
		c.argument(at, kind, block, name, arguments[name])
	}
}

// provider checks arguments of a provider's block.
func (c *checker) provider(path, name string, arguments map[string]any) {
	block, err := schemaBlock(name)
	if err != nil {
		c.mistake(path, err.Error(), "")
		return
	}
	for _, argument := range slices.Sorted(maps.Keys(arguments)) {
		if at := strictyaml.JoinKey(path, argument); !c.doc.Wrong(at) {
			c.argument(at, "the provider "+name, block, argument, arguments[argument])
		}
	}
}

// argument checks one argument, and what is in it, against the schema.
func (c *checker) argument(path, of string, block *tfjson.SchemaBlock, name string, value any) {
	attribute, nested := block.Attributes[name], block.NestedBlocks[name]
	switch {
	case attribute != nil:
		c.attribute(path, attribute, value)
	case nested != nil:
		c.block(path, of, nested, value)
	default:
		c.mistake(path, "is no argument of "+of, nearest(name, block))
	}
}

func (c *checker) attribute(path string, attribute *tfjson.SchemaAttribute, value any) {
	switch {
	case !attribute.Optional && !attribute.Required:
		c.mistake(path, "is decided by the cloud and cannot be set", "remove it")
	case attribute.Sensitive || attribute.WriteOnly:
		c.mistake(path, "is a secret, and the description is written to files", "remove it")
	default:
		if err := fits(attribute.AttributeType, value); err != nil {
			c.mistake(path, err.Error(), "")
		}
	}
}

func (c *checker) block(path, of string, nested *tfjson.SchemaBlockType, value any) {
	list, several := value.([]any)
	if !several {
		list = []any{value}
	}
	single := nested.MaxItems == 1 || nested.NestingMode == tfjson.SchemaNestingModeSingle
	if single && len(list) > 1 {
		c.mistake(path, fmt.Sprintf("is a list of %d, and there can be one", len(list)), "keep one of them")
		return
	}
	for i, item := range list {
		at := path
		if several {
			at = strictyaml.JoinIndex(path, i)
		}
		values, is := item.(map[string]any)
		if !is {
			c.mistake(at, "is no mapping of arguments", "write its arguments below it, indented")
			continue
		}
		c.required(at, nested.Block, values)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			c.argument(strictyaml.JoinKey(at, name), of, nested.Block, name, values[name])
		}
	}
}

// required reports arguments that a block has to have.
func (c *checker) required(path string, block *tfjson.SchemaBlock, values map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(block.Attributes)) {
		if _, has := values[name]; block.Attributes[name].Required && !has {
			c.mistake(path, "has no "+name+", which is required", "add "+name)
		}
	}
}

// nearest says what a name might have meant.
func nearest(name string, block *tfjson.SchemaBlock) string {
	var known []string
	for attribute, a := range block.Attributes {
		if a.Optional || a.Required {
			known = append(known, attribute)
		}
	}
	for nested := range block.NestedBlocks {
		known = append(known, nested)
	}
	slices.Sort(known)
	if near := strictyaml.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "remove it"
}
