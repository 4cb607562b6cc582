package plugin

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// lookup answers a data source: it fills in what the configuration leaves open, or
// refuses in the provider's words what does not exist.
type lookup func(l *looking) error

// looking is a data source being read, under the cloud's lock.
type looking struct {
	*simcloud.Tx
	server  *Server
	account string
	o       *object
}

// ReadDataSource looks something up in the cloud.
func (s *Server) ReadDataSource(ctx context.Context, in *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	block, ty, err := s.dataSource(in.TypeName)
	if err != nil {
		return nil, err
	}
	config, err := decode(in.Config, ty)
	if err != nil {
		return nil, err
	}
	o := open(config)
	o.answer("region", s.account.region)
	c := &change{server: s, typ: in.TypeName, block: block, ty: ty, kind: &kind{}}
	call := c.call(simcloud.Lookup, o)
	err = s.cloud.Do(ctx, call, func(tx *simcloud.Tx) error {
		return s.data[in.TypeName](&looking{Tx: tx, server: s, account: call.Account, o: o})
	})
	out := &tfprotov6.ReadDataSourceResponse{}
	if err != nil {
		out.Diagnostics = failure(s.words(c, call, o, err))
		return out, nil
	}
	out.State, err = encode(o.value(), ty)
	return out, err
}

// resource opens a resource for a data source, nil where there is none.
func (l *looking) resource(typ, id string) (*object, error) {
	m := &making{Tx: l.Tx, server: l.server}
	return m.other(typ, id)
}

// copyFrom fills in all attributes that the resource has in the same form.
func (l *looking) copyFrom(r *object) {
	for name, v := range r.attrs {
		if ty, ok := l.o.ty.AttributeTypes()[name]; ok && v.Type().Equals(ty) {
			l.o.answer(name, v)
		}
	}
}

// tagged says whether tags have all the wanted ones.
func tagged(have, want map[string]string) bool {
	for key, value := range want {
		if v, ok := have[key]; !ok || v != value {
			return false
		}
	}
	return true
}

// list makes a list of objects of the attribute's type from maps of its fields.
func (l *looking) list(name string, rows []map[string]any) {
	ty := l.o.ty.AttributeType(name).ElementType()
	if len(rows) == 0 {
		l.o.set(name, emptyBlocks(l.o.ty.AttributeType(name)))
		return
	}
	values := make([]cty.Value, len(rows))
	for i, row := range rows {
		o := open(cty.NullVal(ty))
		for field, value := range row {
			o.set(field, value)
		}
		values[i] = o.value()
	}
	l.o.set(name, cty.ListVal(values))
}
