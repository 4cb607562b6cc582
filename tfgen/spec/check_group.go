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
	c.credentials(path+".credentials", g.Credentials)
	c.sizes(g, path)
	c.cloud(app, g, path)
	c.metricsPath(path+".metrics.path", g.Metrics.Path)
	c.definitions(path, g.Constants, g.Queries)
	c.alerts(path, g.Alerts, app.GroupConstants(g), app.GroupQueries(g))
	c.rollout(g, path)
	c.offerings(g, path+".offerings")
	if g.Drain != nil {
		c.drain(g.Drain, path+".drain")
	}
	if g.Repair != nil {
		c.repair(g.Repair, path+".repair")
	}
	c.clashes(app, g, path)
	c.budget(g, path)
	names := map[string]string{}
	queries := app.GroupQueries(g)
	known := slices.Sorted(maps.Keys(queries))
	c.victims(g, path+".scaling.victims", known)
	if g.Optimizer != nil {
		c.optimizer(g.Optimizer, path+".optimizer", queries, known)
	}
	for i := range g.Policies {
		p, at := &g.Policies[i], strictyaml.JoinIndex(path+".policies", i)
		c.policy(g, p, at, known)
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

// cloud checks that the group has the settings of its cloud and of no other, and
// those settings.
func (c *checker) cloud(app *Application, g *Group, path string) {
	for _, cloud := range Clouds {
		at := path + "." + string(cloud)
		if cloud != g.Cloud && slices.Contains(Clouds, g.Cloud) && c.doc.Has(at) {
			c.mistake(at, fmt.Sprintf("is for cloud: %s, and cloud is %s", cloud, g.Cloud), fmt.Sprintf("remove it, or write cloud: %s", cloud))
		}
		if cloud == g.Cloud && cloud != CloudLocal && !c.doc.Has(at) && !c.doc.Wrong(at) {
			c.mistake(path+".cloud", fmt.Sprintf("is %s, and the group has no %s settings", cloud, cloud), fmt.Sprintf("add %s:", cloud))
		}
	}
	switch at := path + "." + string(g.Cloud); {
	case g.Cloud == CloudLocal && g.Local != nil:
		c.local(g.Local, at)
	case g.Cloud == CloudEC2 && g.EC2 != nil:
		c.ec2(g.EC2, at)
	case g.Cloud == CloudOpenStack && g.OpenStack != nil:
		c.openstack(g, at)
	case g.Cloud == CloudAzure && g.Azure != nil:
		c.azure(app, g, at)
	case g.Cloud == CloudModule && g.Module != nil:
		c.module(g.Module, at)
	}
}

func (c *checker) local(l *Local, path string) {
	if c.fine(path+".service_time") && l.ServiceTime == 0 {
		c.mistake(path+".service_time", "is 0s", "write more than 0s")
	}
	if l.Balancer != "" {
		c.address(path+".balancer", l.Balancer, 0)
	}
}

// rollout checks that a rollout can make progress.
func (c *checker) rollout(g *Group, path string) {
	path += ".rollout"
	if c.fine(path+".surge", path+".batch") && g.Rollout.Surge > 0 && g.Rollout.Surge < g.Rollout.Batch {
		c.mistake(path+".surge", fmt.Sprintf("is %d, less than batch %d", g.Rollout.Surge, g.Rollout.Batch), "make it as large as batch, or 0")
	}
}

// alerts checks the alerts of the application, whose path is empty, or of a group.
func (c *checker) alerts(path string, alerts []Alert, constants map[string]any, queries map[string]Query) {
	names := map[string]string{}
	for i, alert := range alerts {
		at := strictyaml.JoinIndex(strictyaml.JoinKey(path, "alerts"), i)
		if !c.fine(at + ".alert") {
			continue
		}
		c.variable(at+".alert", alert.Name)
		c.unique(names, at+".alert", alert.Name, "alert")
		if _, taken := constants[alert.Name]; taken {
			c.mistake(at+".alert", "is the name of a constant too", "rename one of them")
		}
		if _, taken := queries[alert.Name]; taken {
			c.mistake(at+".alert", "is the name of a query too", "rename one of them")
		}
	}
}

// definitions checks the constants and queries of the application, whose path is
// empty, or of a group.
func (c *checker) definitions(path string, constants map[string]any, queries map[string]Query) {
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		c.variable(strictyaml.JoinKey(strictyaml.JoinKey(path, "constants"), name), name)
	}
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		at := strictyaml.JoinKey(strictyaml.JoinKey(path, "queries"), name)
		c.variable(at, name)
		if c.fine(at) && strings.TrimSpace(queries[name].Expr) == "" {
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
