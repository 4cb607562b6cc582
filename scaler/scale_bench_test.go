package scaler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// BenchmarkOneMoreNode is what scalerd itself needs for a node more and its removal,
// in groups of two sizes: a real store, and a Terraform that takes no time.
func BenchmarkOneMoreNode(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("of %d", n), func(b *testing.B) {
			cloud := newCloud()
			cloud.taking(0)
			service := benchService(b, cloud)
			text := fmt.Sprintf("name: bench\ninterval: 1h\ngroups:\n  - {name: web, cloud: local, min: 0, initial: %d, max: %d}\n", n, n+1)
			if _, err := service.Submit(b.Context(), scaler.Source{File: "bench.yaml", Text: []byte(text)}); err != nil {
				b.Fatal(err)
			}
			size := func(n int) {
				deadline := time.Now().Add(5 * time.Minute)
				for time.Now().Before(deadline) {
					status, err := service.Application(b.Context(), "bench")
					if err != nil {
						b.Fatal(err)
					}
					if g := status.Groups[0]; g.Settled && g.Wanted == n {
						return
					}
					time.Sleep(time.Millisecond)
				}
				b.Fatalf("there were no %d nodes within 5 minutes", n)
			}
			size(n)
			for b.Loop() {
				for _, size := range []int{n + 1, n} {
					if _, err := service.Scale(b.Context(), "bench", "web", size); err != nil {
						b.Fatal(err)
					}
				}
				size(n)
			}
		})
	}
}
