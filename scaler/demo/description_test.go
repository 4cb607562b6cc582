package demo

import (
	"strings"
	"testing"

	"github.com/scalerd/scalerd/examples"
)

func example(t *testing.T) []byte {
	t.Helper()
	text, err := examples.Files.ReadFile("local/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBalancersMoveToFreePortsAndNothingElseChanges(t *testing.T) {
	text := string(example(t))
	d, err := newDescription("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range d.app.Groups {
		if g.Local.Balancer != anyPort {
			t.Errorf("balancer of %s = %s, want %s", g.Name, g.Local.Balancer, anyPort)
		}
	}
	before, after := strings.Split(text, "\n"), strings.Split(string(d.text), "\n")
	if len(before) != len(after) {
		t.Fatalf("the text has %d lines, want %d", len(after), len(before))
	}
	changed := 0
	for i := range before {
		if before[i] == after[i] {
			continue
		}
		changed++
		if !strings.Contains(before[i], "balancer: 127.0.0.1:1808") {
			t.Errorf("line %d %q became %q", i+1, before[i], after[i])
		}
	}
	if changed != len(d.app.Groups) {
		t.Errorf("%d lines changed, want one for each of %d groups", changed, len(d.app.Groups))
	}
}

func TestADescriptionThatTheDemoCantShowIsRefused(t *testing.T) {
	const plain = "name: shop\ngroups:\n  - name: web\n    cloud: local\n    max: 3\n"
	for _, test := range []struct{ name, text, want string }{
		{"no balancer", plain, "shop.yaml:3:5 groups[0].local.balancer"},
		{"no balancer says what to do", plain, "write balancer: 127.0.0.1:18080"},
		{"an unknown key", plain + "    ballast: 3\n", "ballast"},
		{"an address in pieces", plain + "    local:\n      balancer: \"127.0.0.1:\\x318080\"\n", "write it plainly"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newDescription("shop.yaml", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("newDescription() = %v, want %q in it", err, test.want)
			}
		})
	}
}
