package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

func (c *checker) target(t *Target, path string, known []string) {
	value := func(path string, v float64) {
		if c.fine(path) && v <= 0 {
			c.mistake(path, fmt.Sprintf("is %v", v), "write a number above 0")
		}
	}
	var has []string
	for _, key := range []string{"query", "queries"} {
		if c.doc.Has(path + "." + key) {
			has = append(has, key)
		}
	}
	c.exactlyOne(path, has, "query and queries")
	if slices.Equal(has, []string{"query"}) && !c.doc.Has(path+".value") && !c.doc.Wrong(path) {
		c.mistake(path, "has no value", "add value: what the query should be")
	}
	for _, key := range []string{"value", "kind"} {
		if slices.Contains(has, "queries") && c.doc.Has(path+"."+key) {
			c.mistake(path+"."+key, "is for query, and there are queries", "write it at each of the queries")
		}
	}
	c.query(path+".query", t.Query, known)
	value(path+".value", t.Value)
	for i, q := range t.Queries {
		at := strictyaml.JoinIndex(path+".queries", i)
		c.query(at+".query", q.Query, known)
		value(at+".value", q.Value)
	}
}

// within checks that a size is one that the group may have.
func (c *checker) within(g *Group, path string, n int) {
	if c.fine(path) && g.Max > 0 && (n < g.Min || n > g.Max) {
		c.mistake(path, fmt.Sprintf("is %d, outside min %d to max %d of the group", n, g.Min, g.Max), "choose a number between them")
	}
}

func (c *checker) deadline(d *Deadline, path string, known []string) {
	c.query(path+".jobs", d.Jobs, known)
	c.query(path+".job_time", d.JobTime, known)
	c.query(path+".remaining", d.Remaining, known)
	if !c.doc.Has(path+".job_time") && !c.doc.Has(path+".job_takes") && !c.doc.Wrong(path) {
		c.mistake(path, "has neither job_time nor job_takes", "say how long a job takes")
	}
	if c.fine(path+".job_takes") && d.JobTakes <= 0 {
		c.mistake(path+".job_takes", "is 0s", "write more than 0s")
	}
	var has []string
	for _, key := range []string{"by", "remaining"} {
		if c.doc.Has(path + "." + key) {
			has = append(has, key)
		}
	}
	c.exactlyOne(path, has, "by and remaining")
	if c.fine(path + ".by") {
		if _, err := time.Parse(time.RFC3339, d.By); err != nil {
			c.mistake(path+".by", fmt.Sprintf("is %q, which is no date and time", d.By), "write it as 2026-12-01T18:00:00Z or 2026-12-01T18:00:00+01:00")
		}
	}
}

// victims checks the choice of nodes to go.
func (c *checker) victims(g *Group, path string, known []string) {
	v := g.Scaling.Victims
	if v == nil {
		return
	}
	switch byQuery := v.Order == VictimsLeastBusy; {
	case byQuery && v.Query == "" && !c.doc.Wrong(path):
		c.mistake(path, "has order: least_busy and no query", "add query: how busy each node is")
	case !byQuery && c.fine(path+".query"):
		c.mistake(path+".query", "is for order: least_busy", "write order: least_busy, or remove the query")
	}
	c.query(path+".query", v.Query, known)
	if len(v.Protected) > g.Max && g.Max > 0 {
		c.mistake(path+".protected", fmt.Sprintf("names %d nodes, more than max %d", len(v.Protected), g.Max), "name fewer, or raise max")
	}
}
