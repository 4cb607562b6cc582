package scaler_test

import (
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
)

func TestExpectCheckWithinAModule(t *testing.T) {
	within := scaler.Expect{Within: &scaler.Within{Module: "module.nodes", Create: []string{"web-0002"}, Delete: []string{"web-0001"}, Finish: []string{"web-0003"}}}
	updating := within
	updating.Within = &scaler.Within{Module: "module.nodes", Update: true}
	create := func(address string) scaler.Change {
		return scaler.Change{Address: address, Action: scaler.ActionCreate}
	}
	made := create(`module.nodes.aws_instance.this["web-0002"]`)
	gone := scaler.Change{Address: `module.nodes.aws_instance.this["web-0001"]`, Action: scaler.ActionDelete}
	for _, tt := range []struct {
		name    string
		expect  scaler.Expect
		changes []scaler.Change
		refused string
	}{
		{"exactly the nodes", within, []scaler.Change{made, gone}, ""},
		{"several resources of a node, in modules within", within, []scaler.Change{made, gone, create(`module.nodes.module.vm["web-0002"].aws_eip.this[0]`)}, ""},
		{"the rest of a node that was half made", within, []scaler.Change{made, gone, create(`module.nodes.aws_eip.this["web-0003"]`)}, ""},
		{"a node that is not created", within, []scaler.Change{gone}, `would not create module.nodes["web-0002"]`},
		{"a node that was not decided", within, []scaler.Change{made, gone, create(`module.nodes.aws_instance.this["web-0009"]`)}, `would create module.nodes.aws_instance.this["web-0009"]`},
		{"a resource of no node", within, []scaler.Change{made, gone, create("module.nodes.aws_vpc.this")}, "would create module.nodes.aws_vpc.this"},
		{"a node that would go in place of another", within, []scaler.Change{made, {Address: `module.nodes.aws_instance.this["web-0003"]`, Action: scaler.ActionDelete}}, "would delete"},
		{"a replacement", within, []scaler.Change{made, gone, {Address: `module.nodes.aws_instance.this["web-0002"]`, Action: scaler.ActionReplace}}, "would replace"},
		{"an update that was not decided", within, []scaler.Change{made, gone, {Address: `module.nodes.aws_instance.this["web-0003"]`, Action: scaler.ActionUpdate}}, "would update"},
		{"an update of a changed module", updating, []scaler.Change{{Address: `module.nodes.aws_instance.this["web-0003"]`, Action: scaler.ActionUpdate}}, ""},
		{"a resource outside the module", updating, []scaler.Change{{Address: "aws_vpc.this", Action: scaler.ActionUpdate}}, "would update aws_vpc.this"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.expect.Check(tt.changes)
			if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("Check() = %v, want %q", err, tt.refused)
			}
		})
	}
}

func TestExpectCheckOfUpdatesInPlace(t *testing.T) {
	e := scaler.Expect{Update: []string{"a.b"}}
	for action, fine := range map[scaler.Action]bool{scaler.ActionUpdate: true, scaler.ActionReplace: false, scaler.ActionDelete: false, scaler.ActionCreate: false} {
		if err := e.Check([]scaler.Change{{Address: "a.b", Action: action}}); (err == nil) != fine {
			t.Errorf("Check() of %s = %v, want fine: %v", action, err, fine)
		}
	}
	if err := e.Check(nil); err != nil {
		t.Errorf("Check() without the update = %v, want nil: what is up to date needs none", err)
	}
}
