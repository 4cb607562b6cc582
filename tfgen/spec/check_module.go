package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// sourcePattern is a provider's address: [host/]namespace/type.
var sourcePattern = regexp.MustCompile(`^([a-zA-Z0-9.-]+\.[a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+$`)

// moduleKeywords are arguments of a module block that are Terraform's.
var moduleKeywords = []string{"source", "version", "providers", "count", "for_each", "depends_on", "lifecycle"}

func (c *checker) module(m *Module, path string) {
	c.filled(path, "source", m.Source)
	local := strings.HasPrefix(m.Source, ".") || strings.HasPrefix(m.Source, "/")
	if local && c.doc.Has(path+".version") {
		c.mistake(path+".version", "is for modules of a registry, and source is a path", "remove it")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Inputs)) {
		at := strictyaml.JoinKey(path+".inputs", name)
		switch {
		case !identifierPattern.MatchString(name):
			c.mistake(at, "is no name of a variable", "use letters, digits and underscores, first no digit")
		case name == "nodes":
			c.mistake(at, "is set by scalerd", "write what belongs to each node under node")
		case slices.Contains(moduleKeywords, name):
			c.mistake(at, "has a meaning to Terraform and cannot be a variable", "rename it")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Node)) {
		at := strictyaml.JoinKey(path+".node", name)
		switch {
		case name == "user_data" || name == "decision":
			c.mistake(at, "is set by scalerd", "rename it; user data comes from cloud_init")
		case !identifierPattern.MatchString(name):
			c.mistake(at, "is no name of an attribute", "use letters, digits and underscores, first no digit")
		}
	}
	c.moduleProviders(m, path+".providers")
}

func (c *checker) moduleProviders(m *Module, path string) {
	for _, name := range slices.Sorted(maps.Keys(m.Providers)) {
		at := strictyaml.JoinKey(path, name)
		p := m.Providers[name]
		if !namePattern.MatchString(name) {
			c.mistake(at, "is no local name of a provider", "use lower-case letters, digits and dashes")
		}
		if c.fine(at+".source") && !sourcePattern.MatchString(p.Source) {
			c.mistake(at+".source", "is no provider's address", "write it as hashicorp/google")
		}
		c.notSecret(at+".arguments", p.Arguments, "the provider's environment variables or scalerd's credentials")
		for _, argument := range slices.Sorted(maps.Keys(p.Arguments)) {
			if !identifierPattern.MatchString(argument) || argument == "alias" || argument == "version" {
				c.mistake(strictyaml.JoinKey(at+".arguments", argument), "cannot be an argument of the provider here", "remove it")
			}
		}
	}
}
