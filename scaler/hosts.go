package scaler

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// CheckHosts refuses what in a description names a host that scalerd may not call, or
// have terraform call. check returns why; what is dialled by scalerd is checked again
// when it is, because a name may lead anywhere then. It may be nil.
func CheckHosts(check func(host string, dialled bool) error) spec.Check {
	return func(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
		var mistakes strictyaml.Mistakes
		for _, n := range namedHosts(app) {
			if check == nil || n.host == "" || doc.Wrong(n.path) {
				continue
			}
			if err := check(n.host, n.dialled); err != nil {
				mistakes = append(mistakes, doc.Mistake(n.path, fmt.Sprintf("names a host that is not called: %v", err), "have scalerd's admin add it to reachable, or name another one"))
			}
		}
		return mistakes
	}
}

// namedHost is a host in a description, with its port where it has one.
type namedHost struct {
	path, host string
	// dialled is set where scalerd itself connects.
	dialled bool
}

func namedHosts(app *spec.Application) []namedHost {
	var all []namedHost
	if p := app.Monitoring.Prometheus; p != nil {
		all = append(all, namedHost{"monitoring.prometheus.url", hostOf(p.URL), true})
	}
	for i, target := range app.Monitoring.Targets {
		for j, address := range target.Addresses {
			// Scraping does not tell a target from a node, which is let through anyhow.
			all = append(all, namedHost{fmt.Sprintf("monitoring.targets[%d].addresses[%d]", i, j), address, false})
		}
	}
	if b := app.Backend; b != nil {
		for _, name := range slices.Sorted(maps.Keys(b.Config)) {
			if text, ok := b.Config[name].(string); ok && strings.Contains(text, "://") {
				all = append(all, namedHost{strictyaml.JoinKey("backend.config", name), hostOf(text), false})
			}
		}
	}
	for i := range app.Groups {
		g, path := &app.Groups[i], fmt.Sprintf("groups[%d]", i)
		if g.Drain != nil {
			all = append(all, namedHost{path + ".drain.url", hostOf(g.Drain.URL), true})
		}
		if g.EC2 != nil {
			all = append(all, namedHost{path + ".ec2.endpoint", hostOf(g.EC2.Endpoint), false})
		}
		if g.OpenStack != nil {
			all = append(all, namedHost{path + ".openstack.auth_url", hostOf(g.OpenStack.AuthURL), false})
		}
		if g.Module != nil {
			all = append(all, namedHost{path + ".module.source", moduleHost(g.Module.Source), false})
		}
	}
	return all
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// scpPattern is Git's short form of an SSH address.
var scpPattern = regexp.MustCompile(`^[^/@]+@([^:/]+):`)

// moduleHost is where Terraform fetches a module from; it is empty for a path.
func moduleHost(source string) string {
	source = withoutGetter(source)
	if localModule(source) {
		return ""
	}
	if strings.Contains(source, "://") {
		return hostOf(source)
	}
	if scp := scpPattern.FindStringSubmatch(source); scp != nil {
		return scp[1]
	}
	if first, _, _ := strings.Cut(source, "/"); strings.Contains(first, ".") {
		return first
	}
	return "registry.terraform.io"
}

// withoutGetter is a module's source without git:: or what else says how to fetch it.
func withoutGetter(source string) string {
	for {
		_, rest, ok := strings.Cut(source, "::")
		if !ok {
			return source
		}
		source = rest
	}
}

// localModule reports whether a module's source is a path of this machine.
func localModule(source string) bool {
	source = withoutGetter(source)
	return strings.HasPrefix(strings.ToLower(source), "file:") || !strings.Contains(source, "://") && source != "" && strings.ContainsAny(source[:1], "./~")
}
