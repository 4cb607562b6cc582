package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

func (c *checker) group(app *Application, g *Group, path string) {
	c.name(path+".name", g.Name)
	c.sizes(g, path)
	c.cloud(g, path)
	c.metricsPath(path+".metrics.path", g.Metrics.Path)
	c.definitions(path, g.Constants, g.Queries)
	c.clashes(app, g, path)
	names := map[string]string{}
	known := slices.Sorted(maps.Keys(app.GroupQueries(g)))
	for i := range g.Policies {
		p, at := &g.Policies[i], strictyaml.JoinIndex(path+".policies", i)
		c.policy(p, at, known)
		if c.doc.Has(at + ".name") {
			c.unique(names, at+".name", p.Name, "policy")
		}
	}
}

// sizes checks min, max and initial against each other.
func (c *checker) sizes(g *Group, path string) {
	if c.doc.Wrong(path+".min") || !c.fine(path+".max") {
		return
	}
	if g.Min > g.Max {
		c.mistake(path+".min", fmt.Sprintf("is %d, more than max %d", g.Min, g.Max), "lower min or raise max")
		return
	}
	if c.fine(path+".initial") && (g.Initial < g.Min || g.Initial > g.Max) {
		c.mistake(path+".initial", fmt.Sprintf("is %d, outside min %d to max %d", g.Initial, g.Min, g.Max), "choose a number between them")
	}
}

// cloud checks that the group has the settings of its cloud and of no other.
func (c *checker) cloud(g *Group, path string) {
	if g.Local == nil {
		return
	}
	path += ".local"
	if g.Cloud == CloudLocal {
		if c.fine(path+".service_time") && g.Local.ServiceTime == 0 {
			c.mistake(path+".service_time", "is 0s", "write more than 0s")
		}
		if g.Local.Balancer != "" {
			c.address(path+".balancer", g.Local.Balancer, 0)
		}
		return
	}
	mistyped := strictyaml.Nearest(string(g.Cloud), []string{string(CloudLocal)}) != ""
	if c.doc.Has(path) && g.Cloud != "" && !mistyped {
		c.mistake(path, fmt.Sprintf("is for cloud: local, and cloud is %s", g.Cloud), "remove it, or write cloud: local")
	}
}

// definitions checks the constants and queries of the application, whose path is
// empty, or of a group.
func (c *checker) definitions(path string, constants map[string]any, queries map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		c.variable(strictyaml.JoinKey(strictyaml.JoinKey(path, "constants"), name), name)
	}
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		at := strictyaml.JoinKey(strictyaml.JoinKey(path, "queries"), name)
		c.variable(at, name)
		if c.fine(at) && strings.TrimSpace(queries[name]) == "" {
			c.mistake(at, "is empty", "write a PromQL expression")
		}
		if _, both := constants[name]; both {
			c.mistake(at, "is the name of a constant too", "rename one of them")
		}
	}
}

// clashes reports names that are a constant of the application and a query of the
// group, or the reverse.
func (c *checker) clashes(app *Application, g *Group, path string) {
	for _, name := range slices.Sorted(maps.Keys(g.Queries)) {
		if _, both := app.Constants[name]; both {
			c.mistake(strictyaml.JoinKey(path+".queries", name), "is the name of a constant of the application", "rename one of them")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.Constants)) {
		if _, both := app.Queries[name]; both {
			c.mistake(strictyaml.JoinKey(path+".constants", name), "is the name of a query of the application", "rename one of them")
		}
	}
}
