package plugin

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// kind is what the schema does not say about a resource type.
type kind struct {
	// title and call are the provider's words in errors: "EC2 Instance", and the
	// API's name of the creation: "RunInstances", or the path of the API's resources.
	title, call string
	// size and zone name a machine's attributes that faults select by.
	size, zone string
	// forceNew lists the attributes and blocks that replace the resource when they
	// change, "block.attribute" for one attribute of a block. Where inPlace is not
	// nil, it is the other way round: it lists those that do not replace.
	forceNew, inPlace []string
	// alsoForces adds attributes that force a replacement in one plan only.
	alsoForces func(p *planned) []string
	// unread lists what the cloud does not give back: a refresh leaves it as it is,
	// an import leaves it empty.
	unread []string
	// rules are checked when Terraform validates.
	rules []rule
	// plan settles attributes that follow from others, in any plan but destruction.
	plan func(s *Server, p *planned)
	// create fills in what the cloud decides, the id included.
	create func(m *making) error
	// update does the same for a change in place.
	update func(m *making) error
	// remove does what a deletion does to other resources, or refuses it.
	remove func(m *making) error
	// refresh corrects what depends on the time or the cloud's state.
	refresh func(r simcloud.Resource, o *object)
}

// planned is a resource in Terraform's plan.
type planned struct {
	config *object
	prior  *object // nil for a creation
	next   *object
}

// changed says whether the plan changes one of the attributes.
func (p *planned) changed(names ...string) bool {
	if p.prior == nil {
		return false
	}
	for _, name := range names {
		if p.next.has(name) && !p.next.attrs[name].RawEquals(p.prior.attrs[name]) {
			return true
		}
	}
	return false
}

// later says that the provider will know an attribute after the apply.
func (p *planned) later(names ...string) {
	for _, name := range names {
		if p.next.has(name) {
			p.next.attrs[name] = cty.UnknownVal(p.next.attrs[name].Type())
		}
	}
}

// making is a resource that the cloud makes, changes or removes, under its lock.
type making struct {
	*simcloud.Tx
	server *Server
	typ    string
	serial uint64
	// prior is what the cloud has, nil for a creation; next is what is wanted, with
	// unknown values for what the cloud decides, nil for a deletion.
	prior, next *object
}

// put stores a change of another resource, such as the interface that a machine
// takes; nothing happens where the cloud has none.
func (m *making) put(typ, id string, change func(o *object)) error {
	r, exists := m.Get(typ, id)
	if !exists {
		return nil
	}
	block, ty, _, err := m.server.resource(typ)
	if err != nil {
		return err
	}
	v, err := attributes(r, ty)
	if err != nil {
		return err
	}
	o := open(v)
	change(o)
	if err := store(&r, block, o.value(), ty); err != nil {
		return err
	}
	return m.Put(r)
}

// other opens another resource of the account, nil where there is none.
func (m *making) other(typ, id string) (*object, error) {
	r, exists := m.Get(typ, id)
	if !exists {
		return nil, nil
	}
	_, ty, _, err := m.server.resource(typ)
	if err != nil {
		return nil, err
	}
	v, err := attributes(r, ty)
	if err != nil {
		return nil, err
	}
	return open(v), nil
}
