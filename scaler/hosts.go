package scaler

import (
	"fmt"
	"net/url"

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
			if check == nil || n.host == "" && !n.unclear || doc.Wrong(n.path) {
				continue
			}
			if n.unclear {
				mistakes = append(mistakes, doc.Mistake(n.path, "names no host that can be read from it, so that it can't be checked", "write it as https://host:port/path"))
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
	// unclear is set where it can't be told which host is meant.
	unclear bool
}

// at is the host of an address, and unclear where the address can't be read.
func at(path, address string, dialled bool) namedHost {
	host, ok := hostOf(address)
	return namedHost{path: path, host: host, dialled: dialled, unclear: !ok}
}

func namedHosts(app *spec.Application) []namedHost {
	var all []namedHost
	if p := app.Monitoring.Prometheus; p != nil {
		all = append(all, at("monitoring.prometheus.url", p.URL, true))
	}
	for i, target := range app.Monitoring.Targets {
		for j, address := range target.Addresses {
			// Scraping does not tell a target from a node, which is let through anyhow.
			all = append(all, namedHost{path: fmt.Sprintf("monitoring.targets[%d].addresses[%d]", i, j), host: address})
		}
	}
	if b := app.Backend; b != nil {
		all = append(all, argumentHosts("backend.config", b.Config)...)
	}
	for i := range app.Groups {
		g, path := &app.Groups[i], fmt.Sprintf("groups[%d]", i)
		if g.Drain != nil {
			all = append(all, at(path+".drain.url", g.Drain.URL, true))
		}
		if g.EC2 != nil {
			all = append(all, at(path+".ec2.endpoint", g.EC2.Endpoint, false))
		}
		if g.OpenStack != nil {
			all = append(all, at(path+".openstack.auth_url", g.OpenStack.AuthURL, false))
			all = append(all, argumentHosts(path+".openstack.provider", g.OpenStack.Provider)...)
		}
		if g.Module != nil {
			all = append(all, moduleHosts(path+".module", g.Module)...)
		}
	}
	return all
}

// hostOf is the host of an address, empty where there is no address; it is not ok where
// the address can't be read, or has no host.
func hostOf(address string) (host string, ok bool) {
	if address == "" {
		return "", true
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", false
	}
	return u.Host, true
}
