package tfgen_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func offeringGroup(t *testing.T, offerings string) (*spec.Application, *spec.Group) {
	t.Helper()
	app, err := spec.Parse("shop.yaml", []byte(`name: shop
groups:
  - name: web
    cloud: ec2
    max: 3
    ec2: {region: eu-west-1, ami: ami-01234567, instance_type: t3.small, spot: {}}
`+offerings), tfgen.Check)
	if err != nil {
		t.Fatal(err)
	}
	return app, &app.Groups[0]
}

func TestOfferingsGiveNodesTheirOwnSettings(t *testing.T) {
	app, group := offeringGroup(t, "    offerings: [{instance_type: c7i.large, zone: eu-west-1a}, {name: sure, spot: false}]\n")
	offered, err := tfgen.Offerings(app, group)
	if err != nil {
		t.Fatal(err)
	}
	var got []tfgen.Settings
	for _, o := range offered {
		s := o.Settings(7)
		delete(s, "user_data")
		got = append(got, s)
	}
	want := []tfgen.Settings{
		{"ami": "ami-01234567", "instance_type": "c7i.large", "zone": "eu-west-1a", "spot": map[string]any{}, "offering": "c7i.large in eu-west-1a"},
		{"ami": "ami-01234567", "instance_type": "t3.small", "offering": "sure"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if diff := got[0].Differences(got[1]); diff != `instance_type: "c7i.large" -> "t3.small", spot: {} -> null, zone: "eu-west-1a" -> null` {
		t.Errorf("Differences() = %s", diff)
	}
}

func TestAGroupWithoutOfferingsHasOneWithoutAName(t *testing.T) {
	app, group := offeringGroup(t, "")
	offered, err := tfgen.Offerings(app, group)
	if err != nil || len(offered) != 1 {
		t.Fatalf("Offerings() = %d, %v, want 1", len(offered), err)
	}
	if name := offered[0].Settings(1).Offering(); name != "" {
		t.Errorf("offering = %q, want none", name)
	}
}
