package plugin

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
)

// rule is a check of a configuration beyond its schema. It returns the attribute
// and what is wrong with it, or an empty text.
type rule func(o *object) (attribute, wrong string)

// ValidateResourceConfig checks the rules of the resource type; the schema itself
// Terraform has checked.
func (s *Server) ValidateResourceConfig(_ context.Context, in *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	_, ty, k, err := s.resource(in.TypeName)
	if err != nil {
		return nil, err
	}
	config, err := decode(in.Config, ty)
	if err != nil {
		return nil, err
	}
	out := &tfprotov6.ValidateResourceConfigResponse{}
	if config.IsNull() || !config.IsKnown() {
		return out, nil
	}
	o := open(config)
	for _, r := range k.rules {
		attribute, wrong := r(o)
		if wrong == "" {
			continue
		}
		d := &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: wrong}
		if outer, inner, nested := strings.Cut(attribute, "."); nested {
			d.Attribute = attributePath(outer, 0, inner)
		} else {
			d.Attribute = attributePath(attribute)
		}
		out.Diagnostics = append(out.Diagnostics, d)
	}
	return out, nil
}

// ValidateDataResourceConfig accepts what fits the schema.
func (s *Server) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

// given says whether the configuration sets an attribute or has such a block. What
// is unknown may turn out either way.
func given(o *object, name string) (set, open bool) {
	v := o.attrs[name]
	switch {
	case v == cty.NilVal || v.IsNull():
		return false, false
	case !v.IsKnown():
		return true, true
	case v.Type().IsCollectionType():
		return v.LengthInt() > 0, false
	}
	return true, false
}

// conflicts allows the first attribute only without the others.
func conflicts(name string, others ...string) rule {
	return func(o *object) (string, string) {
		if set, open := given(o, name); !set || open {
			return "", ""
		}
		for _, other := range others {
			if set, open := given(o, other); set && !open {
				return name, fmt.Sprintf("Conflicting configuration arguments: %q: conflicts with %s", name, other)
			}
		}
		return "", ""
	}
}

// exactlyOne wants one of the attributes.
func exactlyOne(names ...string) rule {
	return func(o *object) (string, string) {
		var found []string
		for _, name := range names {
			set, open := given(o, name)
			if open {
				return "", ""
			}
			if set {
				found = append(found, name)
			}
		}
		all := strings.Join(names, ",")
		switch len(found) {
		case 0:
			return names[0], fmt.Sprintf("Invalid combination of arguments: %q: one of `%s` must be specified", names[0], all)
		case 1:
			return "", ""
		}
		return names[0], fmt.Sprintf("Invalid combination of arguments: %q: only one of `%s` can be specified, but `%s` were specified", names[0], all, strings.Join(found, ","))
	}
}

// atLeastOne wants one or more of the attributes.
func atLeastOne(names ...string) rule {
	return func(o *object) (string, string) {
		for _, name := range names {
			if set, _ := given(o, name); set {
				return "", ""
			}
		}
		return names[0], fmt.Sprintf("Missing required argument: %q: one of `%s` must be specified", names[0], strings.Join(names, ","))
	}
}

// oneOf allows an attribute, or "block.attribute" of each block, only some values.
func oneOf(name string, values ...string) rule {
	return each(name, func(v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		_, short, nested := strings.Cut(name, ".")
		if !nested {
			short = name
		}
		return fmt.Sprintf("expected %s to be one of %q, got %s", short, values, v)
	})
}

// isBase64 wants an attribute to be base64 text.
func isBase64(name string) rule {
	return each(name, func(v string) string {
		if _, err := base64.StdEncoding.DecodeString(v); err != nil {
			return fmt.Sprintf("expected %q to be a base64 string, got %.40s", name, v)
		}
		return ""
	})
}

// longest limits an attribute's length, in bytes.
func longest(name string, limit int) rule {
	return each(name, func(v string) string {
		if len(v) > limit {
			return fmt.Sprintf("expected length of %s to be in the range (0 - %d), got %d", name, limit, len(v))
		}
		return ""
	})
}

// each checks a string attribute, or one of the blocks, where it is known.
func each(name string, check func(string) string) rule {
	return func(o *object) (string, string) {
		outer, inner, nested := strings.Cut(name, ".")
		if !nested {
			if o.known(name) {
				return name, check(o.str(name))
			}
			return "", ""
		}
		for _, b := range o.blocks(outer) {
			if b.known(inner) {
				if wrong := check(b.str(inner)); wrong != "" {
					return name, wrong
				}
			}
		}
		return "", ""
	}
}
