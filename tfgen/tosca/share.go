package tosca

import (
	"fmt"
	"net"
	"reflect"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// shared are the definitions of all scaling policies, which every rule sees, and
// per group what differs from them.
type shared struct {
	definitions
	// perGroup are the definitions of a node's own policies that another policy
	// defines differently.
	perGroup map[*node]definitions
	sources  []*strictyaml.Node
	// written are the constants before they are rendered.
	written map[string]*strictyaml.Node
	// expanded are the texts that each policy's constants were found to stand for.
	expanded map[*policy]map[string]string
}

// share merges the definitions of the scaling policies. The last one of a name is
// everybody's, except for groups that have one of their own.
func (t *translator) share(policies []*policy) *shared {
	s := &shared{definitions: newDefinitions(), perGroup: map[*node]definitions{}, written: map[string]*strictyaml.Node{}, expanded: map[*policy]map[string]string{}}
	for _, p := range policies {
		for _, name := range p.own.names {
			if n := p.own.constants[name]; n != nil {
				s.written[name] = n
			}
		}
	}
	rendered := map[*policy]definitions{}
	for _, p := range policies {
		if p.scaling {
			rendered[p] = t.renderAll(p, s)
			s.merge(rendered[p])
			s.sources = append(s.sources, t.sources(p, s)...)
		}
	}
	t.dropClashes(&s.definitions)
	for _, p := range policies {
		if p.deployed {
			t.keepOwn(p, rendered[p], s)
		}
	}
	return s
}

// renderAll renders a policy's definitions. One of a policy that is not deployed
// is left out where it cannot be.
func (t *translator) renderAll(p *policy, s *shared) definitions {
	d := newDefinitions()
	c := s.constantsOf(p)
	for _, name := range p.own.names {
		for _, kind := range []struct{ from, to map[string]*strictyaml.Node }{
			{p.own.constants, d.constants}, {p.own.queries, d.queries}, {p.own.alerts, d.alerts},
		} {
			n := kind.from[name]
			if n == nil {
				continue
			}
			value, ok := t.render(n, c, !p.deployed)
			if !ok {
				t.note(n, "uses what is no constant; it is left out")
				continue
			}
			if _, isAlert := p.own.alerts[name]; isAlert && n == p.own.alerts[name] {
				value = alert(value)
			}
			if _, isConstant := p.own.constants[name]; isConstant && strings.HasPrefix(name, "m_opt_target_m") {
				value = threshold(value)
			}
			d.add(kind.to, name, value)
		}
	}
	return d
}

func (s *shared) constantsOf(p *policy) constants {
	if s.expanded[p] == nil {
		s.expanded[p] = map[string]string{}
	}
	return constants{own: p.own.constants, all: s.written, texts: s.expanded[p]}
}

func (s *shared) merge(d definitions) {
	for _, name := range d.names {
		if n := d.constants[name]; n != nil {
			s.add(s.constants, name, n)
		}
		if n := d.queries[name]; n != nil {
			s.add(s.queries, name, n)
		}
		if n := d.alerts[name]; n != nil {
			s.add(s.alerts, name, n)
		}
	}
}

// dropClashes leaves out what MiCADO hides: of one name, a constant wins over an
// alert, and both over a query.
func (t *translator) dropClashes(d *definitions) {
	for _, name := range d.names {
		c, a, q := d.constants[name], d.alerts[name], d.queries[name]
		if c != nil && a != nil {
			t.note(a, fmt.Sprintf("is left out: %s is a constant, which wins", name))
			delete(d.alerts, name)
		}
		if q != nil && (c != nil || a != nil) {
			t.note(q, fmt.Sprintf("is left out: %s is a constant or an alert, which wins", name))
			delete(d.queries, name)
		}
	}
}

// keepOwn gives the groups of a policy what the policy defines differently from
// what all share.
func (t *translator) keepOwn(p *policy, own definitions, s *shared) {
	differs := newDefinitions()
	for _, name := range own.names {
		for _, kind := range []struct{ own, all, to map[string]*strictyaml.Node }{
			{own.constants, s.constants, differs.constants}, {own.queries, s.queries, differs.queries}, {own.alerts, s.alerts, differs.alerts},
		} {
			n, all := kind.own[name], kind.all[name]
			if n == nil || all == nil || n.Bad() || all.Bad() || n == all || reflect.DeepEqual(n.Value(), all.Value()) {
				continue
			}
			t.note(n, fmt.Sprintf("another policy defines %s differently; MiCADO gives all the last one, here this group has its own", name))
			differs.add(kind.to, name, n)
		}
	}
	for _, n := range p.targets {
		if !t.spend(p.node, len(differs.names)) {
			return
		}
		d, ok := s.perGroup[n]
		if !ok {
			d = newDefinitions()
		}
		for _, name := range differs.names {
			for _, kind := range []struct{ from, to map[string]*strictyaml.Node }{
				{differs.constants, d.constants}, {differs.queries, d.queries}, {differs.alerts, d.alerts},
			} {
				if value := kind.from[name]; value != nil {
					d.add(kind.to, name, value)
				}
			}
		}
		s.perGroup[n] = d
	}
}

// sources are the endpoints that a policy wants scraped.
func (t *translator) sources(p *policy, s *shared) []*strictyaml.Node {
	list := p.property("sources")
	if !t.list(list) {
		return nil
	}
	var addresses []*strictyaml.Node
	for _, item := range list.Items() {
		item, ok := t.render(item, s.constantsOf(p), !p.deployed)
		if item.Bad() || !ok {
			continue
		}
		host, _, err := net.SplitHostPort(strings.TrimSpace(item.Scalar()))
		switch {
		case !item.Is(strictyaml.KindText):
			t.wrong(item, fmt.Sprintf("is %s, not host:port", item), "write it as host:port")
		case err != nil:
			t.note(item, "has no port, so that it cannot be scraped; it is left out")
		case !strings.ContainsAny(host, ".:"):
			t.note(item, "is an exporter inside a Kubernetes cluster, which this version does not scrape; queries of its metrics need a Prometheus that does: see monitoring.prometheus")
		default:
			addresses = append(addresses, strictyaml.NewText(item, strings.TrimSpace(item.Scalar())))
		}
	}
	return addresses
}

// set gives the description what all groups share.
func (s *shared) set(t *translator, app *strictyaml.Node) {
	s.definitions.set(app)
	if len(s.sources) == 0 {
		return
	}
	target, addresses := strictyaml.NewMapping(s.sources[0]), strictyaml.NewList(s.sources[0])
	seen := map[string]bool{}
	for _, source := range s.sources {
		if !seen[source.Scalar()] {
			seen[source.Scalar()] = true
			addresses.Append(source)
		}
	}
	target.Set("job", strictyaml.NewText(s.sources[0], "micado"))
	target.Set("addresses", addresses)
	monitoring := strictyaml.NewMapping(s.sources[0])
	monitoring.Set("targets", one(target))
	app.Set("monitoring", monitoring)
}
