package spec

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// FuzzParse checks on any text that Parse answers with mistakes that have a place,
// or with an application that Encode writes so that it is read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(full))
	f.Add([]byte("name: a\ngroups:\n- {name: b, cloud: openstack, max: 1, openstack: {boot_volume: {}, provider: {a: [1, {b: 2.0}]}}}\n- {name: c, cloud: azure, max: 1, azure: {os: windows, spot: {max_price: 0}}}\n"))
	f.Add([]byte("name: a\ngroups: [{name: b, cloud: module, max: 1, module: {source: ./m, node: {a: ~}}}]\nnot_deployed: [{name: \"\\n\", type: ' ', definition: {'': ''}}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		app, err := Parse("f.yaml", text)
		if err != nil {
			var mistakes strictyaml.Mistakes
			if !errors.As(err, &mistakes) || len(mistakes) == 0 || app != nil {
				t.Fatalf("Parse() = %v, %T %v, want mistakes", app, err, err)
			}
			return
		}
		encoded := Encode(app)
		again, err := Parse("encoded.yaml", encoded)
		if err != nil {
			t.Fatalf("Parse() of Encode() error:\n%v\nof:\n%s", err, encoded)
		}
		if diff := cmp.Diff(app, again, sameApplication); diff != "" {
			t.Fatalf("Parse() of Encode() (-want +got):\n%s\nof:\n%s", diff, encoded)
		}
	})
}
