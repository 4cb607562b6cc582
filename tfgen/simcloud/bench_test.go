package simcloud_test

import (
	"testing"
)

// BenchmarkPlan is `terraform plan` of one instance: three starts of the provider,
// two checks of its hash, and Terraform's own time.
func BenchmarkPlan(b *testing.B) {
	m := newModule(b, newCloud(b), fleet(1))
	for b.Loop() {
		m.must("plan", "-input=false", "-no-color")
	}
}

// BenchmarkApply makes and destroys nine instances.
func BenchmarkApply(b *testing.B) {
	m := newModule(b, newCloud(b), fleet(9))
	for b.Loop() {
		m.apply()
		m.destroy()
	}
}
