package local

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestArgsParseBackToTheSpec(t *testing.T) {
	t.Parallel()
	for _, want := range []Spec{
		{Dir: "/d", Name: "web-0001", Application: "shop", Group: "web", Slots: 7, ServiceTime: 30 * time.Millisecond, BootTime: 90 * time.Second},
		{Dir: "/d e", Name: "lb", Group: "web", Balancer: "127.0.0.1:80", Nodes: "/n.json", Slots: 2, ServiceTime: 50 * time.Millisecond},
	} {
		var got Spec
		set := flag.NewFlagSet("run", flag.ContinueOnError)
		got.Flags(set)
		args := want.args()
		if err := set.Parse(args[2:]); err != nil || args[0] != "local" || args[1] != "run" {
			t.Fatalf("args() = %q don't parse: %v", args, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("args() parsed back (-want +got):\n%s", diff)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	node := Spec{Dir: "/d", Name: "web-0001", Slots: 2, ServiceTime: time.Second}
	balancer := Spec{Dir: "/d", Name: "lb", Balancer: ":80", Nodes: "/n.json"}
	with := func(s Spec, change func(*Spec)) Spec {
		change(&s)
		return s
	}
	tests := []struct {
		name string
		spec Spec
		want []string // parts of the error; none where the spec is valid
	}{
		{"a node", node, nil},
		{"a balancer", balancer, nil},
		{"a name that leaves the directory", with(node, func(s *Spec) { s.Name = "../x" }), []string{`--name is "../x"`}},
		{"a name that is missing", with(node, func(s *Spec) { s.Name = "" }), []string{`--name is ""`}},
		{"all mistakes of a node at once", Spec{Name: "a", BootTime: -1, Nodes: "n"},
			[]string{"--dir is missing", "--slots is 0", "--service-time is 0s", "--boot-time is -1ns", "--nodes is of a balancer"}},
		{"a balancer without port and nodes", Spec{Dir: "/d", Name: "lb", Balancer: "localhost"},
			[]string{`--balancer is "localhost"`, "--nodes is missing"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.spec.Validate()
			if (err != nil) != (len(test.want) > 0) {
				t.Fatalf("Validate() = %v, want error %v", err, len(test.want) > 0)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Validate() = %q, want %q in it", err, want)
				}
			}
		})
	}
}
