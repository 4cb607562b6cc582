package spec

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// checker gathers the mistakes of a description that are not mistakes of its form.
// It says nothing more about a value that has a mistake of form.
type checker struct {
	doc      *strictyaml.Document
	mistakes strictyaml.Mistakes
}

func (c *checker) mistake(path, what, fix string) {
	c.mistakes = append(c.mistakes, c.doc.Mistake(path, what, fix))
}

// fine reports whether the description sets all the paths, each without a mistake.
func (c *checker) fine(paths ...string) bool {
	for _, path := range paths {
		if !c.doc.Has(path) || c.doc.Wrong(path) {
			return false
		}
	}
	return true
}

func (c *checker) application(app *Application) {
	c.name("name", app.Name)
	if c.fine("interval") && app.Interval.AsDuration() < time.Second {
		c.mistake("interval", fmt.Sprintf("is %s, less than 1s", app.Interval), "write 1s or more")
	}
	c.monitoring(app.Monitoring)
	c.backend(app.Backend)
	c.definitions("", app.Constants, app.Queries)
	c.alerts("", app.Alerts, app.Constants, app.Queries)
	names, balancers := map[string]string{}, map[string]string{}
	for i := range app.Groups {
		g, path := &app.Groups[i], strictyaml.JoinIndex("groups", i)
		c.group(app, g, path)
		c.unique(names, path+".name", g.Name, "group")
		if g.Local != nil && !strings.HasSuffix(g.Local.Balancer, ":0") {
			c.unique(balancers, path+".local.balancer", g.Local.Balancer, "balancer")
		}
	}
}

func (c *checker) monitoring(m Monitoring) {
	if m.Prometheus != nil {
		if len(m.Targets) > 0 {
			c.mistake("monitoring.targets", "is for the embedded monitoring, and prometheus is set", "let that Prometheus scrape them, or remove prometheus")
		}
		c.prometheus(m.Prometheus)
	}
	for i, t := range m.Targets {
		c.scrapeTarget(strictyaml.JoinIndex("monitoring.targets", i), t)
	}
}

func (c *checker) prometheus(p *Prometheus) {
	const path = "monitoring.prometheus"
	if c.fine(path + ".url") {
		c.url(path+".url", p.URL)
	}
	if p.BearerTokenFile != "" && (p.Username != "" || p.PasswordFile != "") {
		c.mistake(path+".bearer_token_file", "is set together with username", "keep one of them")
	}
	c.together(path, "username", p.Username, "password_file", p.PasswordFile)
	c.together(path, "cert_file", p.CertFile, "key_file", p.KeyFile)
}

// together reports one of two keys that is set without the other.
func (c *checker) together(path, first, a, second, b string) {
	if c.doc.Wrong(path+"."+first) || c.doc.Wrong(path+"."+second) {
		return
	}
	switch {
	case a != "" && b == "":
		c.mistake(path+"."+first, "is set without "+second, "set both, or neither")
	case a == "" && b != "":
		c.mistake(path+"."+second, "is set without "+first, "set both, or neither")
	}
}

func (c *checker) url(path, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.mistake(path, fmt.Sprintf("is %q, which is no http address", value), "write it as http://host:9090 or https://host")
	case u.User != nil:
		c.mistake(path, "holds a password or user", "use username and password_file")
	case u.RawQuery != "" || u.Fragment != "":
		c.mistake(path, "holds a query or fragment", "write the base address only")
	}
}

func (c *checker) scrapeTarget(path string, t ScrapeTarget) {
	if c.fine(path+".job") && t.Job == "" {
		c.mistake(path+".job", "is empty", "name the job")
	}
	for i, address := range t.Addresses {
		c.address(strictyaml.JoinIndex(path+".addresses", i), address, 1)
	}
	c.metricsPath(path+".path", t.Path)
	for _, label := range slices.Sorted(maps.Keys(t.Labels)) {
		if !identifierPattern.MatchString(label) || strings.HasPrefix(label, "__") {
			c.mistake(strictyaml.JoinKey(path+".labels", label), "is no label name", "use letters, digits and underscores, first no digit nor two underscores")
		}
	}
}

// address checks a host:port whose host may be empty where port 0 is allowed,
// that is, where the address is listened on.
func (c *checker) address(path, address string, leastPort int) {
	if !c.fine(path) {
		return
	}
	host, port, err := net.SplitHostPort(address)
	n, portErr := strconv.Atoi(port)
	switch {
	case err != nil || strings.ContainsAny(host, "/ @"):
		c.mistake(path, fmt.Sprintf("is %q, not host:port", address), "write it as host:port, an IPv6 address in brackets")
	case host == "" && leastPort > 0:
		c.mistake(path, fmt.Sprintf("is %q, without a host", address), "write it as host:port")
	case portErr != nil || n < leastPort || n > 65535:
		c.mistake(path, fmt.Sprintf("is %q, whose port is not a number from %d to 65535", address, leastPort), "mend the port")
	}
}

func (c *checker) metricsPath(path, value string) {
	if c.fine(path) && !strings.HasPrefix(value, "/") {
		c.mistake(path, fmt.Sprintf("is %q, which does not start with /", value), `write it as "/metrics"`)
	}
}
